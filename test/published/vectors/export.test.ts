import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  AffineTransformer,
  ConfigError,
  exportStateDict,
  type Flow,
  FormatError,
  importCheckpoint,
  inspectCheckpoint,
  maskedAutoregressiveFlow,
  type NdArray,
  NormalMixture,
  type NumericData,
  neuralSplineFlow,
  RandomStream,
  readNpz,
  readSafetensors,
  realNvp,
  StudentT,
  type VectorFlow,
  type VectorSettings,
  writeSafetensors,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../../support/fixture';
import { leavesNoTensors } from '../../support/leaks';
import { writtenVectors } from '../../support/publishedVectors';
import { stir } from '../../support/vectorModels';

beforeAll(() => tf.setBackend('cpu'));

type Library = 'zuko' | 'nflows';

const libraryOf = (name: string): Library => (name.startsWith('zuko') ? 'zuko' : 'nflows');
const namesOf = (bytes: Uint8Array) => readSafetensors(bytes).tensors;

/** Numbers of a tensor, those of masked weights 0 where there is a mask. */
function unmasked(name: string, read: (name: string) => NumericData | undefined): number[] {
  const mask = name.endsWith('.weight') ? read(name.replace(/weight$/, 'mask')) : undefined;
  return Array.from(read(name) ?? [], (value, i) => Number(value) * Number(mask?.[i] ?? 1));
}

/** Largest difference in units of max(1, the largest value). */
function furthest(ours: readonly number[], theirs: readonly number[]): number {
  const size = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return theirs.reduce((most, value, i) => Math.max(most, Math.abs(ours[i] - value) / size), 0);
}

describe('flows of other libraries, imported and exported', () => {
  it.each(writtenVectors)('%s comes back under its names, moved weights bit for bit', (name, config) =>
    leavesNoTensors(async () => {
      const given = readNpz(fixture(`vector/${name}/weights.npz`));
      const flow = await importCheckpoint<Flow>(fixture(`vector/${name}/weights.npz`), { config });
      const bytes = await exportStateDict(flow, libraryOf(name));
      const found = namesOf(bytes);
      flow.dispose();
      expect(inspectCheckpoint(bytes).guesses).toEqual([]);
      const root = name.includes('sbi') ? 'net.' : '';
      expect([...found.keys()].map((key) => root + key).sort()).toEqual(Object.keys(given).sort());
      for (const [key, tensor] of found) {
        const array = given[root + key];
        expect(tensor.shape, key).toEqual(array.shape);
        const theirs = unmasked(key, (part) => given[root + part]?.data);
        const ours = unmasked(key, (part) => found.get(part)?.read().data);
        // Last layers of nflows' splines are scaled and offset, diagonals and deviations go through functions.
        const folded = /final_layer|unconditional|_embedding|_scale|_shift|base\.|diag/.test(key);
        expect(furthest(ours, theirs), key).toBeLessThanOrEqual(folded ? 3e-7 : 0);
      }
    }),
  );
});

const small = { dimensions: 3, layers: 2, bins: 4 };
const perceptrons = { hiddenUnits: [9, 9] };

