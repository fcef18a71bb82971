import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  CompactAdam,
  ConfigError,
  DisposedError,
  type FitOptions,
  fit,
  type OptimizerName,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyGradients } from '../../src/training/applyGradients';
import {
  checkOptimizerFits,
  disposeOptimizer,
  getLearningRate,
  makeOptimizer,
  optimizerTensors,
  restoreOptimizer,
  setLearningRate,
} from '../../src/training/optimizers';
import { memoryHandler, ToyFlow, toyData, weightsOf } from './toys';

const LR = 0.1;
const EPSILON = 1e-7;

/** One weight's way under the gradients g, by each optimizer's published formula. */
const formulas: Record<OptimizerName, (w: number, gradients: number[]) => number[]> = {
  sgd: (w, gs) => follow(w, gs, (g) => LR * g),
  // Polyak (1964): the velocity takes the whole gradient.
  momentum: (w, gs) => {
    let velocity = 0;
    return follow(w, gs, (g) => {
      velocity = 0.9 * velocity + g;
      return LR * velocity;
    });
  },
  // Duchi et al. (2011), from 0.1 on as in tf.train.
  adagrad: (w, gs) => {
    let sum = 0.1;
    return follow(w, gs, (g) => {
      sum += g ** 2;
      return (LR * g) / Math.sqrt(sum + EPSILON);
    });
  },
  // Zeiler (2012), but that tf.train divides by the mean square before the step, not after it.
  adadelta: (w, gs) => {
    let [meanSquare, meanUpdate] = [0, 0];
    // The decay that tf.train.adadelta has by default.
    const rho = 0.95;
    return follow(w, gs, (g) => {
      const update = (Math.sqrt(meanUpdate + 1e-7) / Math.sqrt(meanSquare + 1e-7)) * g;
      meanSquare = rho * meanSquare + (1 - rho) * g ** 2;
      meanUpdate = rho * meanUpdate + (1 - rho) * update ** 2;
      return LR * update;
    });
  },
  adam,
  compactAdam: adam,
  // Kingma and Ba (2014), algorithm 2.
  adamax: (w, gs) => {
    let [m, u] = [0, 0];
    return follow(w, gs, (g, t) => {
      m = 0.9 * m + 0.1 * g;
      u = Math.max(0.999 * u, Math.abs(g));
      return ((LR / (1 - 0.9 ** t)) * m) / (u + EPSILON);
    });
  },
  // Tieleman and Hinton (2012).
  rmsprop: (w, gs) => {
    let meanSquare = 0;
    return follow(w, gs, (g) => {
      meanSquare = 0.9 * meanSquare + 0.1 * g ** 2;
      return (LR * g) / Math.sqrt(meanSquare + EPSILON);
    });
  },
};

/** Kingma and Ba (2014), algorithm 1. */
function adam(w: number, gs: number[]): number[] {
  let [m, v] = [0, 0];
  return follow(w, gs, (g, t) => {
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g ** 2;
    return (LR * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + EPSILON);
  });
}

function follow(start: number, gradients: number[], step: (g: number, t: number) => number): number[] {
  let w = start;
  return gradients.map((g, i) => {
    w -= step(g, i + 1);
    return w;
  });
}

const names = Object.keys(formulas) as OptimizerName[];

