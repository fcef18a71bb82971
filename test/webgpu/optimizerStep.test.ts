import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { AveragedWeights, RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { SEGMENT } from '../../src/core/kernelConstants';
import { hostValues } from '../../src/engine/hostValues';
import { clipByGlobalNorm, globalNorm } from '../../src/training/clipping';
import { compactStep } from '../../src/training/compactStep';
import {
  type AdaptiveStep,
  fusedAdaptiveStep,
  fusedAdaptiveStepBack,
} from '../../src/training/fusedAdaptiveStep';
import {
  type CompactStep,
  fusedCompactStep,
  fusedCompactStepBack,
} from '../../src/training/fusedCompactStep';
import { stopSharing } from '../../src/training/slots';
import { stepScale } from '../../src/training/stepScale';
import { relativeDifference } from '../support/agreement';
import * as reference from '../wasm/flowReferences';
import { hasAdapter } from './adapter';
import { activate, countDispatches } from './onBoth';

const constants: Omit<AdaptiveStep, 'kind'> = {
  learningRate: 0.02,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-7,
  bias1: 0.271,
  bias2: 0.003,
};
// One value, a multiple of four, odd ones, more than a workgroup, nothing.
const SHAPES = [[1], [3, 5], [64], [0, 3], [4099], [2, 3, 7], []];

/** Weights, moments and gradients of a small model. */
function state(shapes = SHAPES) {
  const random = new RandomStream(4);
  const list = (make: (shape: number[]) => tf.Tensor) =>
    tf.tidy(() => shapes.map((shape) => tf.variable(make(shape))));
  return {
    weight: list((shape) => random.normal(shape)),
    first: list((shape) => random.normal(shape)),
    second: list((shape) => tf.abs(random.normal(shape))),
    gradients: shapes.map((shape) => random.normal(shape)),
  };
}

type State = ReturnType<typeof state>;

const all = ({ weight, first, second }: State) => [...weight, ...first, ...second];
const valuesOf = (tensors: tf.Tensor[]) => Promise.all(tensors.map((tensor) => tensor.data()));
const inGpu = () => (tf.memory() as unknown as { numBytesInGPU: number }).numBytesInGPU;

function submit(): void {
  const backend = tf.backend() as WebGPUBackend;
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
}

/** Dispatches that bring some lists of tensors side by side, seven at a time. */
const gathered = (lists: number, length = SHAPES.length) => lists * Math.ceil(length / 7);

function free(given: State): void {
  tf.dispose([all(given), given.gradients]);
}

describe.skipIf(!hasAdapter)("the optimizer's step on webgpu", () => {
  it.each(['adam', 'adamax'] as const)('of %s is one dispatch, with the values of float64', async (kind) => {
    await activate('webgpu');
    const given = state();
    const before = await valuesOf([...all(given), ...given.gradients]);
    const step = { ...constants, kind };
    expect(countDispatches(() => fusedAdaptiveStep(given, given.gradients, step, 0.7))).toBe(1 + gathered(4));
    const received = await valuesOf(all(given));
    const count = SHAPES.length;
    for (let i = 0; i < count; i++) {
      const [weight, first, second, gradient] = [0, 1, 2, 3].map((k) => before[k * count + i]);
      const exact = reference.adaptiveStep([weight, gradient, first, second], {
        ...step,
        gradientScale: 0.7,
      });
      exact.forEach((values, k) => {
        expect(relativeDifference(values, received[k * count + i])).toBeLessThan(2e-6);
      });
    }
    // Back, to rounding: the weights alone.
    expect(countDispatches(() => fusedAdaptiveStepBack(given, step))).toBe(1);
    const back = await valuesOf(all(given));
    back.forEach((values, i) => {
      const expected = i < count ? before[i] : received[i];
      expect(relativeDifference(expected, values)).toBeLessThan(i < count ? 1e-6 : 1e-12);
    });
    free(given);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('scaled by %s changes nothing', async (scale) => {
    await activate('webgpu');
    const given = state();
    const before = await valuesOf(all(given));
    fusedAdaptiveStep(given, given.gradients, { ...constants, kind: 'adam' }, scale);
    expect(await valuesOf(all(given))).toEqual(before);
    free(given);
  });

  it.each(['adam', 'adamax'] as const)(
    'of %s moves nothing by moments of 0, even without epsilon',
    async (kind) => {
      await activate('webgpu');
      const given = state([[5]]);
      tf.tidy(() => {
        for (const moments of [...given.first, ...given.second]) moments.assign(tf.zeros([5]));
      });
      const zeros = [tf.zeros([5])];
      const before = await valuesOf(given.weight);
      fusedAdaptiveStep(given, zeros, { ...constants, kind, epsilon: 0 }, 1);
      expect(await valuesOf(given.weight)).toEqual(before);
      tf.dispose(zeros);
      free(given);
    },
  );

  it('lets ops, reads and disposal go on as before', async () => {
    await activate('webgpu');
    const tensors = tf.memory().numTensors;
    submit();
    const bytes = inGpu();
    const given = state([[2, 3], [5]]);
    // Read from the device: the backend keeps what it read.
    (tf.backend() as WebGPUBackend).uploadToGPU(given.weight[0].dataId);
    await valuesOf(given.weight);
    const step = { ...constants, kind: 'adam' as const };
    const take = () => fusedAdaptiveStep(given, given.gradients, step, 1);
    take();
    const [weight] = await valuesOf([given.weight[0]]);
    // Nobody may take what was read for what will be there.
    expect(hostValues(given.weight[0])).toBeUndefined();
    const twice = tf.tidy(() => tf.mul(tf.transpose(given.weight[0]), 2));
    expect([...(await twice.data())]).toEqual([0, 3, 1, 4, 2, 5].map((i) => 2 * weight[i]));
    // A copy for other programs is of its own part alone.
    const [other] = await valuesOf([given.weight[1]]);
    const { tensorRef } = given.weight[1].dataToGPU();
    expect([...(await tensorRef.data())]).toEqual([...other]);
    tensorRef.dispose();
    // A clone keeps its values; the weight has others and is found where it is now.
    const clone = tf.clone(given.weight[0]);
    stopSharing(given.weight);
    take();
    expect([...(await clone.data())]).toEqual([...weight]);
    const [moved] = await valuesOf([given.weight[0]]);
    expect([...moved]).not.toEqual([...weight]);
    // Assigned anew.
    tf.tidy(() => given.weight[0].assign(tf.zeros([2, 3])));
    take();
    const [assigned] = await valuesOf([given.weight[0]]);
    expect(Math.max(...[...assigned].map(Math.abs))).toBeLessThan(1);
    // Some of them, in their places: one dispatch for each stretch.
    const one = { weight: [given.weight[1]], first: [given.first[1]], second: [given.second[1]] };
    expect(countDispatches(() => fusedAdaptiveStep(one, [given.gradients[1]], step, 1))).toBe(1);
    tf.dispose([twice, clone]);
    free(given);
    expect(tf.memory().numTensors).toBe(tensors);
    // What is still encoded holds on to its buffers.
    submit();
    expect(inGpu()).toBe(bytes);
  });
});

describe.skipIf(!hasAdapter)('tensors that share a buffer', () => {
  const normOf = async (tensors: tf.Tensor[]) => {
    const norm = globalNorm(tensors);
    const [value] = await norm.data();
    norm.dispose();
    return value;
  };

  it('count each where they lie: in other buffers, in other orders, twice', async () => {
    await activate('webgpu');
    const twice = tf.tensor1d([3]);
    expect(await normOf([twice, twice])).toBeCloseTo(Math.hypot(3, 3), 5);
    const [few, many] = [
      [1, 2],
      [10, 20],
    ].map((values) => values.map((value) => tf.tensor1d([value])));
    await normOf(few);
    await normOf(many);
    // What follows in the other buffer would have been the next one here.
    expect(await normOf([few[0], many[1]])).toBeCloseTo(Math.hypot(1, 20), 5);
    expect(await normOf([many[1], many[0], few[1]])).toBeCloseTo(Math.hypot(20, 10, 2), 5);
    tf.dispose([twice, few, many]);
  });

  it('hold on to it until the last one goes', async () => {
    await activate('webgpu');
    const bytes = () => {
      submit();
      return inGpu();
    };
    const before = bytes();
    const [first, second] = [tf.tensor1d([1]), tf.tensor1d([2])];
    await normOf([first, second]);
    const held = bytes();
    expect(held - before).toBe(512);
    first.dispose();
    expect(bytes()).toBe(held);
    second.dispose();
    expect(bytes()).toBe(before);
  });

  it('are as many as a device can bind at once', async () => {
    await activate('webgpu');
    const backend = tf.backend() as WebGPUBackend;
    const { device } = backend;
    const limits = { maxStorageBufferBindingSize: 512, maxBufferSize: 1e9 };
    const get = (_: GPUDevice, name: keyof GPUDevice) => {
      if (name === 'limits') return limits;
      const value: unknown = device[name];
      return typeof value === 'function' ? value.bind(device) : value;
    };
    const tensors = [1, 2, 3, 4, 5].map((value) => tf.tensor1d([value]));
    Object.assign(backend, { device: new Proxy(device, { get: get as never }) });
    try {
      // Three buffers of two tensors at most, which are brought there, and what adds up.
      expect(countDispatches(() => globalNorm(tensors).dispose())).toBe(3 * gathered(1, 2) + 4);
    } finally {
      Object.assign(backend, { device });
    }
    expect(await normOf(tensors)).toBeCloseTo(Math.sqrt(55), 5);
    tf.dispose(tensors);
  });
});

describe.skipIf(!hasAdapter)('averaged weights on webgpu', () => {
  it('move in one dispatch, and nobody else sees it', async () => {
    await activate('webgpu');
    const { weight, gradients: other, ...unused } = state();
    tf.dispose([unused.first, unused.second]);
    const named = weight.map((variable, i) => ({ name: `w${i}`, variable, trainable: true }));
    const averages = new AveragedWeights({ weights: named }, 0.5);
    const exact = (await valuesOf(weight)).map((list) => Float64Array.from(list));
    averages.update();
    let clones: tf.Tensor[] = [];
    let before: ArrayLike<number>[] = [];
    for (let k = 1; k < 4; k++) {
      // Other values each time; a clone in the third holds those of the second.
      weight.forEach((variable, i) => void tf.tidy(() => variable.assign(tf.mul(other[i], k))));
      const taken = countDispatches(() => averages.update());
      // The averages move in once, the weights whenever they are assigned anew.
      expect(taken).toBe(k === 3 ? 0 : 1 + gathered(k === 1 ? 2 : 1));
      const rate = 0.5 / (1 - 0.5 ** (k + 1));
      const weights = await valuesOf(weight);
      exact.forEach((list, i) => {
        list.forEach((value, j) => {
          list[j] = value + rate * (weights[i][j] - value);
        });
      });
      const received = await valuesOf(averages.tensors().map(({ tensor }) => tensor));
      exact.forEach((list, i) => {
        expect(relativeDifference(list, received[i])).toBeLessThan(1e-6);
      });
      if (k === 2) {
        clones = averages.tensors().map(({ tensor }) => tf.clone(tensor));
        before = received;
      }
    }
    expect(await valuesOf(clones)).toEqual(before);
    averages.dispose();
    tf.dispose([weight, other, clones]);
  });
});

describe.skipIf(!hasAdapter)('the scale of a step on webgpu', () => {
  const { NaN: no, POSITIVE_INFINITY: most } = Number;

  it.each([
    [1, 4, most, 1],
    [1, 4, 8, 1],
    [1, 4, 4.01, 1],
    [1, 4, 1, 0.25],
    [-1, 0, 1, 1],
    [1, 1e30, 0.5, 5e-31],
    [no, 4, 1, no],
    [most, 4, 1, no],
    [-most, 4, most, no],
    [1, no, 1, no],
    [1, most, 1, no],
  ])('for loss %s and norm %s, clipped to %s, is %s', async (loss, norm, clipNorm, expected) => {
    await activate('webgpu');
    const scalars = [tf.scalar(loss), tf.scalar(norm)];
    const scale = stepScale(scalars[0], scalars[1], clipNorm);
    const [value] = await scale.data();
    if (Number.isNaN(expected)) expect(value).toBeNaN();
    else expect(Math.abs(value / expected - 1)).toBeLessThan(1e-6);
    tf.dispose([scale, scalars]);
  });
});

describe.skipIf(!hasAdapter)('the step with moments of 16 bits on webgpu', () => {
  const step: CompactStep = { ...constants, seed: 0x9e3779b9 | 0 };

  /** Two steps: first the moments are zeros. */
  async function twoSteps(shapes: number[][]) {
    await activate('webgpu');
    const { weight, gradients, ...unused } = state(shapes);
    tf.dispose([unused.first, unused.second]);
    const moments = tf.tidy(() => shapes.map((shape) => tf.variable(tf.zeros(shape, 'int32'))));
    const before = await valuesOf([...weight, ...gradients]);
    const take = (scale: number) => fusedCompactStep({ weight, moments }, gradients, step, scale);
    expect(countDispatches(() => take(0.7))).toBe(1 + gathered(3, shapes.length));
    take(0.7);
    take(Number.NaN);
    const after = await valuesOf([...weight, ...moments]);
    expect(countDispatches(() => fusedCompactStepBack({ weight, moments }, step))).toBe(1);
    const back = await valuesOf(weight);
    tf.dispose([weight, moments, gradients]);
    return { before, after, back };
  }

  it('rounds by the chance of the host', async () => {
    const { before, after, back } = await twoSteps([[999]]);
    const [weight, gradient] = before as Float32Array[];
    const host = { weight: weight.slice(), moments: new Int32Array(999), gradient };
    compactStep([host], step, 0.7);
    const once = host.weight.slice();
    compactStep([host], step, 0.7);
    const [moved, moments] = after;
    // A product and a sum may be rounded once there: then a moment that is near the edge goes the other way, now and then.
    const others = host.moments.filter((value, i) => value !== moments[i]).length;
    expect(others).toBeLessThan(10);
    const far = host.weight.filter((value, i) => Math.abs(value - moved[i]) > 1e-6).length;
    expect(far).toBeLessThan(10);
    const farBack = once.filter((value, i) => Math.abs(value - back[0][i]) > 1e-6).length;
    expect(farBack).toBeLessThan(10);
  });

  it('goes by the place among all where they lie in several buffers', async () => {
    await activate('webgpu');
    const { weight, gradients, ...unused } = state([[SEGMENT], [SEGMENT]]);
    tf.dispose([unused.first, unused.second]);
    const moments = tf.tidy(() => weight.map(() => tf.variable(tf.zeros([SEGMENT], 'int32'))));
    const before = (await valuesOf([...weight, ...gradients])) as Float32Array[];
    for (const i of [0, 1]) {
      fusedCompactStep({ weight: [weight[i]], moments: [moments[i]] }, [gradients[i]], step, Number.NaN);
    }
    expect(countDispatches(() => fusedCompactStep({ weight, moments }, gradients, step, 0.7))).toBe(2);
    const host = [0, 1].map((i) => {
      return { weight: before[i].slice(), moments: new Int32Array(SEGMENT), gradient: before[2 + i] };
    });
    compactStep(host, step, 0.7);
    const after = await valuesOf(moments);
    host.forEach((expected, i) => {
      expect(expected.moments.filter((value, j) => value !== after[i][j]).length).toBeLessThan(SEGMENT / 100);
    });
    tf.dispose([weight, moments, gradients]);
  });

  it('goes over all weights, however they are cut', async () => {
    const { before, after } = await twoSteps(SHAPES);
    SHAPES.forEach((shape, i) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const [weight, gradient] = [before[i], before[SHAPES.length + i]] as Float32Array[];
      const host = { weight: weight.slice(), moments: new Int32Array(size), gradient };
      for (let k = 0; k < 2; k++) compactStep([host], step, 0.7);
      // Chance goes by the place among all: moments differ by a last bit, one in 128, at most.
      host.weight.forEach((value, j) => {
        expect(Math.abs(after[i][j] - value)).toBeLessThan(0.03 * (Math.abs(value - weight[j]) + 1e-6));
      });
    });
  });
});

describe.skipIf(!hasAdapter)('the global norm on webgpu', () => {
  const normOf = async (lists: number[][]) => {
    await activate('webgpu');
    const tensors = lists.map((list) => tf.tensor1d(list));
    const norm = globalNorm(tensors);
    const [value] = await norm.data();
    tf.dispose([tensors, norm]);
    return value;
  };

  it('is two dispatches', async () => {
    await activate('webgpu');
    const { gradients, ...rest } = state();
    let norm = tf.scalar(0);
    expect(countDispatches(() => (norm = globalNorm(gradients)))).toBe(2 + gathered(1));
    const values = await valuesOf(gradients);
    const expected = Math.hypot(...values.flatMap((list) => [...list]));
    expect((await norm.data())[0] / expected).toBeCloseTo(1, 6);
    // What lies there already is not moved, and a step takes it from there.
    const again = globalNorm(gradients);
    expect((await again.data())[0]).toBe((await norm.data())[0]);
    const step = () => fusedAdaptiveStep(rest, gradients, { ...constants, kind: 'adam' }, 1);
    expect(countDispatches(step)).toBe(1 + gathered(3));
    tf.dispose([norm, again]);
    free({ gradients, ...rest });
  });

  it.each([
    [[[3, 0], [4]], 5],
    [[[3e30], [4e30, 0]], 5e30],
    [[[3e38, 0], [-1]], 3e38],
    [[[3e-30], [4e-30]], 5e-30],
    [[[3e-20], [4e20]], 4e20],
    [[[1e-37], [0]], 1e-37],
    [[[0, 0], [0]], 0],
  ])('of %j', async (lists, expected) => {
    const value = await normOf(lists);
    expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-6 * expected);
  });

  it('of many values counts those of every workgroup, be they smaller', async () => {
    // Workgroups take 1024 values in turn.
    const values = Array.from({ length: 8192 }, (_, i) => (Math.floor(i / 1024) % 2 === 0 ? 1 : 1 / 32));
    const value = await normOf([values]);
    expect(value / Math.hypot(...values)).toBeCloseTo(1, 6);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'of %s is not finite',
    async (bad) => {
      expect(Number.isFinite(await normOf([[1, 2, 3], [bad, 1], [1e30]]))).toBe(false);
    },
  );

  it('of nothing is 0', async () => {
    expect(await normOf([])).toBe(0);
    expect(await normOf([[]])).toBe(0);
  });

  it('clips', async () => {
    await activate('webgpu');
    const tensors = [tf.tensor1d([3, 0]), tf.tensor1d([4])];
    const clipped = clipByGlobalNorm(tensors, 1);
    const [a, b] = await valuesOf(clipped);
    expect(a[0]).toBeCloseTo(0.6, 6);
    expect(b[0]).toBeCloseTo(0.8, 6);
    tf.dispose([tensors, clipped]);
  });
});
