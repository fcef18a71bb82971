import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ConfigError,
  FormatError,
  type Glow,
  type GlowOptions,
  importCheckpoint,
  inspectCheckpoint,
  type NdArray,
  readNpz,
  writeNpz,
  writeSafetensors,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors, tidyWaiting } from '../support/leaks';
import { fixture, importOptions, loadReference } from './reference';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type State = Record<string, NdArray>;
const stateOf = (name: string): State => readNpz(fixture(name, 'weights.npz'));
const float = (array: NdArray) => ({ shape: array.shape, data: Float32Array.from(array.data) });

function weightsOf(glow: Glow): Record<string, number[]> {
  return Object.fromEntries(glow.weights.map(({ name, variable }) => [name, [...variable.dataSync()]]));
}

describe('configuration from names and shapes', () => {
  it.each([
    [
      'chaiyujin_affine_invconv',
      {
        imageShape: [16, 16, 3],
        levels: 3,
        stepsPerLevel: 2,
        hiddenChannels: 16,
        lu: false,
        learnTop: false,
      },
    ],
    [
      'chaiyujin_affine_lu_top',
      { imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 3, hiddenChannels: 8, lu: true, learnTop: true },
    ],
    [
      'chaiyujin_additive_reverse_ycond',
      { imageShape: [8, 8, 3], permutation: 'reverse', coupling: 'additive', classes: 5, multiLabel: true },
    ],
    [
      'rosinality_affine_lu',
      { levels: 2, stepsPerLevel: 2, hiddenChannels: 24, coupling: 'affine', nBits: 5, learnTop: 'border' },
    ],
  ])('%s', async (name, expected) => {
    const { glow } = await loadReference(name, 'checkpoint.pt');
    expect(glow.getConfig()).toMatchObject(expected);
    glow.dispose();
    const info = inspectCheckpoint(fixture(name, 'checkpoint.pt'));
    expect(info.library).toBe(name.split('_')[0]);
    const { nBits: _, multiLabel: __, ...structure } = expected as GlowOptions;
    // Reversals and shuffles look alike.
    if (structure.permutation === 'reverse') structure.permutation = undefined;
    expect(info.config).toMatchObject(structure);
    expect(info.skipped).toEqual(name.startsWith('chai') ? ['global_step', 'optim', 'criterion'] : []);
  });

  it('asks for the size of images where the file keeps none, and checks it where it does', async () => {
    const rosinality = fixture('rosinality_affine_lu', 'checkpoint.pt');
    await expect(importCheckpoint(rosinality)).rejects.toThrow(ConfigError);
    await expect(importCheckpoint(rosinality)).rejects.toThrow(/imageShape \[h, w, 3\].*default is 64/);
    await expect(importCheckpoint(rosinality, { imageShape: [16, 16, 1] })).rejects.toThrow(
      /as the file says, got \[16, 16, 1\]/,
    );
    const chaiyujin = fixture('chaiyujin_affine_invconv', 'checkpoint.pt');
    await expect(importCheckpoint(chaiyujin, { imageShape: [32, 32, 3] })).rejects.toThrow(
      /imageShape \[16, 16, 3\]/,
    );
  });

  it('takes names with `module.` and any container', async () => {
    await leavesNoTensors(async () => {
      const state = stateOf('rosinality_affine_lu');
      const prefixed = Object.fromEntries(
        Object.entries(state).map(([name, array]) => [`module.${name}`, float(array)]),
      );
      const options = importOptions('rosinality_affine_lu');
      const plain = await importCheckpoint(writeNpz(state), options);
      const parallel = await importCheckpoint(writeSafetensors(prefixed), options);
      expect(weightsOf(parallel)).toEqual(weightsOf(plain));
      plain.dispose();
      parallel.dispose();
    });
  });
});

