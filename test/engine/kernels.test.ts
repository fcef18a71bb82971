import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { CompactAdam, RandomStream, ReversePass } from 'tfjs-flows';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { declareBackend } from '../../src/engine/capabilities';
import {
  ActNorm,
  AffineCoupling,
  type Bijector,
  Chain,
  ConvolutionNetwork,
  InvConv1x1,
} from '../../src/layers';
import { canUndo, storageFor } from '../../src/training/applyGradients';
import { normOfGradients } from '../../src/training/clipping';

/* Each fused operation by the name of its own kernels: on a backend that has some of them, none stands for another. */

const called: string[] = [];
const registered: string[] = [];

/** Registers kernels on the backend of this file that say that they were called and compute nothing. */
function register(...names: string[]): void {
  for (const kernelName of names) {
    registered.push(kernelName);
    tf.registerKernel({
      kernelName,
      backendName: 'some',
      kernelFunc: () => {
        called.push(kernelName);
        throw new Error('called');
      },
    });
  }
}

function unregisterAll(): void {
  for (const name of registered.splice(0)) tf.unregisterKernel(name, 'some');
}

beforeAll(async () => {
  tf.registerBackend('some', tf.findBackendFactory('cpu'));
  for (const kernel of tf.getKernelsForBackend('cpu')) {
    tf.registerKernel({ ...kernel, backendName: 'some' });
  }
  declareBackend('some', { readsAtOnce: true });
  await tf.setBackend('some');
});

afterAll(async () => {
  await tf.setBackend('cpu');
  tf.removeBackend('some');
});

const inputShape = [4, 4, 6];
const layers: Record<string, () => Bijector> = {
  actnorm: () => new ActNorm({ inputShape }),
  step: () =>
    new Chain({
      bijectors: [
        new ActNorm({ inputShape }),
        new InvConv1x1({ inputShape, parameterization: 'lu', seed: 1 }),
      ],
    }),
  rotation: () => new InvConv1x1({ inputShape, parameterization: 'lu', seed: 1 }),
  coupling: () =>
    new AffineCoupling({
      inputShape,
      network: (shape, [, , filters]) =>
        new ConvolutionNetwork({ inputShape: shape, filters, hiddenChannels: 4, seed: 1 }),
    }),
};

/** Kernels, of those that are registered, that a pass of the layer runs first; none where it computes by ordinary ops. */
function used(layer: string, direction: 'forward' | 'inverse'): string[] {
  called.length = 0;
  const bijector = layers[layer]();
  const x = new RandomStream(1).normal([2, ...inputShape]);
  try {
    tf.dispose({ ...bijector[direction](x) });
  } catch (error) {
    if ((error as Error).message !== 'called') throw error;
  } finally {
    bijector.dispose();
    x.dispose();
  }
  return [...called];
}

const operations: [name: string, layer: string, direction: 'forward' | 'inverse'][] = [
  ['FlowActNorm', 'actnorm', 'forward'],
  ['FlowScaleChannels', 'actnorm', 'forward'],
  ['FlowUnscaleChannels', 'actnorm', 'inverse'],
  ['FlowLuMatrix', 'rotation', 'forward'],
  ['FlowConvolutions', 'coupling', 'forward'],
  ['FlowAffineCoupling', 'coupling', 'forward'],
  ['FlowNetworkCoupling', 'coupling', 'forward'],
];

it.each(operations)(
  '%s is taken where it and its gradient are there, and nothing else is',
  (name, layer, direction) => {
    try {
      register(name);
      expect(used(layer, direction)).toEqual([]);
      unregisterAll();
      register(`${name}Gradient`);
      expect(used(layer, direction)).toEqual([]);
      register(name);
      expect(used(layer, direction)).toEqual([name]);
      for (const [other] of Object.entries(layers)) {
        for (const way of ['forward', 'inverse'] as const) {
          expect(used(other, way).every((kernel) => kernel === name)).toBe(true);
        }
      }
    } finally {
      unregisterAll();
    }
  },
);

it('FlowNetworkCouplingReverse is taken on the way back alone', () => {
  const coupling = layers.coupling();
  const x = new RandomStream(1).normal([2, ...inputShape]);
  const logDetGradient = tf.zeros([2]);
  const reverse = () => {
    const pass = new ReversePass({ logDetGradient });
    tf.dispose({ ...coupling.reverse({ value: x, gradient: x }, pass) });
    pass.dispose();
  };
  try {
    expect(reverse).not.toThrow();
    register('FlowNetworkCouplingReverse');
    expect(used('coupling', 'forward')).toEqual([]);
    expect(reverse).toThrow('called');
    expect(called).toEqual(['FlowNetworkCouplingReverse']);
  } finally {
    unregisterAll();
    tf.dispose([x, logDetGradient]);
    coupling.dispose();
  }
});

it('FlowScaledLinear alone does not select the kernel of its matrix', () => {
  try {
    register('FlowScaledLinear', 'FlowScaledLinearGradient');
    expect(used('step', 'forward')).toEqual([]);
    register('FlowLuMatrix', 'FlowLuMatrixGradient');
    expect(used('step', 'forward')).toEqual(['FlowLuMatrix']);
    expect(used('step', 'inverse')).toEqual(['FlowLuMatrix']);
  } finally {
    unregisterAll();
  }
});

it('steps of optimizers, norms and gradients of 16 bits are chosen each by its own name', () => {
  const [adam, compact] = [tf.train.adam(0.1), new CompactAdam(0.1)];
  const chosen = () => ({
    adam: canUndo(adam),
    compact: canUndo(compact),
    storage: storageFor(compact) !== undefined,
  });
  const none = { adam: false, compact: false, storage: false };
  try {
    expect(chosen()).toEqual(none);
    register('FlowAdaptiveStep');
    expect(chosen()).toEqual({ ...none, adam: true });
    unregisterAll();
    const ofHalves = [
      'FlowToBfloat16',
      'FlowFromBfloat16',
      'FlowCompactStepBfloat16',
      'FlowGlobalNormBfloat16',
    ];
    register(...ofHalves);
    expect(chosen()).toEqual(none);
    for (const missing of ofHalves) {
      unregisterAll();
      register('FlowCompactStep', ...ofHalves.filter((name) => name !== missing));
      expect(chosen(), missing).toEqual({ ...none, compact: true });
    }
    unregisterAll();
    register('FlowCompactStep', ...ofHalves);
    expect(chosen()).toEqual({ adam: false, compact: true, storage: true });
    expect(storageFor(adam)).toBeUndefined();
    called.length = 0;
    const x = tf.tensor1d([3, 4]);
    expect(normOfGradients([x]).dataSync()[0]).toBe(5);
    register('FlowGlobalNorm');
    expect(() => normOfGradients([x])).toThrow('called');
    expect(called).toEqual(['FlowGlobalNorm']);
    x.dispose();
  } finally {
    unregisterAll();
    adam.dispose();
    compact.dispose();
  }
});
