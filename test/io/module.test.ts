import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  ConfigError,
  FormatError,
  fit,
  loadModule,
  moduleFromArtifacts,
  moduleToArtifacts,
  saveModule,
} from 'tfjs-flows';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryHandler, ToyFlow, toyData, weightsOf } from '../training/toys';

/** Artifacts with the weight data cut, altered or otherwise damaged. */
type Damage = (artifacts: tf.io.ModelArtifacts) => void;

interface Topology {
  format: string;
  version: number;
  kind: string;
  checksum: string;
  content: { className: string; config: Record<string, unknown>; initialized: boolean };
}

const topology = (artifacts: tf.io.ModelArtifacts) => artifacts.modelTopology as Topology;
const bytes = (artifacts: tf.io.ModelArtifacts) => artifacts.weightData as ArrayBuffer;

describe('saving and loading a module', () => {
  let model: ToyFlow;
  let tensors: number;

  beforeEach(async () => {
    await tf.setBackend('cpu');
    model = new ToyFlow();
    await fit(model, toyData(16), { progress: 'none', seed: 1 });
    tensors = tf.memory().numTensors;
  });

  afterEach(() => {
    expect(tf.memory().numTensors).toBe(tensors);
    model.dispose();
  });

  it.each(['cpu', 'wasm'])(
    'keeps class, configuration, names and every bit of the weights on %s',
    async (backend) => {
      await tf.setBackend(backend);
      const handler = memoryHandler();
      await saveModule(model, handler);
      const loaded = await loadModule<ToyFlow>(handler);
      expect(loaded).toBeInstanceOf(ToyFlow);
      expect(loaded.size).toBe(2);
      expect(loaded.initialized).toBe(true);
      expect(weightsOf(loaded)).toEqual(weightsOf(model));
      expect(handler.artifacts?.weightSpecs?.map(({ name }) => name)).toContain('second/logScale');
      loaded.dispose();
    },
  );

  it('keeps denormal numbers, negative zero and the largest floats', async () => {
    const odd = [Math.fround(1e-42), -0, 3.4028234663852886e38, Math.fround(0.1)];
    const weight = model.weights.find(({ name }) => name === 'mix')?.variable as tf.Variable;
    tf.tidy(() => weight.assign(tf.tensor2d(odd, [2, 2])));
    const loaded = moduleFromArtifacts<ToyFlow>(await moduleToArtifacts(model));
    expect(weightsOf(loaded).mix.every((value, i) => Object.is(value, odd[i]))).toBe(true);
    loaded.dispose();
  });

  it('leaves a module that was not initialized so', async () => {
    const fresh = new ToyFlow();
    const loaded = moduleFromArtifacts<ToyFlow>(await moduleToArtifacts(fresh, { note: { by: 'test' } }));
    expect(loaded.initialized).toBe(false);
    fresh.dispose();
    loaded.dispose();
  });

  it('is a plain tf.io citizen: weights may come in shards', async () => {
    const artifacts = await moduleToArtifacts(model);
    const data = bytes(artifacts);
    const loaded = moduleFromArtifacts<ToyFlow>({
      ...artifacts,
      weightData: [data.slice(0, 10), data.slice(10)],
    });
    expect(weightsOf(loaded)).toEqual(weightsOf(model));
    loaded.dispose();
  });

  it.each<[string, Damage, RegExp]>([
    [
      'truncated weights',
      (a) => Object.assign(a, { weightData: bytes(a).slice(0, -4) }),
      /expected 64 bytes of weights, got 60/,
    ],
    [
      'more weights than named',
      (a) => Object.assign(a, { weightData: new ArrayBuffer(68) }),
      /expected 64 bytes of weights, got 68/,
    ],
    [
      'one altered bit',
      (a) => {
        new Uint8Array(bytes(a))[9] ^= 1;
      },
      /checksum [0-9a-f]{8}, got [0-9a-f]{8}\. The file is damaged/,
    ],
    ['no weights', (a) => Object.assign(a, { weightData: undefined }), /weightSpecs and weightData/],
    [
      'another format',
      (a) => {
        topology(a).format = 'layers-model';
      },
      /a file of tfjs-flows, got one of format 'layers-model'/,
    ],
    [
      'no topology',
      (a) => Object.assign(a, { modelTopology: undefined, format: 'graph-model' }),
      /'graph-model'/,
    ],
    [
      'another version',
      (a) => {
        topology(a).version = 2;
      },
      /format version 1, got version 2/,
    ],
    [
      'another kind',
      (a) => {
        topology(a).kind = 'checkpoint';
      },
      /a module, got a checkpoint/,
    ],
    [
      'an unknown class',
      (a) => {
        topology(a).content.className = 'Nobody';
      },
      /unknown class 'Nobody'/,
    ],
    [
      'another configuration',
      (a) => {
        topology(a).content.config.size = 3;
      },
      /7 matching weights, got 7 problems: mix is float32 \[2, 2\] instead of float32 \[3, 3\]; first\/bias/,
    ],
    [
      'missing and unknown weights',
      (a) => {
        (a.weightSpecs ?? [])[1].name = 'stray';
      },
      /2 problems: first\/bias is missing; stray is unknown/,
    ],
  ])('refuses %s', async (_, damage, message) => {
    const handler = memoryHandler();
    await saveModule(model, handler);
    damage(handler.artifacts as tf.io.ModelArtifacts);
    const error = await loadModule(handler).catch((reason) => reason);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toMatch(message);
  });

  it('says which handler or URL is missing', async () => {
    await expect(saveModule(model, 'nowhere://a')).rejects.toThrow(ConfigError);
    await expect(loadModule('file://a')).rejects.toThrow(/Import 'tfjs-flows\/node' first/);
    await expect(saveModule(model, { load: async () => ({}) })).rejects.toThrow(
      /can save, got one that can only load/,
    );
    await expect(loadModule({ save: memoryHandler().save })).rejects.toThrow(
      /can load, got one that can only save/,
    );
  });
});
