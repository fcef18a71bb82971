import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  exportSafetensors,
  FlowError,
  FormatError,
  fit,
  importCheckpoint,
  inspectCheckpoint,
  moduleFromArtifacts,
  moduleToArtifacts,
  realNvp,
  writeSafetensors,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** What stands where something else should. */
const garbage: unknown[] = [
  null,
  undefined,
  0,
  -1,
  1e18,
  Number.NaN,
  '',
  'x',
  [],
  [null],
  {},
  { a: null },
  true,
];

/** A copy with one field, however deep, replaced. */
function* replaced(value: unknown, by: unknown): Generator<unknown> {
  if (
    typeof value !== 'object' ||
    value === null ||
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer
  )
    return;
  for (const key of Object.keys(value)) {
    const copy = Array.isArray(value) ? [...value] : { ...value };
    yield Object.assign(copy, { [key]: by });
    for (const inner of replaced((value as Record<string, unknown>)[key], by)) {
      yield Object.assign(Array.isArray(value) ? [...value] : { ...value }, { [key]: inner });
    }
  }
}

describe('a saved module with one field replaced', () => {
  it('is read, or refused by an error of ours, and leaves nothing', async () => {
    const flow = realNvp({ dimensions: 2, layers: 1, hiddenUnits: [3], seed: 1 });
    const artifacts = await moduleToArtifacts(flow);
    flow.dispose();
    const before = tf.memory().numTensors;
    let refused = 0;
    for (const by of garbage) {
      for (const damaged of replaced(artifacts, by)) {
        try {
          moduleFromArtifacts(damaged as tf.io.ModelArtifacts).dispose();
        } catch (error) {
          if (!(error instanceof FlowError)) throw new Error(`${JSON.stringify(damaged)}`, { cause: error });
          refused++;
        }
      }
      expect(tf.memory().numTensors).toBe(before);
    }
    expect(refused).toBeGreaterThan(500);
  });
});

describe('a checkpoint with one field of its position replaced', () => {
  it('is read, or refused by an error of ours, and leaves nothing', async () => {
    const rows = [
      [1, 2],
      [3, 5],
      [2, 1],
      [0, 4],
    ];
    let artifacts: tf.io.ModelArtifacts | undefined;
    const location: tf.io.IOHandler = {
      save: async (saved) => {
        artifacts = saved;
        return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(saved) };
      },
      load: async () => artifacts as tf.io.ModelArtifacts,
    };
    const flow = realNvp({ dimensions: 2, layers: 1, hiddenUnits: [3], seed: 1 });
    const options = { epochs: 1, batchSize: 2, checkpoint: { location }, progress: 'none' } as const;
    await fit(flow, rows, options);
    const whole = artifacts as tf.io.ModelArtifacts;
    const { content, ...around } = whole.modelTopology as { content: object };
    const before = tf.memory().numTensors;
    let refused = 0;
    for (const by of [null, 'x', [], {}, -1]) {
      for (const damaged of replaced(content, by)) {
        artifacts = { ...whole, modelTopology: { ...around, content: damaged } };
        const resume = { load: location.load };
        await fit(flow, rows, { ...options, checkpoint: undefined, resume }).catch((error) => {
          if (!(error instanceof FlowError)) throw new Error(JSON.stringify(damaged), { cause: error });
          refused++;
        });
        expect(tf.memory().numTensors).toBe(before);
      }
    }
    expect(refused).toBeGreaterThan(40);
    flow.dispose();
  });
});

describe('a safetensors file of this library', () => {
  const bytesOf = (module: string, shape: number[] = [3]) =>
    writeSafetensors(
      { bias: { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) } },
      { format: 'tfjs-flows', version: '1', module, initialized: 'true' },
    );

  it.each<[string, string, RegExp]>([
    ['nothing', '', /expected JSON in the metadata's module/],
    ['garbage', '{{', /expected JSON in the metadata's module/],
    ['null', 'null', /expected an object in the metadata's module, got null/],
    ['no class', '{}', /className and config of a module/],
    ['no configuration', '{"className":"FlowActNorm","config":null}', /className and config of a module/],
    ['another class', '{"className":"Other","config":{}}', /unknown class 'Other'/],
    ['an inherited name', '{"className":"constructor","config":{}}', /unknown class 'constructor'/],
    [
      'a wrong option',
      '{"className":"FlowActNorm","config":{"inputShape":[-1]}}',
      /a module that can be built/,
    ],
    [
      'keys without end',
      `{"className":"FlowActNorm","config":${'{"a":'.repeat(9999)}`,
      /nested more than 200/,
    ],
    [
      'a giant event',
      '{"className":"FlowPermutation","config":{"inputShape":[4000000000],"order":"reverse"}}',
      /inputShape of at most 4194304, got 4000000000/,
    ],
    [
      'a giant model',
      '{"className":"FlowGlow","config":{"imageShape":[64,64,3],"levels":3,"stepsPerLevel":32,"hiddenChannels":8192}}',
      /a model as large as its file/,
    ],
    [
      'a model of steps without end',
      '{"className":"FlowGlow","config":{"imageShape":[2,2,1],"levels":1,"stepsPerLevel":60000,"hiddenChannels":1}}',
      /a model as large as its file/,
    ],
    [
      'a model of more steps than any',
      '{"className":"FlowGlow","config":{"imageShape":[2,2,1],"levels":1,"stepsPerLevel":4000000,"hiddenChannels":1}}',
      /stepsPerLevel of at most 65536, got 4000000/,
    ],
  ])('whose module is %s is refused, and leaves nothing', async (_, module, message) => {
    const before = tf.memory().numTensors;
    await expect(importCheckpoint(bytesOf(module))).rejects.toThrow(FormatError);
    await expect(importCheckpoint(bytesOf(module))).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is inspected where it can be', () => {
    expect(() => inspectCheckpoint(bytesOf('null'))).toThrow(FormatError);
    expect(inspectCheckpoint(bytesOf('{"config":null}')).config).toBeNull();
  });

  it('is read where all is as it was', async () => {
    const layer = new ActNorm({ inputShape: [3] });
    const copy = await importCheckpoint(await exportSafetensors(layer));
    expect(copy.weights.map(({ name }) => name)).toEqual(['bias', 'logScale']);
    layer.dispose();
    copy.dispose();
  });
});
