import type { TensorInfo } from '@tensorflow/tfjs-core';
import { BackendError, complaint } from '../core/errors';
import { heldValues } from '../engine/hostValues';
import type { PerceptronPlan } from '../layers/networks/fusedPerceptron';
import {
  outputsOf,
  type PerceptronAttributes,
  type PerceptronTensors,
  perceptronTensors,
} from '../layers/networks/perceptronTensors';
import type { Range } from './backend';
import type { Gpu } from './gpu';
import { MOST_LAYERS, TILE_ROWS } from './perceptronCode';
import { backward, gradientTiles, weightGradients } from './perceptronGradients';
import { layoutOf } from './perceptronLayout';
import { placesInWords } from './perceptronPlaces';
import { forward, packing } from './perceptronPrograms';
import { type KernelCall, registerGpuKernel } from './register';
import { flatGroups, MOST_WORKGROUPS } from './wgsl';

/** Workgroups that keep a GPU busy; without a tape each has records of its own, which it uses again. */
const BUSY = 512;

/** What programs read of a plan beside weights, by GPU: it is written once, and goes with the plan. */
const constants = new WeakMap<PerceptronPlan, { gpu: Gpu; range: Range }>();

/** The places of all layers, then their masks. */
function constantsOf(gpu: Gpu, plan: PerceptronPlan, { layers }: PerceptronTensors): Range {
  const known = constants.get(plan);
  if (known?.gpu === gpu) return known.range;
  const layout = layoutOf(plan);
  const range = gpu.constant(placesInWords(layout.layers), layout.constantWords);
  const masks = layers.flatMap(({ mask }) => mask ?? []);
  for (const [i, at] of layout.masks.entries()) gpu.copy(masks[i], range, at * 4);
  constants.set(plan, { gpu, range });
  return range;
}

/** Calls `run` for so many layers at a time as a program can bind. */
function inGroups<T>(layers: readonly T[], run: (group: readonly T[], first: number) => void): void {
  for (let first = 0; first < layers.length; first += MOST_LAYERS) {
    run(layers.slice(first, first + MOST_LAYERS), first);
  }
}

function variantOf({ activation, context }: PerceptronPlan) {
  return { activation, context: context > 0 };
}

function packWeights(
  gpu: Gpu,
  plan: PerceptronPlan,
  tensors: PerceptronTensors,
  packed: TensorInfo,
  turned: boolean,
): void {
  const range = constantsOf(gpu, plan, tensors);
  inGroups(tensors.layers, (group, first) => {
    const weights = group.flatMap(({ kernel, bias }) => [kernel, bias]);
    const count = group.reduce((sum, { kernel: { shape } }) => sum + (shape[0] + 1) * shape[1], 0);
    gpu.run(packing(group.length, plan.masked), [...weights, range, packed], flatGroups(count), [
      first,
      Number(turned),
    ]);
  });
}

/** Rows in tiles, whose records lie in slots; each workgroup takes one tile after another. */
function tilesOf(rows: number, most: number) {
  const tiles = Math.ceil(rows / TILE_ROWS);
  return { tiles, groups: Math.min(tiles, most) };
}

function sizesOf(
  plan: PerceptronPlan,
  { sources }: PerceptronTensors,
  slots: number,
  record: number,
): number[] {
  const { layers, values, joined, context } = layoutOf(plan);
  const [rows, columns] = sources[0].shape;
  return [rows, slots, record, layers.length, columns, values, plan.context, joined, context];
}

/** What the gradient needs of the way forward. */
export interface Kept {
  packed: TensorInfo;
  records: TensorInfo;
}

/** Computes the output into a tensor. */
export function runPerceptron(
  gpu: Gpu,
  plan: PerceptronPlan,
  tensors: PerceptronTensors,
  output: TensorInfo,
): void {
  const { plainQuads, forwardQuads } = layoutOf(plan);
  const { groups } = tilesOf(tensors.sources[0].shape[0], BUSY);
  gpu.withScratch([4 * plainQuads, 4 * groups * TILE_ROWS * forwardQuads], (packed, records) => {
    packWeights(gpu, plan, tensors, packed, false);
    runForward(gpu, plan, tensors, { packed, records }, output, {
      slots: groups,
      groups,
      record: forwardQuads,
    });
  });
}

/** Computes the output into a tensor, and keeps what the gradient needs. */
export function runKeptPerceptron(
  gpu: Gpu,
  plan: PerceptronPlan,
  tensors: PerceptronTensors,
  output: TensorInfo,
): Kept {
  const { packedQuads, recordQuads } = layoutOf(plan);
  const { tiles, groups } = tilesOf(tensors.sources[0].shape[0], MOST_WORKGROUPS);
  const kept = {
    packed: gpu.output([4 * packedQuads]),
    records: gpu.output([4 * tiles * TILE_ROWS * recordQuads]),
  };
  packWeights(gpu, plan, tensors, kept.packed, true);
  runForward(gpu, plan, tensors, kept, output, { slots: tiles, groups, record: recordQuads });
  return kept;
}

