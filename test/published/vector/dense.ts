import * as tf from '@tensorflow/tfjs-core';
import type { Module } from 'tfjs-flows';
import type { Arrays } from './arrays';

/** A fully connected layer as PyTorch has it: a row of weights for each output. */
export interface Dense {
  rows: number[][];
  bias: number[];
  /** Which of its inputs each output may read; all where there is none. */
  mask?: boolean[][];
}

/** A layer of a file, its weights 0 where a mask says so. */
export function readDense(arrays: Arrays): Dense {
  const rows = arrays.rows('weight');
  const bias = arrays.values('bias');
  if (!arrays.has('mask')) return { rows, bias };
  const mask = arrays.rows('mask').map((row) => row.map((entry) => entry !== 0));
  return { rows: rows.map((row, o) => row.map((weight, i) => (mask[o][i] ? weight : 0))), bias, mask };
}

/** The outputs in another order, or some of them: output k is the old output `places[k]`. */
export function takeOutputs({ rows, bias, mask }: Dense, places: readonly number[]): Dense {
  const take = <T>(list: T[]) => places.map((place) => list[place]);
  return { rows: take(rows), bias: take(bias), mask: mask && take(mask) };
}

/** The outputs times factors, plus offsets. */
export function mapOutputs(
  dense: Dense,
  map: (output: number) => { factor?: number; offset?: number },
): Dense {
  const maps = dense.bias.map((_, output) => map(output));
  return {
    ...dense,
    rows: dense.rows.map((row, o) => row.map((weight) => weight * (maps[o].factor ?? 1))),
    bias: dense.bias.map((value, o) => value * (maps[o].factor ?? 1) + (maps[o].offset ?? 0)),
  };
}

/** Two layers whose results are added, as one that reads the inputs of both. */
export function joined(one: Dense, other: Dense): Dense {
  return {
    rows: one.rows.map((row, o) => [...row, ...other.rows[o]]),
    bias: one.bias.map((value, o) => value + other.bias[o]),
    mask: one.mask?.map((row, o) => [...row, ...other.rows[o].map(() => true)]),
  };
}

/** The weights of a layer under our names, `${kernel}` being [inputs, outputs]. */
export function asWeights({ rows, bias }: Dense, kernel: string, biasName: string): Record<string, number[]> {
  return { [kernel]: rows[0].flatMap((_, i) => rows.map((row) => row[i])), [biasName]: bias };
}

/** Sets every weight of a module by its name; all of them must be given, and no others. */
export function setWeights(module: Module, values: Readonly<Record<string, readonly number[]>>): void {
  const names = module.weights.map(({ name }) => name);
  const given = Object.keys(values);
  if ([...names].sort().join() !== [...given].sort().join())
    throw new Error(`expected ${names}, got ${given}`);
  for (const { name, variable } of module.weights) {
    tf.tidy(() => variable.assign(tf.tensor([...values[name]], variable.shape)));
  }
  module.markInitialized();
}
