import * as tf from '@tensorflow/tfjs-core';

/** `expression; // value`, where the value is a number or an array of numbers. */
const shown =
  /^(?!const |let )([A-Za-z][^;\n]*?)(?:\.print\(\))?; \/\/ (-?\d[\d.e-]*|\[[-\d., e[\]]*\])(?=$|,| )/gm;

/** The code with a check in place of every line `expression; // value`. */
export function withChecks(code: string): string {
  return code.replace(shown, (_, expression, value) => `expectShown(await (${expression}), '${value}');`);
}

/** Throws unless `received` is the number or the array of numbers that `text` shows, to the digits shown. */
export function expectShown(received: unknown, text: string): void {
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
