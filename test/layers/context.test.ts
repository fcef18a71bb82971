import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  AffineCoupling,
  Chain,
  ConfigError,
  type ContextOption,
  ConvolutionNetwork,
  DiagonalNormal,
  deserializeModule,
  LayersNetwork,
  LearnedPrior,
  MultilayerPerceptron,
  RandomStream,
  ReversePass,
  ShapeError,
  StandardNormal,
  serializeModule,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let before: number;
beforeEach(async () => {
  await tf.setBackend('cpu');
  before = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors).toBe(before);
});

const values = (x: tf.Tensor) => Array.from(x.dataSync());

describe('MultilayerPerceptron', () => {
  it('reads the parts of a context flattened, in the order in which they were declared', () => {
    tf.tidy(() => {
      const options = { inputShape: [1], units: 1, hiddenUnits: [] };
      const network = new MultilayerPerceptron({ ...options, context: { b: [2, 2], a: 1 } });
      const [kernel] = network.weights;
      kernel.variable.assign(tf.tensor2d([[1], [10], [20], [30], [40], [1000]]));
      const b = tf.tensor3d([
        [
          [1, 2],
          [3, 4],
        ],
      ]);
      const y = network.apply(tf.tensor2d([[7]]), { a: tf.tensor2d([[5]]), b });
      expect(values(y)).toEqual([7 + 10 + 40 + 90 + 160 + 5000]);
      network.dispose();
    });
  });

  it('reads configurations of files that give the length of a vector', () => {
    const config = { name: 'network', inputShape: [1], units: 2, hiddenUnits: [3], activation: 'relu' };
    const load = (contextSize: number) =>
      deserializeModule<MultilayerPerceptron>({
        className: 'FlowMultilayerPerceptron',
        config: { ...config, contextSize },
      });
    const [none, two] = [load(0), load(2)];
    expect([none.contextShape, two.contextShape]).toEqual([undefined, [2]]);
    expect(serializeModule(two).config.context).toEqual([2]);
    none.dispose();
    two.dispose();
  });
});

describe('labels of classes', () => {
  it('and a context of networks live in one chain, by name; holders hand each its part', () => {
    tf.tidy(() => {
      const chain = Chain.from(
        [2],
        [
          (inputShape) =>
            new AffineCoupling({
              inputShape,
              network: ([d], [units]) =>
                new MultilayerPerceptron({ inputShape: [d], units, context: { pose: 3 }, seed: 1 }),
            }),
          (inputShape) => new LearnedPrior({ inputShape, classes: { labels: 2 } }),
        ],
      );
      expect(chain.contextShape).toEqual({ pose: [3], labels: [2] });
      const prior = chain.weights.find(({ name }) => name === 'prior/classWeights');
      prior?.variable.assign(
        tf.tensor2d([
          [1, 2, 0, 0],
          [3, 4, 0, 0],
        ]),
      );
      const labels = tf.tensor2d([
        [0, 1],
        [1, 0],
      ]);
      const context = { labels, pose: tf.zeros([2, 3]) };
      // The network returns 0 at the start: s = sigmoid(2) and no shift.
      const s = 1 / (1 + Math.exp(-2));
      const { value } = chain.forward(tf.ones([2, 2]), context);
      [-2, s - 4, 0, s - 2].forEach((expected, i) => {
        expect(value.dataSync()[i]).toBeCloseTo(expected, 5);
      });
      const { pose } = context;
      expect(() => chain.forward(tf.ones([2, 2]), { pose })).toThrow("got none for 'labels'");
      expect(() => chain.forward(tf.ones([2, 2]), { ...context, light: pose })).toThrow("a part 'light'");
      expect(() => chain.forward(tf.ones([2, 2]))).toThrow(ShapeError);
      chain.dispose();
    });
  });

  it('of a base: integers as labels and as events give what floats give', () => {
    tf.tidy(() => {
      const base = new DiagonalNormal({ eventShape: [2], classes: { labels: 3 } });
      for (const { variable } of base.weights) {
        variable.assign(new RandomStream(3).normal(variable.shape, 0, 0.5));
      }
      const [z, labels] = [tf.tensor2d([[1, -2]], [1, 2], 'int32'), tf.oneHot(tf.tensor1d([2], 'int32'), 3)];
      const asFloats = { labels: tf.cast(labels, 'float32') };
      expect(values(base.logProb(z, { labels }))).toEqual(
        values(base.logProb(tf.cast(z, 'float32'), asFloats)),
      );
      const draw = (context: { labels: tf.Tensor }) =>
        values(base.sample(1, { random: new RandomStream(1), context }));
      expect(draw({ labels })).toEqual(draw(asFloats));
      const random = new RandomStream(1);
      expect(() => base.sample(2, { random, context: asFloats })).toThrow('[2, 3]');
      const plain = new StandardNormal({ eventShape: [2] });
      expect(() => plain.logProb(z, labels)).toThrow('StandardNormal.logProb: expected no context');
      expect(() => plain.logProb(tf.tensor2d(['a', 'b'], [1, 2]))).toThrow('got a tensor of string');
      expect(() => plain.logProb([[1, 2]] as never)).toThrow('expected a tensor [batch, 2], got an array');
      base.dispose();
      plain.dispose();
    });
  });

  it('are declared under one name at most', () => {
    const two = () => new LearnedPrior({ inputShape: [2], classes: { a: 2, b: 3 } });
    expect(two).toThrow('LearnedPrior: expected classes under one name');
  });
});

