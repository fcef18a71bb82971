/**
 * Whether none of these hooks, methods or getters, was replaced since `owner`: by a subclass, or on the object itself.
 *
 * The one rule by which fused paths ask: a hook that somebody overrides is used on every backend.
 */
export function isOwn(object: object, owner: { prototype: object }, ...hooks: string[]): boolean {
  return hooks.every((hook) => {
    const found = definitionOf(object, hook);
    const own = Object.getOwnPropertyDescriptor(owner.prototype, hook);
    return own !== undefined && found?.value === own.value && found?.get === own.get;
  });
}

function definitionOf(object: object, name: string): PropertyDescriptor | undefined {
  for (let place: object | null = object; place !== null; place = Object.getPrototypeOf(place)) {
    const found = Object.getOwnPropertyDescriptor(place, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
