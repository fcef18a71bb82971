import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  Bijector,
  Classifier,
  Conditioner,
  Distribution,
  type Flow,
  loadModule,
  Module,
  moduleFromArtifacts,
  registerModule,
  saveModule,
  serializeModule,
} from 'tfjs-flows';
import { beforeEach, describe, expect, it } from 'vitest';
import { fixture } from '../support/fixture';
import { leavesNoTensors } from '../support/leaks';
import { memoryHandler, weightsOf } from '../training/toys';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Config = { [key: string]: Json };
type ModuleClass = (new (options: Config) => Module) & { className: string; prototype: Module };

/** One file of each class. */
const files = {
  FlowActNorm: 'actNormVector',
  FlowAdditiveCoupling: 'additiveCouplingVector',
  FlowAffineCoupling: 'affineCouplingVector',
  FlowBounded: 'bounded',
  FlowCategorical: 'categorical',
  FlowChain: 'chain',
  FlowCircular: 'circular',
  FlowClassifier: 'classifier',
  FlowConvolution: 'convolution',
  FlowConvolutionNetwork: 'convolutionNetwork',
  FlowDequantize: 'dequantizeLogit',
  FlowDiagonalNormal: 'diagonalNormal',
  FlowElementwise: 'elementwise',
  FlowFactorized: 'factorized',
  FlowFlatten: 'flatten',
  FlowFlow: 'realNvp',
  FlowGlow: 'glow',
  FlowHeavyTails: 'heavyTails',
  FlowImageFlow: 'imageFlow',
  FlowInvConv1x1: 'invConvLuVector',
  FlowInvert: 'invert',
  FlowLayersNetwork: 'layersNetwork',
  FlowLearnedPrior: 'learnedPriorBorder',
  FlowLinear: 'linearLu',
  FlowMarginalQuantiles: 'marginalQuantiles',
  FlowMaskedAutoregressive: 'maskedAutoregressive',
  FlowMaskedPerceptron: 'maskedPerceptron',
  FlowMaskedResidualPerceptron: 'maskedResidualPerceptron',
  FlowMultiScale: 'multiScale',
  FlowMultilayerPerceptron: 'perceptron',
  FlowNormalMixture: 'normalMixture',
  FlowOrdered: 'ordered',
  FlowPermutation: 'permutationGiven',
  FlowResidualPerceptron: 'residualPerceptron',
  FlowSimplex: 'simplex',
  FlowSplit: 'splitVector',
  FlowSqueeze: 'squeeze',
  FlowStackedBase: 'stackedBase',
  FlowStandardNormal: 'standardNormal',
  FlowStandardize: 'standardize',
  FlowStudentT: 'studentT',
  FlowTransformerCoupling: 'transformerCoupling',
  FlowUniformBox: 'uniformBox',
  FlowVectorFlow: 'vectorFlow',
};

interface Saved {
  artifacts: Omit<tf.io.ModelArtifacts, 'weightData'> & { weightData: string };
  x: { shape: number[]; values: number[] };
  context?: { shape: number[]; values: number[] };
}

const saved = (file: string): Saved => JSON.parse(new TextDecoder().decode(fixture(`saved/${file}.json`)));

/** The class as somebody might extend it: a field of its own in the configuration, and one hook that does one more. */
function extended(base: ModuleClass): ModuleClass {
  class Extended extends base {
    static override className = base.className.replace('Flow', 'Extended');
    readonly note: string;

    constructor(options: Config) {
      super(options);
      this.note = options.note as string;
    }

    override getConfig(): tf.serialization.ConfigDict {
      return { ...base.prototype.getConfig.call(this), note: this.note };
    }
  }
  override(Extended.prototype);
  return Extended;
}

/** Adds 1 to what the kind's hook gives. */
function override(prototype: Module): void {
  const hook =
    prototype instanceof Bijector
      ? 'computeForward'
      : prototype instanceof Conditioner
        ? 'compute'
        : prototype instanceof Distribution
          ? 'computeLogProb'
          : prototype instanceof Classifier
            ? 'logits'
            : 'logProb';
  type Result = tf.Tensor | { value: tf.Tensor; logDet: tf.Tensor };
  const hooks = prototype as unknown as Record<string, (...given: unknown[]) => Result>;
  const original = hooks[hook];
  hooks[hook] = function (this: unknown, ...given: unknown[]) {
    const result = original.apply(this, given);
    if (result instanceof tf.Tensor) return tf.tidy(() => tf.add(result, 1));
    return { ...result, value: tf.add(result.value, 1) };
  };
}

