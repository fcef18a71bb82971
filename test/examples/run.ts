import * as tf from '@tensorflow/tfjs-core';
import { transform } from 'esbuild';
import { expectShown, withChecks } from './shownValues';

/** Names that an example finds defined. */
export type Scope = Record<string, unknown>;

type AsyncFunction = (...values: unknown[]) => Promise<unknown>;
const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => AsyncFunction;

/**
 * Runs TypeScript text in a scope, silently. A line `expression; // value` must give that value, to the digits shown.
 *
 * Imports of the library are dropped: its names are in the scope.
 */
export async function runExample(code: string, scope: Scope): Promise<void> {
  const text = code.replace(/^import [^;]*?'(tfjs-flows|@tensorflow)[^']*';$/gm, '');
  const { code: script } = await transform(withChecks(text), {
    loader: 'ts',
    target: 'es2022',
    format: 'esm',
  });
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