/** Flows of ours, and what the metadata say that the names do not. */
const flows: [name: string, library: Library, make: () => Flow, config: VectorSettings][] = [
  [
    'splines in couplings',
    'nflows',
    () => neuralSplineFlow({ ...small, hiddenUnits: 9, context: 2 }),
    { activation: 'relu', bound: 5, divided: true },
  ],
  [
    'splines in plain couplings',
    'nflows',
    () => neuralSplineFlow({ ...small, hiddenUnits: [9, 7, 5], activation: 'elu' }),
    { bound: 5, activation: 'elu' },
  ],
  [
    'splines, autoregressive',
    'nflows',
    () => neuralSplineFlow({ ...small, form: 'autoregressive', hiddenUnits: 9, bound: 4 }),
    { activation: 'relu', bound: 4, divided: false },
  ],
  [
    'affine, autoregressive',
    'nflows',
    () =>
      maskedAutoregressiveFlow({
        dimensions: 3,
        layers: 2,
        hiddenUnits: 9,
        activation: 'silu',
        transformer: new AffineTransformer({ scale: 'softplus' }),
      }),
    { activation: 'silu', scale: 'softplus' },
  ],
  [
    'splines of zuko',
    'zuko',
    () =>
      neuralSplineFlow({ ...small, ...perceptrons, form: 'autoregressive', limits: 'softclip', context: 2 }),
    { activation: 'relu', bound: 5 },
  ],
  [
    'affine maps of zuko',
    'zuko',
    () => maskedAutoregressiveFlow({ dimensions: 3, layers: 2, ...perceptrons }),
    { activation: 'relu' },
  ],
  [
    'couplings of zuko',
    'zuko',
    () => realNvp({ dimensions: 3, layers: 2, ...perceptrons, scale: 'softclip' }),
    { activation: 'relu' },
  ],
  [
    'mixture of zuko',
    'zuko',
    () =>
      maskedAutoregressiveFlow({
        dimensions: 3,
        layers: 1,
        ...perceptrons,
        base: new NormalMixture({ eventShape: [3], components: 2, seed: 1 }),
      }),
    { activation: 'relu' },
  ],
];

function moved(make: () => Flow): Flow {
  const flow = make();
  stir(flow, 0.1, 2);
  flow.markInitialized();
  return flow;
}