/** What a kind's verb gives, on the host. */
function verb(module: Module, { x, context }: Saved): number[] {
  return tf.tidy(() => {
    const input = tf.tensor(x.values, x.shape, 'float32');
    const given = context && tf.tensor(context.values, context.shape, 'float32');
    const result =
      module instanceof Bijector
        ? module.forward(input, given).value
        : module instanceof Conditioner
          ? module.apply(input, given)
          : module instanceof Distribution
            ? module.logProb(input, given)
            : module instanceof Classifier
              ? module.logits(input)
              : (module as Flow).logProb(input, { context: given, seed: 1 });
    return [...result.dataSync()];
  });
}

/** The JSON of a module with classes of the tree replaced by their extensions, which get a note. */
function replaced(content: Json, classes: ReadonlySet<string>): Json {
  if (Array.isArray(content)) return content.map((entry) => replaced(entry, classes));
  if (typeof content !== 'object' || content === null) return content;
  const entries = Object.entries(content).map(([key, value]) => [key, replaced(value, classes)]);
  const copy: Config = Object.fromEntries(entries);
  if (typeof copy.className !== 'string' || !classes.has(copy.className)) return copy;
  const { className, config } = copy as { className: string; config: Config };
  return {
    ...copy,
    className: className.replace('Flow', 'Extended'),
    config: { ...config, note: className },
  };
}

function load({ artifacts }: Saved, classes: readonly string[]): Module {
  const { modelTopology, weightData, ...rest } = artifacts;
  const topology = modelTopology as unknown as Config;
  return moduleFromArtifacts({
    ...rest,
    modelTopology: { ...topology, content: replaced(topology.content, new Set(classes)) } as Config,
    weightData: Uint8Array.from(Buffer.from(weightData, 'base64')).buffer,
  });
}

const registered = tf.serialization.SerializationMap.getMap().classNameMap;
// Optimizers and transformers are registered under the same prefix.
const classNames = Object.keys(registered).filter(
  (name) => name.startsWith('Flow') && registered[name][0].prototype instanceof Module,
);
for (const name of classNames) registerModule(extended(registered[name][0] as never) as never);

beforeEach(() => tf.setBackend('cpu'));

describe('a subclass that somebody registered', () => {
  it('is tested for every class', () => {
    expect(Object.keys(files)).toEqual([...classNames].sort());
  });

  it.each(Object.entries(files))('of %s is saved and loaded as itself', async (name, file) => {
    const given = saved(file);
    await leavesNoTensors(async () => {
      const plain = load(given, []);
      const made = load(given, [name]);
      const handler = memoryHandler();
      await saveModule(made, handler);
      const loaded = await loadModule<Module & { note: string }>(handler);
      expect(loaded.constructor).toBe(made.constructor);
      expect(loaded.getClassName()).toBe(name.replace('Flow', 'Extended'));
      expect(loaded.note).toBe(name);
      expect(weightsOf(loaded)).toEqual(weightsOf(made));
      expect(serializeModule(loaded)).toEqual(serializeModule(made));
      // Its hook is used, not the parent's: everything is one more (float32 near 1000 keeps four decimals).
      const expected = verb(plain, given).map((value) => value + 1);
      verb(loaded, given).forEach((value, i) => void expect(value).toBeCloseTo(expected[i], 3));
      for (const module of [plain, made, loaded]) module.dispose();
    });
  });

  it.each(['chain', 'realNvp', 'multiScale', 'imageFlow', 'affineCouplingLayersModel', 'splitOwnNetwork'])(
    'is found again wherever it stands in a tree: %s',
    async (file) => {
      const made = load(saved(file), classNames);
      const handler = memoryHandler();
      await saveModule(made, handler);
      const loaded = await loadModule<Module>(handler);
      const members = (module: Module): Module[] => [module, ...module.children.flatMap(members)];
      const constructors = (module: Module) => members(module).map((member) => member.constructor);
      expect(constructors(loaded)).toEqual(constructors(made));
      // Beside what a class makes for itself, all are extensions.
      expect(members(loaded).filter((member) => 'note' in member).length).toBeGreaterThan(1);
      expect(serializeModule(loaded)).toEqual(serializeModule(made));
      made.dispose();
      loaded.dispose();
    },
  );
});