function runForward(
  gpu: Gpu,
  plan: PerceptronPlan,
  tensors: PerceptronTensors,
  { packed, records }: Kept,
  output: TensorInfo,
  { slots, groups, record }: Record<'slots' | 'groups' | 'record', number>,
): void {
  const { sources, layers, share } = tensors;
  const drops = share < 1;
  const program = forward(variantOf(plan), drops);
  const given = [...sources, packed, constantsOf(gpu, plan, tensors)];
  const sizes = [...sizesOf(plan, tensors, slots, record), ...(drops ? [1 / share] : [])];
  const run = (...dropped: TensorInfo[]) =>
    gpu.run(program, [...given, ...dropped, records, output], [groups, 1, 1], sizes);
  const masks = layers.flatMap(({ dropout }) => dropout ?? []);
  if (drops) gpu.withWords(bitsOf(masks.map(hostMask)), run);
  else run();
}

/** Values of a mask: they were drawn on the host, and are sent as bits. */
function hostMask(mask: TensorInfo): ArrayLike<number> {
  const values = heldValues(mask);
  if (values !== undefined) return values;
  throw new BackendError(complaint('FlowPerceptron', 'masks of dropout with values on the host', 'others'));
}

/** A bit for each value, 1 where it is not 0; no word less than one. */
function bitsOf(lists: readonly ArrayLike<number>[]): Int32Array {
  const count = lists.reduce((sum, { length }) => sum + length, 0);
  const words = new Int32Array(Math.max(1, Math.ceil(count / 32)));
  let bit = 0;
  for (const values of lists) {
    for (let i = 0; i < values.length; i++, bit++) if (values[i] !== 0) words[bit >> 5] |= 1 << (bit & 31);
  }
  return words;
}

/**
 * Gradients in x, the context and every weight, from that in the output. Writes into the records what only it reads.
 *
 * @param direct the gradient in x by what else is made of it
 */
export function runPerceptronGradient(
  gpu: Gpu,
  plan: PerceptronPlan,
  tensors: PerceptronTensors,
  { packed, records }: Kept,
  dy: TensorInfo,
  direct?: TensorInfo,
): TensorInfo[] {
  const { sources, weights, layers, share } = tensors;
  const { recordQuads, inputGradient, contextGradient, layers: places } = layoutOf(plan);
  const [ofSources, ofWeights] = [sources, weights].map((list) => list.map(({ shape }) => gpu.output(shape)));
  const { tiles, groups } = tilesOf(sources[0].shape[0], MOST_WORKGROUPS);
  const range = constantsOf(gpu, plan, tensors);
  const sizes = [...sizesOf(plan, tensors, tiles, recordQuads), inputGradient, contextGradient];
  const adds = direct !== undefined;
  const buffers = [dy, packed, range, ...(adds ? [direct] : []), records, ...ofSources];
  gpu.run(backward(variantOf(plan), share < 1, adds), buffers, [groups, 1, 1], sizes);
  const gradientOf = new Map(weights.map((weight, i) => [weight, ofWeights[i]]));
  inGroups(layers, (group, first) => {
    const outputs = group.flatMap(({ kernel, bias }) =>
      [kernel, bias].map((weight) => gradientOf.get(weight) as TensorInfo),
    );
    const count = group.reduce((sum, _, i) => sum + gradientTiles(places[first + i]), 0);
    const program = weightGradients(group.length, plan.masked);
    gpu.run(program, [records, range, ...outputs], flatGroups(count, 1), [
      sources[0].shape[0],
      recordQuads,
      first,
    ]);
  });
  return [...ofSources, ...ofWeights];
}

/** [x, context?, ...weights, ...masks, ...dropout] -> the output, and what the gradient needs where that is kept. */
function perceptron({
  inputs,
  attrs,
  gpu,
}: KernelCall<TensorInfo[], PerceptronAttributes & { taped: boolean }>): TensorInfo[] {
  const { plan, taped } = attrs;
  const tensors = perceptronTensors(inputs, attrs);
  const output = gpu.output([tensors.sources[0].shape[0], outputsOf(plan)]);
  if (!taped) {
    runPerceptron(gpu, plan, tensors, output);
    return [output];
  }
  const { packed, records } = runKeptPerceptron(gpu, plan, tensors, output);
  return [output, packed, records];
}

/** [dy, x, context?, ...weights, ...masks, ...dropout, packed, records] -> gradients in x, the context and every weight. */
function perceptronGradient({
  inputs,
  attrs,
  gpu,
}: KernelCall<TensorInfo[], PerceptronAttributes>): TensorInfo[] {
  const [dy, ...others] = inputs;
  const tensors = perceptronTensors(others, attrs);
  const [packed, records] = tensors.rest;
  return runPerceptronGradient(gpu, attrs.plan, tensors, { packed, records }, dy);
}

/** FlowPerceptron and its gradient. */
export function registerPerceptron(): void {
  registerGpuKernel('FlowPerceptron', perceptron);
  registerGpuKernel('FlowPerceptronGradient', perceptronGradient);
}