describe('ConvolutionNetwork', () => {
  const build = (context?: ContextOption) =>
    new ConvolutionNetwork({ inputShape: [4, 4, 2], filters: 3, hiddenChannels: 5, context, seed: 1 });
  /** Draws a weight by its name; the last convolution starts at 0. */
  const draw = (network: ConvolutionNetwork, name: string, scale: number) => {
    const weight = network.weights.find((entry) => entry.name === name)?.variable;
    weight?.assign(new RandomStream(7).normal(weight.shape, 0, scale));
    return weight;
  };

  it.each(['cpu', 'wasm'])('is at the start what it is without a vector, on %s', async (backend) => {
    if (backend === 'wasm') await prepareWasm({ threads: 1 });
    const outer = tf.memory().numTensors;
    tf.tidy(() => {
      const random = new RandomStream(2);
      const [x, vector] = [random.normal([3, 4, 4, 2]), random.normal([3, 6])];
      const [plain, steered] = [build(), build(6)];
      draw(plain, 'last/kernel', 0.3);
      draw(steered, 'last/kernel', 0.3);
      const expected = values(plain.initialize(x));
      // 1e-5: one fused op against three.
      values(steered.initialize(x, vector)).forEach((value, i) => {
        expect(Math.abs(value - expected[i])).toBeLessThan(1e-5);
      });
      plain.dispose();
      steered.dispose();
    });
    before += tf.memory().numTensors - outer;
  });

  it('shifts and gates every hidden channel by the vector: relu(h + v W) 2 sigmoid(v V)', () => {
    tf.tidy(() => {
      const network = build({ pose: 1 });
      network.markInitialized();
      // Hidden convolutions of 0: only the shift is left, and all positions inside are alike.
      for (const { variable } of network.weights) variable.assign(tf.zerosLike(variable));
      const set = (name: string, value: number) => {
        const weight = network.weights.find((entry) => entry.name === name)?.variable as tf.Variable;
        weight.assign(tf.fill(weight.shape, value));
      };
      set('firstShift', 3);
      set('firstGate', 0.7);
      set('second/kernel', 0.1);
      set('secondShift', 0.2);
      set('secondGate', -0.4);
      set('last/kernel', 1);
      const pose = 2;
      const sigmoid = (u: number) => 1 / (1 + Math.exp(-u));
      const first = Math.max(0, pose * 3) * 2 * sigmoid(pose * 0.7);
      const second = Math.max(0, 5 * 0.1 * first + pose * 0.2) * 2 * sigmoid(-pose * 0.4);
      const y = network.apply(tf.zeros([1, 4, 4, 2]), { pose: tf.fill([1, 1], pose) });
      const inner = tf.slice(y, [0, 1, 1, 0], [1, 1, 1, 1]).dataSync()[0];
      expect(inner).toBeCloseTo(9 * 5 * second, 2);
      network.dispose();
    });
  });

  it('reads an image beside x, and keeps it apart from vectors', () => {
    tf.tidy(() => {
      const random = new RandomStream(2);
      const network = build({ edges: [4, 4, 1], light: 2 });
      draw(network, 'last/kernel', 0.3);
      draw(network, 'firstShift', 0.3);
      const x = random.normal([1, 4, 4, 2]);
      const given = { edges: random.normal([1, 4, 4, 1]), light: random.normal([1, 2]) };
      const y = network.initialize(x, given);
      const first = network.children.find(({ name }) => name === 'first');
      expect(first?.weights[0].variable.shape).toEqual([3, 3, 3, 5]);
      for (const part of ['edges', 'light'] as const) {
        const moved = network.apply(x, { ...given, [part]: tf.add(given[part], 1) });
        expect(tf.max(tf.abs(tf.sub(moved, y))).dataSync()[0]).toBeGreaterThan(1e-3);
      }
      network.dispose();
    });
    expect(() => build([2, 4, 1])).toThrow('a context of vectors [d] and images [4, 4, k], got [2, 4, 1]');
    expect(() => build({ map: [3, 3] })).toThrow(ConfigError);
  });
});

