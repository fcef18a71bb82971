import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  FlowError,
  importCheckpoint,
  inspectCheckpoint,
  RandomStream,
  readIdx,
  readNpy,
  readNpz,
  writeNpy,
  writeSafetensors,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../support/fixture';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A copy with one damage: a flipped bit, an end cut off, four bytes of a length, a piece repeated or left out. */
function damaged(bytes: Uint8Array, random: RandomStream): Uint8Array {
  // Headers and directories stand at the ends, and decide more than values do.
  const near = Math.min(bytes.length, 400);
  const at = [random.integer(near), bytes.length - 1 - random.integer(near), random.integer(bytes.length)][
    random.integer(3)
  ];
  const copy = Uint8Array.from(bytes);
  switch (random.integer(5)) {
    case 0:
      copy[at] ^= 1 << random.integer(8);
      return copy;
    case 1:
      return copy.subarray(0, at);
    case 2:
      copy.set(
        [
          [0, 0, 0, 0],
          [255, 255, 255, 255],
          [255, 255, 255, 127],
          [0, 0, 16, 0],
        ][random.integer(4)].slice(0, bytes.length - at),
        at,
      );
      return copy;
    case 3:
      return Uint8Array.from([
        ...copy.subarray(0, at),
        ...copy.subarray(Math.max(0, at - random.integer(64))),
      ]);
    default:
      return Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(at + random.integer(16))]);
  }
}

/** Reads all there is; what names and sizes say of a model is tried as well. */
async function readCheckpoint(bytes: Uint8Array): Promise<void> {
  const { tensors } = inspectCheckpoint(bytes);
  expect(Array.isArray(tensors)).toBe(true);
  (await importCheckpoint(bytes, { imageShape: undefined })).dispose();
}

const own = JSON.stringify({
  className: 'FlowGlow',
  config: {
    imageShape: [2, 2, 1],
    levels: 1,
    stepsPerLevel: 1,
    hiddenChannels: 2,
    classes: 0,
    learnTop: false,
  },
});
const files: [string, Uint8Array, (bytes: Uint8Array) => unknown][] = [
  ['a Glow in PyTorch form', fixture('glow/chaiyujin_affine_lu_top/checkpoint.pt'), readCheckpoint],
  [
    'a Glow in the older PyTorch form',
    fixture('glow/chaiyujin_affine_invconv/checkpoint_legacy.pt'),
    readCheckpoint,
  ],
  ['a Glow in npz', fixture('glow/chaiyujin_affine_invconv/weights.npz'), readCheckpoint],
  ['objects beside weights', fixture('pytorch/beside_protocol4.pt'), readCheckpoint],
  ['a whole model', fixture('pytorch/whole.pt'), readCheckpoint],
  ['arrays in a pickle', fixture('pytorch/arrays_protocol2.pkl'), readCheckpoint],
  [
    'safetensors of this library',
    writeSafetensors(
      { 'bijector/x': { shape: [4], data: new Float32Array(4) } },
      { format: 'tfjs-flows', version: '1', module: own, initialized: 'true' },
    ),
    readCheckpoint,
  ],
  ['npz', fixture('numpy/deflated.npz'), (bytes) => Object.values(readNpz(bytes))],
  ['npy', writeNpy({ shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6]) }), readNpy],
  ['idx with gzip', fixture('../../examples/data/fashion-mnist-2000-labels-idx1-ubyte.gz'), readIdx],
];

describe('files with a damage at a random place', () => {
  it.each(files)(
    '%s: read, or refused by an error of ours, and nothing is left',
    async (name, bytes, read) => {
      const random = new RandomStream(name);
      const before = tf.memory().numTensors;
      let refused = 0;
      for (let i = 0; i < 60; i++) {
        const file = damaged(bytes, random);
        try {
          await read(file);
        } catch (error) {
          if (!(error instanceof FlowError)) throw new Error(`damage ${i} of ${name}`, { cause: error });
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(10);
      expect(tf.memory().numTensors).toBe(before);
    },
  );
});

describe('small files that ask for much', () => {
  const value = { shape: [1], data: Float32Array.of(1) };
  const named = (...names: string[]) =>
    writeSafetensors(Object.fromEntries(names.map((name) => [name, value])));
  it.each<[string, Uint8Array, RegExp]>([
    [
      'layer 60,000,000 of chaiyujin',
      named('flow.layers.60000000.actnorm.bias', 'flow.layers.1.actnorm.bias', 'flow.layers.1.f.4.bias'),
      /layers that each have a tensor among 3/,
    ],
    [
      'block 60,000,000 of rosinality',
      named(
        'blocks.60000000.flows.0.actnorm.loc',
        'blocks.0.flows.0.actnorm.loc',
        'blocks.0.flows.0.coupling.net.4.scale',
      ),
      /layers that each have a tensor among 3/,
    ],
    [
      'channels without values',
      writeSafetensors({
        'flow.layers.1.actnorm.bias': { shape: [1, 4e9, 0], data: new Float32Array(0) },
        'flow.layers.1.f.4.bias': { shape: [4e9, 0], data: new Float32Array(0) },
        'flow.layers.1.f.0.weight': { shape: [4e9, 0], data: new Float32Array(0) },
        'flow.layers.1.invconv.weight': { shape: [4e9, 0], data: new Float32Array(0) },
        prior_h: { shape: [1, 1, 4, 4, 0], data: new Float32Array(0) },
      }),
      /parameters that fit|sizes of a Glow/,
    ],
  ])('%s', async (_, bytes, message) => {
    await expect(importCheckpoint(bytes)).rejects.toThrow(FlowError);
    await expect(importCheckpoint(bytes)).rejects.toThrow(message);
  });
});
