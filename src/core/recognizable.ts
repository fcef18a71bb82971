/**
 * Lets `instanceof` know instances that another copy of this package made. A program holds two copies where one part imports it as
 * an ES module and another requires it; their classes are the same in all but identity.
 *
 * @param name the same in every copy
 */
export function recognizable(type: abstract new (...args: never[]) => object, name: string): void {
  const brand = Symbol.for(`tfjs-flows.${name}`);
  Object.defineProperty(type.prototype, brand, { value: true });
  Object.defineProperty(type, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      // Subclasses inherit this test, but not the name.
      if (this !== type) return Function.prototype[Symbol.hasInstance].call(this, value);
      return typeof value === 'object' && value !== null && brand in value;
    },
  });
}
