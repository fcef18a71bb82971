import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { unscaleChannels } from '../../src/layers/fusedScaleChannels';
import { fusedAdaptiveStep } from '../../src/training/fusedAdaptiveStep';
import { Bindings } from '../../src/webgpu/bindings';
import type { Compiled } from '../../src/webgpu/compile';
import { Gpu } from '../../src/webgpu/gpu';
import { write } from '../../src/webgpu/program';
import { Trie } from '../../src/webgpu/trie';
import { hasAdapter } from './adapter';
import { activate } from './onBoth';

describe.skipIf(!hasAdapter)('what programs bind on webgpu', () => {
  it('is told apart where it lies in one buffer', async () => {
    await activate('webgpu');
    const weight = [1, 2].map((value) => tf.variable(tf.tensor1d([value])));
    const [first, second] = [0, 0].map(() => weight.map(() => tf.variable(tf.tensor1d([0]))));
    const gradients = weight.map(() => tf.tensor1d([0]));
    const step = {
      kind: 'adam',
      learningRate: 0,
      beta1: 0.9,
      beta2: 0.9,
      epsilon: 1,
      bias1: 1,
      bias2: 1,
    } as const;
    // Brings the weights side by side into one buffer.
    fusedAdaptiveStep({ weight, first, second }, gradients, step, 1);
    const [x, logScale] = [tf.zeros([1, 1]), tf.zeros([1])];
    // One after the other and more than once, so that all else that is bound becomes the same.
    for (const i of [0, 1, 0, 1, 0, 1]) {
      const result = unscaleChannels(x, weight[i], logScale);
      expect((await result.data())[0]).toBe(-(i + 1));
      result.dispose();
    }
    tf.dispose([weight, first, second, gradients, x, logScale]);
  });

  it('is not written anew before copies have read it', async () => {
    await activate('webgpu');
    const backend = tf.backend() as WebGPUBackend;
    const gpu = Gpu.of(backend);
    // A size of its own, so that a buffer that is free too early is the next one that is given out.
    const source = tf.tensor1d(new Float32Array(1237).fill(1));
    const target = gpu.output([1237]);
    gpu.copy(source, gpu.rangeOf(target), 0);
    source.dispose();
    const next = tf.tensor1d(new Float32Array(1237).fill(9));
    backend.uploadToGPU(next.dataId);
    const copied = tf.engine().makeTensorFromTensorInfo(target);
    expect((await copied.data()).every((value) => value === 1)).toBe(true);
    tf.dispose([next, copied]);
  });

  it('is never more than every device allows', async () => {
    await activate('webgpu');
    const gpu = Gpu.of(tf.backend() as WebGPUBackend);
    const bind = (count: number) => {
      const names = Array.from({ length: count }, (_, i) => `buffer${i}`);
      const buffers = Object.fromEntries(names.map((name) => [name, write()]));
      const touched = names.map((name) => `${name}[0] = 1f;`).join(' ');
      const code = () => `@compute @workgroup_size(1) fn main() { ${touched} }`;
      gpu.withScratch(
        names.map(() => 1),
        (...rooms) => {
          gpu.run({ key: `binds ${count}`, buffers, code }, rooms, [1, 1, 1]);
        },
      );
    };
    bind(8);
    expect(() => bind(9)).toThrow(BackendError);
  });
});

describe('groups of bindings', () => {
  it('begin anew where they have become many, and are found again', () => {
    let made = 0;
    const bindings = new Bindings({ createBindGroup: () => made++ } as never);
    const compiled = { groups: new Trie(), uniforms: new Trie() } as Compiled;
    const buffer = {} as GPUBuffer;
    const bind = (i: number) => bindings.groupOf(compiled, [{ buffer, offset: 256 * i, size: 4 }]);
    const most = 16384;
    for (let i = 0; i < most; i++) bind(i);
    expect([bind(0), bind(most - 1)]).toEqual([0, most - 1]);
    // One too many: those of before are forgotten.
    bind(most);
    const first = bind(0);
    expect(first).toBeGreaterThan(most);
    const second = bind(1);
    expect([bind(0), bind(1), bind(0)]).toEqual([first, second, first]);
  });
});