for (const backend of ['cpu', 'wasm']) {
  describe(`optimizers on ${backend}`, () => {
    beforeEach(async () => {
      await (backend === 'wasm' ? prepareWasm({ threads: 1 }) : tf.setBackend('cpu'));
    });

    it.each(names.flatMap((name) => [1, 0.25].map((scale) => [name, scale] as const)))(
      '%s takes two steps by its formula, the second with gradients times %d',
      (name, scale) => {
        const before = tf.memory().numTensors;
        const starts = [0.5, -2, 3];
        const gradients = [
          [0.3, -4, 1e-3],
          [-0.7, -1, 2e-3],
        ];
        const variable = tf.tidy(() => tf.variable(tf.tensor1d(starts)));
        // Left alone, with its moments, where it has no gradient.
        const other = tf.tidy(() => tf.variable(tf.tensor1d([1])));
        const optimizer = makeOptimizer(name, LR);
        const expected = starts.map((w, i) =>
          formulas[name](
            w,
            gradients.map((g, step) => (step === 0 ? g[i] : scale * g[i])),
          ),
        );
        for (const [step, gradient] of gradients.entries()) {
          const otherGradient = step === 0 ? null : tf.tensor1d([0.3]);
          applyGradients(
            optimizer,
            [variable, other],
            [tf.tensor1d(gradient), otherGradient],
            step === 0 ? 1 : scale,
          );
          for (const [i, value] of variable.dataSync().entries()) {
            const moved = Math.abs(expected[i][step] - starts[i]);
            // Float32; moments of 8 and 9 bits are off by half a percent and a quarter.
            const tolerance = name === 'compactAdam' ? 0.02 * moved : 1e-5 * moved;
            expect(Math.abs(value - expected[i][step]), `weight ${i}, step ${step}`).toBeLessThan(
              tolerance + 3e-7,
            );
          }
          expect(other.dataSync()[0] === 1).toBe(step === 0);
        }
        disposeOptimizer(optimizer);
        tf.dispose([variable, other]);
        expect(tf.memory().numTensors).toBe(before);
      },
    );

    it.each(names)('%s changes no values of anybody else, those of a clone for one', (name) => {
      const variable = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
      const clone = tf.clone(variable);
      const optimizer = makeOptimizer(name, LR);
      for (let step = 0; step < 2; step++) applyGradients(optimizer, [variable], [tf.tensor1d([1, -1])]);
      expect([...clone.dataSync()]).toEqual([1, 2]);
      expect(variable.dataSync()[0]).toBeLessThan(1);
      disposeOptimizer(optimizer);
      tf.dispose([variable, clone]);
    });

    it.each(names)('%s goes by the learning rate that is set', (name) => {
      const [slow, fast] = [0.01, 0.2].map((rate) => {
        const variable = tf.tidy(() => tf.variable(tf.tensor1d([1])));
        const optimizer = makeOptimizer(name, 5);
        setLearningRate(optimizer, rate);
        expect(getLearningRate(optimizer)).toBe(rate);
        applyGradients(optimizer, [variable], [tf.tensor1d([0.5])]);
        const moved = 1 - variable.dataSync()[0];
        disposeOptimizer(optimizer);
        variable.dispose();
        return moved;
      });
      expect(fast / slow).toBeCloseTo(20, 1);
    });
  });
}

/** How far one step along a gradient of 1 takes a weight, in learning rates where moments are new. */
function stepOf(optimizer: tf.Optimizer): number {
  const variable = tf.tidy(() => tf.variable(tf.scalar(0)));
  optimizer.applyGradients([{ name: variable.name, tensor: tf.scalar(1) }]);
  const moved = -variable.dataSync()[0];
  variable.dispose();
  return moved;
}

describe('the learning rate of a given optimizer', () => {
  const rows = toyData(8);
  const broken = () => {
    throw new Error('broken');
  };
  const paths: [string, FitOptions, Record<string, unknown>?][] = [
    ['at the end', {}],
    ['where a schedule changed it', { schedule: { kind: 'step', every: 1, factor: 0.1 } }],
    ['where a callback throws', { callbacks: { onBatchEnd: broken } }],
    ['where a callback throws at the end', { callbacks: { onTrainEnd: broken } }],
    ['where a callback stops', { callbacks: { onBatchEnd: () => false } }],
    ['where the checkpoint is not there', { resume: { load: async () => broken() } }],
    ['where a checkpoint cannot be written', { checkpoint: { location: { save: async () => broken() } } }],
    ['where validation throws', { validationData: [[1e30, 1e30]] }],
    ['where the loss throws', {}, { loss: broken }],
    ['where the loss is NaN', {}, { loss: () => ({ loss: tf.scalar(Number.NaN), metrics: {} }) }],
    ['where data are refused', { validationSplit: 0.99 }],
  ];

  beforeEach(async () => {
    await tf.setBackend('cpu');
  });

  it.each(paths)('is put back %s', async (_, options, changes = {}) => {
    // Plain SGD holds its rate in a tensor besides.
    const optimizer = tf.train.sgd(0.75);
    const model = Object.assign(new ToyFlow(), changes);
    const before = tf.memory().numTensors;
    const run = fit(model, rows, {
      progress: 'none',
      batchSize: 4,
      optimizer,
      learningRate: 1e-3,
      ...options,
    });
    await run.catch(() => undefined);
    expect(getLearningRate(optimizer)).toBe(0.75);
    expect(stepOf(optimizer)).toBeCloseTo(0.75, 6);
    expect(tf.memory().numTensors - before).toBe(1);
    optimizer.dispose();
    model.dispose();
    tf.disposeVariables();
  });

  it('is the one that training starts from', async () => {
    const optimizer = tf.train.momentum(0.02, 0.5);
    const model = new ToyFlow();
    const { epochs } = await fit(model, rows, { progress: 'none', optimizer });
    expect(epochs[0].learningRate).toBe(0.02);
    optimizer.dispose();
    model.dispose();
  });
});