describe('parameters that do not fit', () => {
  it('are all reported at once, by name', async () => {
    await leavesNoTensors(async () => {
      const {
        'flow.layers.2.f.0.weight': _,
        'flow.layers.4.conv.bias': __,
        ...state
      } = stateOf('chaiyujin_affine_lu_top');
      state['flow.layers.3.actnorm.logs'] = { shape: [1, 5, 1, 1], data: new Float32Array(5) };
      state['flow.layers.99.extra'] = { shape: [1], data: new Float32Array(1) };
      const attempt = () => importCheckpoint(writeNpz(state), { library: 'chaiyujin' });
      await expect(attempt).rejects.toThrow(FormatError);
      await expect(attempt).rejects.toThrow(
        /^importCheckpoint: expected 102 parameters that fit, got 4 that do not: flow\.layers\.2\.f\.0\.weight is missing; flow\.layers\.3\.actnorm\.logs is \[1, 5, 1, 1\] instead of \[1, 4, 1, 1\]; flow\.layers\.4\.conv\.bias is missing; flow\.layers\.99\.extra is unknown\./,
      );
    });
  });

  it('a part of a state dict is named as one, by a name that it lacks', async () => {
    const part = { 'blocks.0.flows.0.actnorm.loc': { shape: [1, 12, 1, 1], data: new Float32Array(12) } };
    await expect(importCheckpoint(writeSafetensors(part), { imageShape: [8, 8, 3] })).rejects.toThrow(
      /a parameter named like 'blocks\.0\.flows\.0\.coupling\.net\.4\.conv\.bias', got none among 1\. .* a part of a checkpoint\?/,
    );
  });

  it('names of no known code are an error that shows them', async () => {
    const file = writeNpz({ 'encoder.weight': { shape: [1], data: new Float32Array(1) } });
    await expect(importCheckpoint(file)).rejects.toThrow(
      /expected the parameter names of .*got names encoder\.weight/,
    );
    expect(inspectCheckpoint(file)).toMatchObject({ container: 'npz', values: 1 });
  });
});

describe('rosinality', () => {
  it('writes a negative actnorm scale as the sign of a row of the matrix', async () => {
    await tidyWaiting(async () => {
      const state = stateOf('rosinality_affine_lu');
      const options = importOptions('rosinality_affine_lu');
      const image = tf.randomNormal([2, 16, 16, 3], 0, 0.2, 'float32', 3);
      const before = await importCheckpoint(writeNpz(state), options);
      const expected = before.bijector.forward(tf.add(tf.mul(image, 16), 16));
      // Negating scale and the matrix's column that meets it changes nothing.
      const scale = state['blocks.0.flows.1.actnorm.scale'];
      scale.data[3] *= -1;
      for (const name of ['w_l', 'w_u', 'w_s', 'w_p', 's_sign'])
        delete state[`blocks.0.flows.1.invconv.${name}`];
      const matrix = matrixOf(before, 'level0/step1');
      const weight = Float32Array.from({ length: 144 }, (_, at) => {
        const [output, input] = [Math.floor(at / 12), at % 12];
        return (input === 3 ? -1 : 1) * matrix[input * 12 + output];
      });
      state['blocks.0.flows.1.invconv.weight'] = { shape: [12, 12, 1, 1], data: weight };
      const after = await importCheckpoint(writeNpz(state), options);
      expect(after.getConfig()).toMatchObject({ lu: false });
      const received = after.bijector.forward(tf.add(tf.mul(image, 16), 16));
      expectNear(received.value, expected.value, 1e-4);
      expectNear(received.logDet, expected.logDet, 1e-2);
      before.dispose();
      after.dispose();
    });
  });
});

/** The 1x1 matrix of an imported Glow, y = x W. */
function matrixOf(glow: Glow, place: string): number[] {
  const part = (name: string) =>
    glow.weights.find((weight) => weight.name.endsWith(`${place}/invconv/${name}`))!.variable;
  const eye = tf.eye(12);
  const lower = tf.add(part('lower'), eye);
  const upper = tf.add(part('upper'), tf.mul(eye, tf.mul(part('sign'), tf.exp(part('logScale')))));
  return [...tf.matMul(part('permutation') as never, tf.matMul(lower as never, upper as never)).dataSync()];
}

function expectNear(received: tf.Tensor, expected: tf.Tensor, tolerance: number): void {
  expect(tf.max(tf.abs(tf.sub(received, expected))).dataSync()[0]).toBeLessThan(tolerance);
}
