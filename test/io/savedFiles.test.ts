import '@tensorflow/tfjs-backend-cpu';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import {
  Bijector,
  Classifier,
  Conditioner,
  Distribution,
  type FitData,
  type FitOptions,
  type Flow,
  fit,
  Glow,
  type Module,
  moduleFromArtifacts,
  RandomStream,
  type Transformed,
} from 'tfjs-flows';
import { beforeEach, describe, expect, it } from 'vitest';
import { fixture } from '../support/fixture';
import { leavesNoTensors } from '../support/leaks';

interface Values {
  shape: number[];
  values: number[];
}

/** tf.io artifacts with the weights as base64. */
type PlainArtifacts = Omit<tf.io.ModelArtifacts, 'weightData'> & { weightData: string };

interface SavedModule {
  kind: string;
  artifacts: PlainArtifacts;
  initialized: boolean;
  x: Values;
  context?: Values;
  results: Record<string, Values | { value: Values; logDet: Values }>;
}

interface SavedCheckpoint {
  kind: 'checkpoint';
  artifacts: PlainArtifacts;
  /** The model before the run. */
  module: PlainArtifacts;
  data: number[][] | { x: number[]; shape: number[] };
  options: FitOptions;
  /** Losses of the steps before the checkpoint. */
  stopped: number[];
  /** What the run would have come to without a stop. */
  whole: { losses: number[]; epochs: Record<string, number>[]; module: PlainArtifacts };
}

const folder = fileURLToPath(new URL('../fixtures/saved', import.meta.url));
const read = (name: string) => JSON.parse(new TextDecoder().decode(fixture(`saved/${name}.json`)));
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length));
const checkpoints = files.filter((name) => name.startsWith('checkpoint'));
const modules = files.filter((name) => !checkpoints.includes(name));

const unpacked = (artifacts: PlainArtifacts): tf.io.ModelArtifacts => {
  return { ...artifacts, weightData: Uint8Array.from(Buffer.from(artifacts.weightData, 'base64')).buffer };
};
const load = <T extends Module>(artifacts: PlainArtifacts) => moduleFromArtifacts<T>(unpacked(artifacts));

/** All weights of a module one after the other, as base64. */
function weightsOf(module: Module): string {
  const parts = module.weights.map(({ variable }) => {
    const { buffer, byteOffset, byteLength } = variable.dataSync();
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  return Buffer.concat(parts).toString('base64');
}

/** The verbs of each kind of module, as make.mjs called them. */
function results(module: Module, x: tf.Tensor, context?: tf.Tensor): Record<string, tf.Tensor | Transformed> {
  if (module instanceof Bijector) {
    const forward = module.forward(x, context);
    return { forward, inverse: module.inverse(forward.value, context) };
  }
  if (module instanceof Conditioner) return { apply: module.apply(x, context) };
  if (module instanceof Distribution) {
    const sample = module.sample(3, { context, random: new RandomStream(4) });
    return { logProb: module.logProb(x, context), sample };
  }
  if (module instanceof Classifier) return { probabilities: module.probabilities(x) };
  const flow = module as Flow;
  const verbs: Record<string, tf.Tensor> = {
    logProb: flow.logProb(x, { context, seed: 7 }),
    encode: flow.encode(x, { context }),
    sample: flow.sample(3, { context, seed: 8 }),
  };
  if (flow instanceof Glow && flow.classifier !== undefined) verbs.classify = flow.classify(x);
  return verbs;
}

/** Differences as shares of the largest value: float32 sums in another order stay below 1e-6. */
function expectClose(actual: readonly number[], expected: readonly number[], bound = 1e-6): void {
  expect(actual).toHaveLength(expected.length);
  const largest = Math.max(1, ...expected.map(Math.abs));
  const furthest = Math.max(...actual.map((value, i) => Math.abs(value - expected[i])));
  expect(furthest / largest).toBeLessThan(bound);
}

function expectTensor(tensor: tf.Tensor, { shape, values }: Values): void {
  expect(tensor.shape).toEqual(shape);
  expectClose([...tensor.dataSync()], values);
}

const tensorOf = (given: Values) => tf.tensor(given.values, given.shape, 'float32');

beforeEach(() => tf.setBackend('cpu'));

describe('a file that an earlier version saved', () => {
  it('is there for every class that can be saved', () => {
    const saved = JSON.stringify(modules.map(read)).matchAll(/"className":"(Flow\w+)"/g);
    const registered = Object.keys(tf.serialization.SerializationMap.getMap().classNameMap);
    // Optimizers are registered under the same prefix and are no modules.
    const classes = registered.filter((name) => name.startsWith('Flow') && name !== 'FlowCompactAdam');
    expect(new Set([...saved].map(([, name]) => name))).toEqual(new Set(classes));
  });

  it.each(modules)('%s: has its weights bit for bit, and its results', async (name) => {
    const saved: SavedModule = read(name);
    await leavesNoTensors(() => {
      const module = load(saved.artifacts);
      expect(module.weights.map((weight) => weight.name)).toEqual(
        saved.artifacts.weightSpecs?.map((spec) => spec.name),
      );
      expect(weightsOf(module)).toBe(saved.artifacts.weightData);
      expect(module.initialized).toBe(saved.initialized);
      tf.tidy(() => {
        const context = saved.context && tensorOf(saved.context);
        const actual = results(module, tensorOf(saved.x), context);
        expect(Object.keys(actual)).toEqual(Object.keys(saved.results));
        for (const [verb, expected] of Object.entries(saved.results)) {
          const result = actual[verb];
          if (result instanceof tf.Tensor) expectTensor(result, expected as Values);
          else {
            const { value, logDet } = expected as { value: Values; logDet: Values };
            expectTensor(result.value, value);
            expectTensor(result.logDet, logDet);
          }
        }
      });
      module.dispose();
    });
  });

  it.each(checkpoints)('%s: resumes to the numbers of a run that never stopped', async (name) => {
    const { artifacts, module, data, options, stopped, whole }: SavedCheckpoint = read(name);
    await leavesNoTensors(async () => {
      const model = load<Flow>(module);
      const end = load<Flow>(whole.module);
      const resume = tf.io.fromMemory(unpacked(artifacts));
      const examples: FitData = Array.isArray(data) ? data : { ...data, x: Uint8Array.from(data.x) };
      const history = await fit(model, examples, { ...options, resume });
      expect(history.losses.slice(0, stopped.length)).toEqual(stopped);
      // Rounding grows over the steps of Adam, which divides by small roots.
      expectClose(history.losses, whole.losses, 1e-4);
      expect(history.epochs).toHaveLength(whole.epochs.length);
      for (const [i, expected] of whole.epochs.entries()) {
        for (const [key, value] of Object.entries(expected)) {
          expectClose([(history.epochs[i] as Record<string, number>)[key]], [value], 1e-4);
        }
      }
      for (const [i, { variable }] of model.weights.entries()) {
        expectClose([...variable.dataSync()], [...end.weights[i].variable.dataSync()], 1e-4);
      }
      model.dispose();
      end.dispose();
    });
  });
});