describe('an optimizer of other weights', () => {
  const rows = toyData(8);
  const options: FitOptions = { progress: 'none', batchSize: 4, seed: 1 };

  beforeEach(async () => {
    await tf.setBackend('cpu');
  });

  const stateful: [string, () => tf.Optimizer][] = [
    ['momentum', () => tf.train.momentum(0.01, 0.9)],
    ['adagrad', () => tf.train.adagrad(0.01)],
    ['adadelta', () => tf.train.adadelta(0.01)],
    ['adam', () => tf.train.adam(0.01)],
    ['adamax', () => tf.train.adamax(0.01)],
    ['rmsprop', () => tf.train.rmsprop(0.01)],
    ['compactAdam', () => new CompactAdam(0.01)],
  ];

  it.each(stateful)('is refused, %s, also where all shapes are the same', async (_, make) => {
    const [model, twin] = [new ToyFlow(), new ToyFlow()];
    const optimizer = make();
    await fit(model, rows, { ...options, optimizer });
    const before = weightsOf(twin);
    const run = fit(twin, rows, { ...options, optimizer });
    await expect(run).rejects.toThrow(
      /new or has trained this model, got .* whose accumul\w+ belong to other weights/,
    );
    expect(weightsOf(twin)).toEqual(before);
    await fit(model, rows, { ...options, optimizer });
    disposeOptimizer(optimizer);
    model.dispose();
    twin.dispose();
  });

  it('is no matter where it remembers nothing', async () => {
    const [model, twin] = [new ToyFlow(), new ToyFlow()];
    const optimizer = tf.train.sgd(0.01);
    await fit(model, rows, { ...options, optimizer });
    await fit(twin, rows, { ...options, optimizer });
    optimizer.dispose();
    model.dispose();
    twin.dispose();
  });

  it('is taken where a checkpoint or somebody brings it the right accumulators', async () => {
    const [model, twin] = [new ToyFlow(), new ToyFlow()];
    const optimizer = tf.train.adam(0.01);
    const location = memoryHandler();
    await fit(model, rows, { ...options, optimizer, checkpoint: { location } });
    const whole = await fit(model, rows, { ...options, optimizer, epochs: 2, resume: location });
    // The same instance and a model of the same kind: all of its state is replaced.
    const resumed = await fit(twin, rows, { ...options, optimizer, epochs: 2, resume: location });
    expect(resumed.losses).toEqual(whole.losses);
    expect(weightsOf(twin)).toEqual(weightsOf(model));
    const restored = tf.train.adam(0.01);
    await restored.setWeights(await optimizer.getWeights());
    await fit(model, rows, { ...options, optimizer: restored });
    await expect(fit(twin, rows, { ...options, optimizer: restored })).rejects.toThrow(ConfigError);
    for (const made of [optimizer, restored]) made.dispose();
    model.dispose();
    twin.dispose();
  });

  it('is refused by shape and by number', () => {
    const variables = [[2], [3]].map((shape) => tf.tidy(() => tf.variable(tf.zeros(shape))));
    const optimizer = tf.train.adam(0.01);
    applyGradients(optimizer, variables, [tf.ones([2]), tf.ones([3])]);
    expect(() => checkOptimizerFits(optimizer, variables)).not.toThrow();
    expect(() => checkOptimizerFits(optimizer, variables.slice(0, 1))).toThrow(ConfigError);
    expect(() => checkOptimizerFits(optimizer, [variables[1], variables[0]])).toThrow(ConfigError);
    const names = ['a', 'b'];
    const saved = optimizerTensors(optimizer, names);
    const copy = tf.train.adam(0.01);
    restoreOptimizer(copy, new Map(saved.map(({ name, tensor }) => [name, tensor])), names, 1);
    // Nobody knows whose they were, so the shapes decide.
    expect(() => checkOptimizerFits(copy, variables)).not.toThrow();
    expect(() => checkOptimizerFits(copy, [variables[1], variables[0]])).toThrow(ConfigError);
    for (const made of [optimizer, copy]) made.dispose();
    tf.dispose(variables);
  });

  it('is refused after it was disposed', async () => {
    const model = new ToyFlow();
    for (const make of [() => tf.train.sgd(0.1), () => tf.train.adam(0.1), () => tf.train.adagrad(0.1)]) {
      const optimizer = make();
      await fit(model, rows, { ...options, optimizer });
      disposeOptimizer(optimizer);
      await expect(fit(model, rows, { ...options, optimizer })).rejects.toThrow(DisposedError);
    }
    model.dispose();
  });
});
