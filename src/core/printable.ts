/** What `console.log` of Node, of Deno and of their notebooks calls to show an object. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * Lets a result print itself in a few lines: `String(result)`, and `console.log` in Node and in notebooks. Its fields stay as they
 * are, for what is added is not enumerable: `{ ...result }` shows them all.
 *
 * A class prints itself by its prototype: `printable(Prior.prototype, (prior) => [...])`.
 *
 * @param lines what to say of the result; no matrices and no long lists
 */
export function printable<T extends object>(result: T, lines: (result: T) => readonly string[]): T {
  const text = {
    value(this: T): string {
      // A prototype that is itself printed has no fields to tell of.
      return isPrototype(this) ? Object.prototype.toString.call(this) : lines(this).join('\n');
    },
    enumerable: false,
    configurable: true,
    writable: true,
  };
  Object.defineProperty(result, 'toString', text);
  Object.defineProperty(result, INSPECT, text);
  return result;
}

function isPrototype(value: object): boolean {
  return Object.hasOwn(value, 'constructor');
}

/** A number for people: three significant digits; `none` where there is none. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return 'none';
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(0);
  if (size < 1e-4) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

/** A p-value for people: `p .032`, `p < .001`, or `no p`. */
export function pFigure(p: number | null | undefined): string {
  if (p === null || p === undefined) return 'no p';
  return p < 0.001 ? 'p < .001' : `p ${p.toFixed(3).replace(/^0/, '')}`;
}

/** The first few of a list for people: `[0.1, 2, -1, ... 64 values]`. */
export function someOf(values: ArrayLike<number | string>, shown = 4): string {
  const first = Array.from({ length: Math.min(shown, values.length) }, (_, i) => {
    const value = values[i];
    return typeof value === 'number' ? figure(value) : value;
  });
  return `[${first.join(', ')}${values.length > shown ? `, ... ${values.length} values` : ''}]`;
}
