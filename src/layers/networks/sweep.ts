import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, flatContext } from '../../core/context';
import { largest } from '../../core/lists';
import { ChannelOrder } from '../channelOrder';
import { type Activation, activations } from './activations';
import { combine, type DenseStack } from './denseStack';
import { featuresOf } from './perceptronOptions';

/*
 * Values found one after another, each by what a masked network says of those before it, in about the work of one pass of the network:
 * in every step only those hidden units are computed that nothing unknown reaches and that were not computed before.
 */

/**
 * A masked network taken apart for one context and batch; plain data and tensors of the present tidy.
 *
 *     r_i = (W_i a?(r_{i-1}) * dropout_i) gate_i + offset_i  [+ r_skip],    in the first layer of the values' features
 *
 * Units of level l depend on values of levels below l alone, and so do the outputs of a value of level l.
 */
export interface Sweep {
  activation: Activation;
  /** Where the first layer reads sine and cosine of a value side by side: their period. */
  periodic?: number;
  /** For each value the step in which it becomes known, from 0. */
  levels: readonly number[];
  outputsPerValue: number;
  layers: readonly SweepLayer[];
}

/** One layer of a {@link Sweep}. */
export interface SweepLayer {
  /** [features of the values, or units before; units], 0 where masked. */
  kernel: tf.Tensor2D;
  /** Bias and context: [units], or [n, units]. */
  offset: tf.Tensor;
  /** What the context multiplies by, [n, units]. */
  gate?: tf.Tensor;
  /** What it multiplies what it reads by in a training step, [n, units before]. */
  dropout?: tf.Tensor;
  /** Whether it reads through the activation. */
  activated: boolean;
  /** The earlier layer whose result is added to that of this one. */
  skip?: number;
  /** Level of every unit; of the outputs, those of the values. */
  levels: readonly number[];
}

/**
 * The sweep of a stack of layers.
 *
 * @param levels of every value, of `outputsPerValue` outputs each
 * @param unitLevels of the units of every layer, the outputs at last
 */
export function takeApart(
  stack: DenseStack,
  { levels, outputsPerValue }: Pick<Sweep, 'levels' | 'outputsPerValue'>,
  unitLevels: readonly (readonly number[])[],
  n: number,
  context: ContextTensors | undefined,
): Sweep {
  const { activation, periodic, featuresPerValue } = stack.settings;
  const given = flatContext(context);
  const dropouts = stack.dropoutMasks(n);
  const layers = stack.layers.map((layer, i): SweepLayer => {
    const { activated, skip } = layer;
    const { offset, gate } = stack.condition(layer, given);
    const own = { gate, dropout: dropouts[i], activated, skip, levels: unitLevels[i] };
    if (i > 0 || !stack.joinsContext) return { kernel: layer.kernel, offset, ...own };
    const features = featuresPerValue * levels.length;
    const [kernel, ofContext] = tf.split(layer.kernel, [features, layer.inputs - features]) as tf.Tensor2D[];
    return { kernel, offset: tf.add(tf.matMul(given as tf.Tensor2D, ofContext), offset), ...own };
  });
  return { activation, periodic, levels, outputsPerValue, layers };
}

/** Values [n, k] of one level and the log-derivatives there, from latents [n, k] and parameters [n, k * outputsPerValue]. */
export type Step = (y: tf.Tensor, parameters: tf.Tensor) => { value: tf.Tensor; logDerivative: tf.Tensor };

/**
 * All values, level by level, by ordinary ops: differentiable, and nothing is read that is not known yet.
 *
 * @param y [n, d]
 * @returns value and logDerivative [n, d]
 */
