import * as tf from '@tensorflow/tfjs-core';
import { transform } from 'esbuild';

/** Names that an example finds defined. */
export type Scope = Record<string, unknown>;

type AsyncFunction = (...values: unknown[]) => Promise<unknown>;
const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => AsyncFunction;

/** `expression; // value`, where the value is a number or an array of numbers. */
const shown =
  /^(?!const |let )([A-Za-z][^;\n]*?)(?:\.print\(\))?; \/\/ (-?\d[\d.e-]*|\[[-\d., e[\]]*\])(?=$|,| )/gm;

/**
 * Runs TypeScript text in a scope, silently. A line `expression; // value` must give that value, to the digits shown.
 *
 * Imports of the library are dropped: its names are in the scope.
 */
export async function runExample(code: string, scope: Scope): Promise<void> {
  const checked = code
    .replace(/^import [^;]*?'(tfjs-flows|@tensorflow)[^']*';$/gm, '')
    .replace(shown, (_, expression, value) => `expectShown(await (${expression}), '${value}');`);
  const { code: script } = await transform(checked, { loader: 'ts', target: 'es2022', format: 'esm' });
  const names = Object.keys(scope).filter((name) => name !== 'default');
  const run = new AsyncFunction(...names, 'expectShown', 'console', `{\n${script}\n}`);
  const print = tf.Tensor.prototype.print;
  tf.Tensor.prototype.print = () => {};
  try {
    await run(...names.map((name) => scope[name]), expectShown, { log: () => {} });
  } finally {
    tf.Tensor.prototype.print = print;
  }
}

function expectShown(received: unknown, text: string): void {
  const digits = Math.max(...text.match(/-?\d[\d.e-]*/g)!.map(decimals));
  const expected = flatten(JSON.parse(text));
  const values = flatten(received);
  const close = expected.every((value, i) => {
    // Half a unit of the last digit shown, or float32 rounding.
    return Math.abs(values[i] - value) <= Math.max(0.5 * 10 ** -digits, 1e-6 * Math.abs(value));
  });
  if (expected.length !== values.length || !close) {
    throw new Error(`the example shows ${text}, it gives ${JSON.stringify(values)}`);
  }
}

function decimals(number: string): number {
  const [mantissa, exponent = '0'] = number.split('e');
  return (mantissa.split('.')[1] ?? '').length - Number(exponent);
}

function flatten(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (value instanceof tf.Tensor) return [...value.dataSync()];
  if (value !== null && typeof value === 'object' && 'data' in value) return flatten(value.data);
  return Array.from(value as Iterable<unknown>).flatMap(flatten);
}