describe('LayersNetwork', () => {
  const model = (...contexts: number[]) => {
    const inputs = [1, ...contexts].map((d) => tfl.input({ shape: [d] }));
    const joined = contexts.length === 0 ? inputs[0] : tfl.layers.concatenate().apply(inputs);
    const outputs = tfl.layers.dense({ units: 1, kernelInitializer: 'ones' }).apply(joined as never);
    return tfl.model({ inputs, outputs: outputs as tfl.SymbolicTensor });
  };

  it('declares what the inputs after its first read, and never runs without', () => {
    tf.tidy(() => {
      const one = new LayersNetwork({ model: model(2) });
      expect(one.contextShape).toEqual([2]);
      expect(() => one.apply(tf.ones([1, 1]))).toThrow('LayersNetwork.apply: expected a context [2]');
      expect(values(one.apply(tf.ones([1, 1]), tf.tensor2d([[10, 100]])))).toEqual([111]);
      const named = new LayersNetwork({ model: model(2), context: 'pose' });
      expect(named.contextShape).toEqual({ pose: [2] });
      const two = new LayersNetwork({ model: model(2, 1), context: ['pose', 'light'] });
      const copy = deserializeModule<LayersNetwork>(JSON.parse(JSON.stringify(serializeModule(two))));
      expect(copy.contextShape).toEqual({ pose: [2], light: [1] });
      const light = tf.tensor2d([[1000]]);
      expect(values(two.apply(tf.ones([1, 1]), { light, pose: tf.tensor2d([[10, 100]]) }))).toEqual([1111]);
      const unnamed = new LayersNetwork({ model: model(2, 1) });
      expect(Object.keys(unnamed.contextShape ?? {})).toEqual(unnamed.model.inputNames.slice(1));
      const bad = model(2);
      expect(() => new LayersNetwork({ model: bad, context: ['a', 'b'] })).toThrow(ConfigError);
      bad.dispose();
      for (const network of [one, named, two, copy, unnamed]) network.dispose();
    });
  });
});

describe('ReversePass', () => {
  it('gives the gradients by a context that it watches, summed over layers, and only those asked for', () => {
    tf.tidy(() => {
      const prior = (name: string) => {
        const made = new LearnedPrior({ inputShape: [2], classes: 2, kind: 'constant', name });
        // Means only: y = x - labels W.
        made.weights[0].variable.assign(
          tf.tensor2d([
            [1, 2, 0, 0],
            [3, 5, 0, 0],
          ]),
        );
        return made;
      };
      const chain = new Chain({ bijectors: [prior('a'), prior('b')] });
      const context = tf.tensor2d([[1, 0]]);
      const { value, logDet } = chain.forward(tf.zeros([1, 2]), context);
      const options = { logDetGradient: tf.zerosLike(logDet), context };
      const pass = new ReversePass({ ...options, watched: [context] });
      chain.reverse({ value, gradient: tf.tensor2d([[1, 10]]) }, pass);
      const [byContext] = pass.takeGradients([context]);
      expect(values(byContext as tf.Tensor)).toEqual([-2 * 21, -2 * 53]);
      const unwatched = new ReversePass(options);
      chain.reverse({ value, gradient: tf.ones([1, 2]) }, unwatched);
      expect(unwatched.takeGradients([context])).toEqual([null]);
      pass.dispose();
      unwatched.dispose();
      chain.dispose();
    });
  });
});