describe('flows of ours, exported and imported', () => {
  it.each(flows)(
    '%s: the same densities without options, and the same file again',
    (_, library, make, config) =>
      leavesNoTensors(async () => {
        const flow = moved(make);
        const bytes = await exportStateDict(flow, library);
        const again = await importCheckpoint<VectorFlow>(bytes);
        tf.tidy(() => {
          const random = new RandomStream(5);
          const x = random.normal([20, 3], 0, 2);
          const context = flow.contextShape && { context: random.normal([20, 2]) };
          const [ours, theirs] = [flow, again].map((each) => each.logProb(x, context ?? {}));
          const size = tf.maximum(tf.abs(ours), 1);
          expect(tf.max(tf.div(tf.abs(tf.sub(ours, theirs)), size)).dataSync()[0]).toBeLessThan(2e-5);
        });
        expect(inspectCheckpoint(bytes).guesses).toEqual([]);
        expect(JSON.parse(readSafetensors(bytes).metadata.config)).toEqual(config);
        const [first, second] = [bytes, await exportStateDict(again, library)].map(namesOf);
        expect([...second.keys()].sort()).toEqual([...first.keys()].sort());
        for (const [key, tensor] of first) {
          expect(second.get(key)?.dtype, key).toBe(tensor.dtype);
          const [ours, theirs] = [first, second].map((all) =>
            Array.from(all.get(key)?.read().data ?? [], Number),
          );
          expect(furthest(ours, theirs), key).toBe(0);
        }
        flow.dispose();
        again.dispose();
      }),
  );

  it('metadata keep weights that other names round; where a tensor was changed since, the tensor counts', () =>
    leavesNoTensors(async () => {
      const flow = moved(() => neuralSplineFlow({ ...small, hiddenUnits: [5], seed: 1 }));
      const { tensors, metadata } = readSafetensors(await exportStateDict(flow, 'nflows'));
      flow.dispose();
      const arrays = Object.fromEntries([...tensors].map(([name, tensor]) => [name, tensor.read()]));
      const kept: Record<string, number[]> = JSON.parse(metadata.weights);
      const again = async (changed: Record<string, NdArray>, beside: Record<string, string>) => {
        const copy = await importCheckpoint<Flow>(writeSafetensors({ ...arrays, ...changed }, beside));
        const found = copy.weights.map(({ name, variable }) => [name, [...variable.dataSync()]] as const);
        copy.dispose();
        return new Map(found);
      };
      const names = Object.keys(kept);
      const exact = await again({}, metadata);
      for (const name of names) expect(exact.get(name), name).toEqual(kept[name]);
      const { weights: _, ...rest } = metadata;
      const rounded = await again({}, rest);
      for (const name of names) {
        expect(rounded.get(name), name).not.toEqual(kept[name]);
        expect(furthest(rounded.get(name)!, kept[name])).toBeLessThan(1e-6);
      }
      const diagonal = Object.keys(arrays).find((name) => name.endsWith('unconstrained_upper_diag'))!;
      const { shape, data } = arrays[diagonal];
      const raised = { shape, data: Float32Array.from(data, (raw) => raw + 0.01) };
      const changed = await again({ [diagonal]: raised }, metadata);
      const scale = names.find((name) => name.endsWith('logScale') && kept[name].length === data.length)!;
      const rises = changed.get(scale)!.map((value, i) => value - kept[scale][i]);
      expect(Math.min(...rises)).toBeGreaterThan(0.003);
      await expect(again({}, { ...metadata, weights: '[1' })).rejects.toThrow(FormatError);
    }));

  it('files tell types and the lines of Python that build the flow', async () => {
    const flow = neuralSplineFlow({ dimensions: 2, layers: 1, bins: 4, hiddenUnits: 8, context: 1, seed: 1 });
    const { tensors, metadata } = readSafetensors(await exportStateDict(flow, 'nflows'));
    flow.dispose();
    expect(metadata.code).toBe('nflows');
    expect(tensors.get('_transform._transforms.1._permutation')?.dtype).toBe('I64');
    const lines = metadata.python.split('\n');
    expect(lines.slice(-10)).toEqual(
      [
        'flow = flows.Flow(',
        '    transforms.CompositeTransform([',
        '        transforms.PointwiseAffineTransform(torch.zeros(2), torch.ones(2)),',
        expect.stringMatching(/^ {8}transforms.Permutation\(torch.tensor\(\[[01], [01]\]\)\),$/),
        '        transforms.LULinear(2),',
        "        transforms.PiecewiseRationalQuadraticCouplingTransform([-1, 1], lambda i, o: ResidualNet(i, o, 8, context_features=1, num_blocks=2, activation=F.relu), num_bins=4, tails='linear', tail_bound=5.0, apply_unconditional_transform=True),",
        '        transforms.LULinear(2),',
        '    ]),',
        '    distributions.StandardNormal([2]),',
        ')',
      ].slice(-10),
    );
  });

  it('nflows gives its plain networks a context, which the lines take', async () => {
    const flow = neuralSplineFlow({
      dimensions: 2,
      layers: 1,
      hiddenUnits: [8, 6],
      activation: 'tanh',
      seed: 1,
    });
    const { tensors, metadata } = readSafetensors(await exportStateDict(flow, 'nflows'));
    flow.dispose();
    const net = '_transform._transforms.3.transform_net';
    expect(tensors.get(`${net}._hidden_layers.0.weight`)?.shape).toEqual([6, 8]);
    expect(metadata.python).toContain('class Perceptron(MLP):\n    def forward(self, inputs, context=None):');
    expect(metadata.python).toContain('lambda i, o: Perceptron([i], [o], [8, 6], activation=torch.tanh)');
  });

  it.each([
    ['neuralSplineFlow', 'nflows', () => neuralSplineFlow({ dimensions: 3 })],
    [
      'neuralSplineFlow, autoregressive',
      'nflows',
      () => neuralSplineFlow({ dimensions: 3, form: 'autoregressive' }),
    ],
    ['maskedAutoregressiveFlow', 'zuko', () => maskedAutoregressiveFlow({ dimensions: 3 })],
    [
      'maskedAutoregressiveFlow with a context',
      'zuko',
      () => maskedAutoregressiveFlow({ dimensions: 3, context: 2 }),
    ],
    [
      'neuralSplineFlow with a context and hiddenUnits: 64',
      'nflows',
      () => neuralSplineFlow({ dimensions: 3, context: 2, hiddenUnits: 64 }),
    ],
    [
      'neuralSplineFlow, autoregressive, with limits of zuko',
      'zuko',
      () => neuralSplineFlow({ dimensions: 3, context: 2, form: 'autoregressive', limits: 'softclip' }),
    ],
    [
      'maskedAutoregressiveFlow with softplus',
      'nflows',
      () =>
        maskedAutoregressiveFlow({
          dimensions: 3,
          transformer: new AffineTransformer({ scale: 'softplus' }),
        }),
    ],
    ['realNvp with softclip', 'zuko', () => realNvp({ dimensions: 3, context: 2, scale: 'softclip' })],
  ] as [string, Library, () => Flow][])('%s, all else by default, is a flow of %s', (_, library, make) =>
    leavesNoTensors(async () => {
      const flow = make();
      const { metadata } = readSafetensors(await exportStateDict(flow, library));
      flow.dispose();
      expect(metadata.python).toContain('flow = ');
    }),
  );

  it('all that a library cannot express is told at once', () =>
    leavesNoTensors(async () => {
      const flow = neuralSplineFlow({
        columns: ['a', 'b'],
        supports: { a: 'positive' },
        layers: 1,
        hiddenUnits: 8,
        base: new StudentT({ eventShape: [2] }),
      });
      const told = await exportStateDict(flow, 'zuko').catch((error) => error);
      flow.dispose();
      expect(told).toBeInstanceOf(ConfigError);
      for (const reason of [
        'supports: zuko has no Factorized',
        "coupling0: its network is residual; zuko's couplings have perceptrons (hiddenUnits: [64, 64])",
        'what passes is bent, which zuko leaves as it is',
        "its splines have limits 'minimum', not 'softclip'",
        'base: zuko has no StudentT',
      ]) {
        expect(told.message).toContain(reason);
      }
    }));

  it.each([
    [
      'default couplings',
      'nflows',
      () => realNvp({ dimensions: 2, layers: 1 }),
      'nflows has no AffineCoupling',
    ],
    [
      'a context beside what passes',
      'nflows',
      () => neuralSplineFlow({ dimensions: 2, layers: 1, context: 1 }),
      "a perceptron that reads the context; in nflows' couplings residual ones do (hiddenUnits: 64)",
    ],
    [
      'networks of one layer',
      'nflows',
      () => neuralSplineFlow({ dimensions: 2, layers: 1, hiddenUnits: [] }),
      "its network is one layer; nflows' MLP has hidden ones",
    ],
    [
      'a context by gates',
      'nflows',
      () =>
        neuralSplineFlow({ dimensions: 2, layers: 1, form: 'autoregressive', context: 1, hiddenUnits: 8 }),
      "its network reads the context as 'gates', not as 'shifts'",
    ],
    [
      'blocks through an activation',
      'zuko',
      () => maskedAutoregressiveFlow({ dimensions: 2, layers: 1, hiddenUnits: 8 }),
      'its blocks read their input through the activation',
    ],
    [
      'smooth limits',
      'nflows',
      () => neuralSplineFlow({ dimensions: 2, layers: 1, limits: 'softclip' }),
      "its splines have limits 'softclip', not 'minimum'",
    ],
  ] as [string, Library, () => Flow, string][])('%s cannot be written for %s', (_, library, make, reason) =>
    leavesNoTensors(async () => {
      const flow = make();
      await expect(exportStateDict(flow, library)).rejects.toThrow(reason);
      flow.dispose();
    }),
  );

  it('a Glow is no flow over vectors, and a flow over vectors no Glow', () =>
    leavesNoTensors(async () => {
      const flow = realNvp({ dimensions: 2, layers: 1 });
      await expect(exportStateDict(flow, 'chaiyujin')).rejects.toThrow('a Glow for chaiyujin');
      flow.dispose();
    }));
});
