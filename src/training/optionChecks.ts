import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { named } from '../core/numbers';

/*
 * What the options of training have in common. Programs in JavaScript have no type checker: whatever stands in an option is looked at.
 */

/** Throws a ConfigError where data stand in the place of options, as labels do in `model.fit(x, y, { epochs })` of tfjs-layers. */
export function checkNoData(where: string, options: unknown, surplus: readonly unknown[]): void {
  const hint = 'Labels go in as { x, y }.';
  if (options instanceof tf.Tensor || Array.isArray(options) || ArrayBuffer.isView(options)) {
    const received = options instanceof tf.Tensor ? 'a tensor' : named(options)[0];
    throw new ConfigError(complaint(where, 'an object of options', received, hint));
  }
  if (surplus.length > 0) {
    throw new ConfigError(complaint(where, 'data and options', 'one argument more', hint));
  }
}

/** Throws a ConfigError unless `value` is a finite number above 0. */
export function checkPositive(where: string, name: string, value: unknown): void {
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return;
  throw new ConfigError(complaint(where, `${name} > 0`, shown(value)));
}

/** Throws a ConfigError unless `value` is true or false. */
export function checkFlag(where: string, name: string, value: unknown): void {
  if (typeof value !== 'boolean') {
    throw new ConfigError(complaint(where, `${name} to be true or false`, shown(value)));
  }
}

/** Throws a ConfigError unless `value` can seed a random stream. */
export function checkSeed(where: string, value: unknown): void {
  if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))) return;
  throw new ConfigError(complaint(where, 'a seed that is a number or a text', shown(value)));
}

/** Throws a ConfigError unless `value` is a function. */
export function checkFunction(where: string, name: string, value: unknown): void {
  if (typeof value !== 'function') {
    throw new ConfigError(complaint(where, `${name} to be a function`, shown(value)));
  }
}

/** What came, in words; plain numbers as they are. */
export function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : named(value)[0];
}