export function runSweep(sweep: Sweep, y: tf.Tensor, step: Step): ReturnType<Step> {
  const { activation, periodic, levels } = sweep;
  const n = y.shape[0];
  const places = grouped(levels);
  const layers = sortLayers(sweep);
  const latents = sorted(y, places);
  const parts: ReturnType<Step>[] = [];
  /** What every layer can read so far, as it reads it. */
  const read = new Array<tf.Tensor | undefined>(layers.length).fill(undefined);
  for (let level = 0; level < places.begins.length - 1; level++) {
    const results: (tf.Tensor | undefined)[] = [];
    layers.forEach((layer, i) => {
      const before = i === 0 ? featuresOfKnown(parts[level - 1]?.value, periodic) : results[i - 1];
      if (before !== undefined) {
        const active = layer.activated ? activations[activation](before) : before;
        const known = read[i]?.shape[1] ?? 0;
        const dropout = layer.dropout && columns(layer.dropout, known, before.shape[1] as number);
        const next = dropout === undefined ? active : tf.mul(active, dropout);
        read[i] = read[i] === undefined ? next : tf.concat([read[i] as tf.Tensor, next], 1);
      }
      results.push(unitsOf(layer, level, read[i], results, n));
    });
    const [begin, end] = [places.begins[level], places.begins[level + 1]];
    parts.push(step(columns(latents, begin, end - begin), results[results.length - 1] as tf.Tensor));
  }
  const back = (name: 'value' | 'logDerivative') => {
    const all =
      parts.length === 1
        ? parts[0][name]
        : tf.concat(
            parts.map((part) => part[name]),
            1,
          );
    return places.order?.undo(all) ?? all;
  };
  return { value: back('value'), logDerivative: back('logDerivative') };
}

/** Entries in groups one after another: their order, where they do not stand so, and where each group begins, the end at last. */
interface Groups {
  order?: ChannelOrder;
  begins: number[];
}

type SortedLayer = Omit<SweepLayer, 'levels'> & { begins: number[] };

/** The layers with units in the order of their levels. */
function sortLayers({ layers, levels, periodic }: Sweep): SortedLayer[] {
  const features = levels.flatMap((level) => (periodic === undefined ? [level] : [level, level]));
  const count = largest(levels) + 1;
  let before = grouped(features, count);
  return layers.map((layer) => {
    const units = grouped(layer.levels, count);
    const { kernel, offset, gate, dropout, activated, skip } = layer;
    const placed = {
      kernel: sorted(sortedRows(kernel, before), units),
      offset: sorted(offset, units),
      gate: gate && sorted(gate, units),
      dropout: dropout && sorted(dropout, before),
      activated,
      skip,
      begins: units.begins,
    };
    before = units;
    return placed;
  });
}

/** The units of one level, [n, units]; undefined where there are none. */
function unitsOf(
  { kernel, offset, gate, skip, begins }: SortedLayer,
  level: number,
  read: tf.Tensor | undefined,
  results: readonly (tf.Tensor | undefined)[],
  n: number,
): tf.Tensor | undefined {
  const begin = begins[level];
  const size = begins[level + 1] - begin;
  if (size === 0) return undefined;
  const own =
    offset.rank === 1 ? tf.slice1d(offset as tf.Tensor1D, begin, size) : columns(offset, begin, size);
  const ofContext = { offset: own, gate: gate && columns(gate, begin, size) };
  const result =
    read === undefined
      ? tf.broadcastTo(own, [n, size])
      : combine(
          tf.matMul(read as tf.Tensor2D, tf.slice2d(kernel, [0, begin], [read.shape[1] as number, size])),
          ofContext,
        );
  return skip === undefined ? result : tf.add(results[skip] as tf.Tensor, result);
}

function featuresOfKnown(x: tf.Tensor | undefined, periodic: number | undefined): tf.Tensor | undefined {
  return x && featuresOf(x, periodic);
}

function grouped(levels: readonly number[], count = largest(levels) + 1): Groups {
  const order = Int32Array.from(levels.keys()).sort((a, b) => levels[a] - levels[b] || a - b);
  const begins = Array.from(
    { length: count + 1 },
    (_, level) => levels.filter((other) => other < level).length,
  );
  return order.every((place, i) => place === i) ? { begins } : { order: new ChannelOrder(order), begins };
}

function sorted<T extends tf.Tensor>(x: T, { order }: Groups): T {
  return (order?.apply(x) as T | undefined) ?? x;
}

function sortedRows(x: tf.Tensor2D, { order }: Groups): tf.Tensor2D {
  return order === undefined ? x : tf.transpose(order.apply(tf.transpose(x)) as tf.Tensor2D);
}

function columns(x: tf.Tensor, begin: number, size: number): tf.Tensor {
  return tf.slice2d(x as tf.Tensor2D, [0, begin], [x.shape[0], size]);
}
