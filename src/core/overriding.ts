/**
 * Whether none of these hooks, methods or getters, was replaced since `owner`: by a subclass, or on the object itself.
 *
 * The one rule by which fused paths ask: a hook that somebody overrides is used on every backend.
 */
export function isOwn(object: object, owner: { prototype: object }, ...hooks: string[]): boolean {
  return hooks.every((hook) => {
    // Asked in every pass: the usual case is told without looking at descriptors.
    const asMade = Object.getPrototypeOf(object) === owner.prototype && !Object.hasOwn(object, hook);
    if (asMade && Object.hasOwn(owner.prototype, hook)) return true;
    const found = definitionOf(object, hook);
    const own = Object.getOwnPropertyDescriptor(owner.prototype, hook);
    return own !== undefined && found?.value === own.value && found?.get === own.get;
  });
}

/**
 * Whether `hook` was replaced since `other` was: on the object, or by a class derived from the one that `other` comes from. What
 * `other` assumes of the hook may then be wrong.
 */
export function isNewer(object: object, hook: string, other: string): boolean {
  return depthOf(object, hook) < depthOf(object, other);
}

/** Steps up the prototypes to where a method or getter is defined. */
function depthOf(object: object, name: string): number {
  let depth = 0;
  for (let place: object | null = object; place !== null; place = Object.getPrototypeOf(place)) {
    if (Object.hasOwn(place, name)) return depth;
    depth++;
  }
  return depth;
}

function definitionOf(object: object, name: string): PropertyDescriptor | undefined {
  for (let place: object | null = object; place !== null; place = Object.getPrototypeOf(place)) {
    const found = Object.getOwnPropertyDescriptor(place, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
