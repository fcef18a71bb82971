import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  Chain,
  exportStateDict,
  Flow,
  FormatError,
  importCheckpoint,
  inspectCheckpoint,
  MultilayerPerceptron,
  neuralSplineFlow,
  RandomStream,
  RationalQuadraticSpline,
  readNpz,
  readSafetensors,
  StandardNormal,
  TransformerCoupling,
  type VectorConfig,
  type VectorSettings,
  writeSafetensors,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';

beforeAll(() => tf.setBackend('cpu'));

/** Two couplings of plain networks, which differ in what no name says. */
function unlikeCouplings(): Flow {
  const coupling = (i: number, bound: number, activation: 'tanh' | 'elu') =>
    new TransformerCoupling({
      inputShape: [2],
      transformer: new RationalQuadraticSpline({ bins: 3, bound }),
      passthrough: [i === 0, i === 1],
      network: (inputShape, [units]) =>
        new MultilayerPerceptron({ inputShape, units, hiddenUnits: [6, 4], activation, seed: i }),
      name: `coupling${i}`,
    });
  const bijector = new Chain({ bijectors: [coupling(0, 2.5, 'tanh'), coupling(1, 4, 'elu')], name: 'chain' });
  return moved(new Flow({ bijector, base: new StandardNormal({ eventShape: [2] }) }));
}

const splines = () =>
  moved(
    neuralSplineFlow({
      dimensions: 2,
      layers: 1,
      bins: 3,
      hiddenUnits: 6,
      bound: 2.5,
      activation: 'tanh',
      seed: 1,
    }),
  );

function moved<T extends Flow>(flow: T): T {
  const random = new RandomStream(2);
  for (const weight of flow.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.5))));
  }
  flow.markInitialized();
  return flow;
}

function logDensities(flow: Flow): Float32Array {
  return tf.tidy(() => flow.logProb(new RandomStream(5).normal([20, 2], 0, 2)).dataSync() as Float32Array);
}

/** Log-densities by a file alone, or with what a user says. */
async function imported(bytes: Uint8Array, config?: VectorSettings): Promise<Float32Array> {
  const flow = await importCheckpoint<Flow>(bytes, { config });
  const found = logDensities(flow);
  flow.dispose();
  return found;
}

/** Largest difference; float32 gives 1e-5 and a wrong bound or activation more than .05. */
function furthest(found: Float32Array, expected: Float32Array): number {
  return found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
}

const SAME = 1e-4;

/** A file's tensors with another config in the metadata. */
async function withConfig(flow: Flow, config: string): Promise<Uint8Array> {
  const arrays = readNpz(await exportStateDict(flow, 'nflows', { container: 'npz' }));
  return writeSafetensors(arrays, { format: 'pt', code: 'nflows', config });
}

describe('what an exported file says of itself', () => {
  it('is for layers that differ said layer by layer, and read without options', () =>
    leavesNoTensors(async () => {
      const flow = unlikeCouplings();
      const bytes = await exportStateDict(flow, 'nflows');
      expect(JSON.parse(readSafetensors(bytes).metadata.config)).toEqual({
        layers: { 0: { activation: 'tanh', bound: 2.5 }, 1: { activation: 'elu', bound: 4 } },
      });
      expect(inspectCheckpoint(bytes).guesses).toEqual([]);
      expect(furthest(await imported(bytes), logDensities(flow))).toBeLessThan(SAME);
      flow.dispose();
    }));

  it('is less than what the user says, of one layer or of all', () =>
    leavesNoTensors(async () => {
      const flow = unlikeCouplings();
      const bytes = await exportStateDict(flow, 'nflows');
      flow.dispose();
      const layers = (config: VectorSettings) =>
        (inspectCheckpoint(bytes, { config }).config as VectorConfig).layers.map(({ activation, bound }) => [
          activation,
          bound,
        ]);
      const one = [
        ['tanh', 6],
        ['elu', 4],
      ];
      const all = [
        ['relu', 2.5],
        ['relu', 4],
      ];
      expect(layers({ layers: { 0: { bound: 6 } } })).toEqual(one);
      expect(layers({ activation: 'relu' })).toEqual(all);
    }));

  it('can be given to a file that has lost it', () =>
    leavesNoTensors(async () => {
      const flow = splines();
      const { config } = readSafetensors(await exportStateDict(flow, 'nflows')).metadata;
      expect(JSON.parse(config)).toEqual({ activation: 'tanh', bound: 2.5, divided: true });
      const bare = await exportStateDict(flow, 'nflows', { container: 'npz' });
      expect(furthest(await imported(bare, JSON.parse(config)), logDensities(flow))).toBeLessThan(SAME);
      expect(furthest(await imported(bare), logDensities(flow))).toBeGreaterThan(0.05);
      expect(inspectCheckpoint(bare).guesses).not.toEqual([]);
      flow.dispose();
    }));

  it('counts only where names and shapes leave it open', () =>
    leavesNoTensors(async () => {
      const flow = splines();
      const config = JSON.stringify({ activation: 'tanh', bound: 2.5, bins: 1e9, base: { type: 'mixture' } });
      expect(furthest(await imported(await withConfig(flow, config)), logDensities(flow))).toBeLessThan(SAME);
      flow.dispose();
    }));

  it.each([
    ['no JSON', '{"bound":', 'JSON in the metadata'],
    ['no object', '[1]', "an object in the metadata's config"],
    ['an unknown field', '{"bounds":3}', 'fits its layers'],
    ['a value that none has', '{"bound":-1}', 'a bound above 0'],
    ['a field of no layer', '{"scale":"exp"}', 'fields that a layer of this flow has'],
    ['layers that are none', '{"layers":"ab"}', 'an object of options'],
    ['a layer that is not there', '{"layers":{"9":{"bound":3}}}', 'layers 0 to 4'],
    ['a base that is none', '{"base":3}', 'an object of options'],
  ])('%s is refused', (_, config, message) =>
    leavesNoTensors(async () => {
      const flow = splines();
      const bytes = await withConfig(flow, config);
      flow.dispose();
      await expect(importCheckpoint(bytes)).rejects.toThrow(FormatError);
      await expect(importCheckpoint(bytes)).rejects.toThrow(message);
    }),
  );

  it('is not looked for in files of others', () =>
    leavesNoTensors(async () => {
      const flow = splines();
      const arrays = readNpz(await exportStateDict(flow, 'nflows', { container: 'npz' }));
      flow.dispose();
      const bytes = writeSafetensors(arrays, { format: 'pt', config: '{"model_type":"flow"}' });
      expect(inspectCheckpoint(bytes).guesses).not.toEqual([]);
    }));
});
