import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  AdditiveCoupling,
  AffineCoupling,
  type Batch,
  Chain,
  type ConditionerBuilder,
  ConfigError,
  type Context,
  type ContextTensors,
  DiagonalNormal,
  type FitOptions,
  Flow,
  fit,
  Glow,
  type GlowOptions,
  type Gradients,
  InvConv1x1,
  Invert,
  LearnedPrior,
  MultilayerPerceptron,
  RandomStream,
  ReversePass,
  realNvp,
  reversibleGradients,
  type Shape,
  storedGradients,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { describe, expect, it, vi } from 'vitest';
import type { GradientStorage } from '../../src/layers/reversePass';
import { bfloat16Storage, fromBfloat16 } from '../../src/training/bfloat16';
import { GradientComputer } from '../../src/training/gradientMethod';
import { memoryHandler, ToyFlow, weightsOf } from './toys';

/** Draws the weights that start at zero, so that no gradient vanishes. */
function stir(flow: Flow, deviation: number): void {
  const random = new RandomStream(11);
  tf.tidy(() => {
    for (const variable of flow.trainableWeights) {
      if (tf.max(tf.abs(variable)).dataSync()[0] === 0) {
        variable.assign(random.normal(variable.shape, 0, deviation));
      }
    }
  });
}

/** n smooth images of levels 0 .. 15. */
function images(n: number, [height, width, channels]: Shape): tf.Tensor4D {
  return tf.tidy(() => {
    const coarse = new RandomStream(5).uniform([n, height / 2, width / 2, channels], 0, 16) as tf.Tensor4D;
    return tf.floor(tf.image.resizeBilinear(coarse, [height, width]));
  });
}

/** Distance of reversible from stored gradients, relative to their size: of all together, and of the worst weight. */
function compare(flow: Flow, batch: Batch, anchorEvery?: number): { all: number; worst: number } {
  const before = tf.memory().numTensors;
  const distances = tf.tidy(() => {
    const stored = storedGradients(flow, batch, new RandomStream(7));
    const reversible = reversibleGradients(flow, batch, new RandomStream(7), { anchorEvery });
    expect(reversible.loss.dataSync()[0]).toBeCloseTo(stored.loss.dataSync()[0], 5);
    expect(Object.keys(reversible.metrics)).toEqual(Object.keys(stored.metrics));
    expect(reversible.gradients.map((g) => g?.shape)).toEqual(stored.gradients.map((g) => g?.shape));
    const squares = stored.gradients.flatMap((gradient, i) => {
      if (gradient === null) return [];
      const gap = tf.sub(gradient, reversible.gradients[i] as tf.Tensor);
      return [[gap, gradient].map((x) => tf.sum(tf.square(x)).dataSync()[0])];
    });
    const [gap, size] = [0, 1].map((k) => squares.reduce((sum, pair) => sum + pair[k], 0));
    const worst = Math.max(...squares.map(([part, whole]) => (part === 0 ? 0 : Math.sqrt(part / whole))));
    return { all: Math.sqrt(gap / size), worst } as never;
  }) as { all: number; worst: number };
  expect(tf.memory().numTensors).toBe(before);
  return distances;
}

/** Largest number of bytes in tensors while `body` runs, above what was there. */
function peakBytes(body: () => void): number {
  const engine = tf.engine();
  const before = engine.memory().numBytes;
  let peak = 0;
  const track = engine.trackTensor.bind(engine);
  const spy = vi.spyOn(engine, 'trackTensor').mockImplementation((...given) => {
    track(...given);
    peak = Math.max(peak, engine.state.numBytes);
  });
  body();
  spy.mockRestore();
  return peak - before;
}

/** A flow whose data and context come through networks of its own; the context's parts go to the couplings and to the base. */
class Embedding extends Flow {
  static override className = 'TestEmbeddingFlow';
  private readonly before = this.addChild(perceptron('before', 3, 3, 21));
  private readonly pose = this.addChild(perceptron('pose', 2, 2, 22));
  private readonly labels = this.addChild(perceptron('labels', 2, 3, 23));

  protected override toModel(x: tf.Tensor): tf.Tensor {
    return tf.add(x, this.before.apply(x));
  }

  protected override toContext(_: string, context: Context | undefined): ContextTensors {
    const given = context as tf.Tensor;
    return { pose: this.pose.apply(given), labels: tf.softmax(this.labels.apply(given)) };
  }
}

const perceptron = (name: string, from: number, units: number, seed: number) =>
  new MultilayerPerceptron({ name, inputShape: [from], units, hiddenUnits: [5], activation: 'tanh', seed });

function embeddingFlow(): Embedding {
  const network: ConditionerBuilder = (inputShape, [units]) =>
    new MultilayerPerceptron({
      inputShape,
      units,
      hiddenUnits: [6],
      activation: 'tanh',
      context: { pose: 2 },
      seed: 4,
    });
  const bijector = Chain.from(
    [3],
    [
      (inputShape) => new ActNorm({ inputShape }),
      (inputShape) => new AffineCoupling({ inputShape, network, passthrough: 1 }),
      (inputShape) => new InvConv1x1({ inputShape, seed: 5 }),
      (inputShape) =>
        new AffineCoupling({ inputShape, network, passthrough: 2, scale: 'exp', name: 'second' }),
      (inputShape) => new LearnedPrior({ inputShape, classes: { labels: 3 } }),
    ],
  );
  const base = new DiagonalNormal({ eventShape: [3], classes: { labels: 3 } });
  return new Embedding({ bijector, base });
}

const small: GlowOptions = { imageShape: [8, 8, 1], levels: 2, hiddenChannels: 16, nBits: 4, seed: 1 };

for (const backend of ['cpu', 'wasm']) {
  describe(`reversible gradients on ${backend}`, () => {
    const use = () => (backend === 'wasm' ? prepareWasm({ threads: 1 }) : tf.setBackend(backend));

    it('are the stored ones on a deep Glow, with and without anchors', async () => {
      await use();
      // The cpu backend is too slow for more.
      const stepsPerLevel = backend === 'cpu' ? 4 : 32;
      const glow = new Glow({ ...small, stepsPerLevel });
      const x = images(8, [8, 8, 1]);
      glow.initializeFrom({ x }, new RandomStream(3));
      stir(glow, 0.01);
      for (const anchorEvery of [1, undefined, 1000]) {
        const { all, worst } = compare(glow, { x }, anchorEvery);
        console.log(
          `${backend}, K = ${stepsPerLevel}, anchorEvery ${anchorEvery}: ${all.toExponential(1)}, worst ${worst.toExponential(1)}`,
        );
        // The promise of the documentation. Layers that are not inverted differ by nothing, on wasm by the rounding of 64 fused steps.
        expect(worst).toBeLessThan(anchorEvery !== 1 ? 1e-3 : backend === 'cpu' ? 1e-12 : 1e-4);
      }
      tf.dispose(x);
      glow.dispose();
    });

    it('reach the classes and the classifier, which reads the top prior too', async () => {
      await use();
      const glow = new Glow({ ...small, stepsPerLevel: 2, classes: 3, lu: false, coupling: 'additive' });
      const x = images(6, [8, 8, 1]);
      const context = tf.tensor1d([0, 1, 2, 0, 1, 2], 'int32');
      glow.initializeFrom({ x, context }, new RandomStream(3));
      stir(glow, 0.05);
      // 1e-5: rounding of a dozen layers in float32.
      expect(compare(glow, { x, context }).worst).toBeLessThan(1e-5);
      tf.dispose([x, context]);
      glow.dispose();
    });

    it('hold for Real NVP with a context', async () => {
      await use();
      const flow = realNvp({ dimensions: 3, layers: 6, hiddenUnits: [16], context: 2, seed: 1 });
      const random = new RandomStream(2);
      const batch = { x: random.normal([32, 3]), context: random.normal([32, 2]) };
      flow.initializeFrom(batch, random);
      stir(flow, 0.1);
      expect(compare(flow, batch, 1000).worst).toBeLessThan(1e-5);
      tf.dispose({ ...batch });
      flow.dispose();
    });

    it('hold for any chain: nested, inverted, with one network in two places and a base that is trained', async () => {
      await use();
      const network = (seed: number) => (input: Shape, output: Shape) =>
        new MultilayerPerceptron({ inputShape: input, units: output[0], hiddenUnits: [8], seed });
      const inputShape = [4];
      const inner = Chain.from(
        inputShape,
        [
          (shape) => new ActNorm({ inputShape: shape }),
          (shape) => new AdditiveCoupling({ inputShape: shape, network: network(1) }),
        ],
        'inner',
      );
      const shared = new InvConv1x1({ inputShape, seed: 1 });
      const bijector = new Chain({
        bijectors: [
          new Chain({ bijectors: [shared], name: 'first' }),
          new Invert({ bijector: inner }),
          new AffineCoupling({ inputShape, network: network(2), passthrough: 1 }),
          new Chain({ bijectors: [shared], name: 'second' }),
        ],
      });
      const flow = new Flow({ bijector, base: new DiagonalNormal({ eventShape: [4], trainable: true }) });
      const x = new RandomStream(2).normal([16, 4]);
      flow.bijector.initialize(x).dispose();
      stir(flow, 0.1);
      expect(compare(flow, { x }, 1000).worst).toBeLessThan(1e-5);
      expect(compare(flow, { x }, 2).worst).toBeLessThan(1e-5);
      x.dispose();
      flow.dispose();
    });

    it('go on into the networks that data and context come through, of the couplings, of a prior and of the base', async () => {
      await use();
      const flow = embeddingFlow();
      const random = new RandomStream(2);
      const batch = { x: random.normal([12, 3]), context: random.normal([12, 2]) };
      flow.initializeFrom(batch, random);
      stir(flow, 0.3);
      // 1e-5: rounding of five layers in float32.
      expect(compare(flow, batch, 1000).worst).toBeLessThan(1e-5);
      expect(compare(flow, batch, 1).worst).toBeLessThan(1e-5);
      const { loss, gradients } = reversibleGradients(flow, batch, random);
      flow.trainableWeights.forEach((weight, i) => {
        const gradient = gradients[i] as tf.Tensor;
        const along = tf.tidy(() => {
          const start = tf.clone(weight);
          const direction = tf.div(gradient, tf.norm(gradient));
          const at = (step: number) => {
            weight.assign(tf.add(start, tf.mul(direction, step)));
            return flow.loss(batch, random).loss.dataSync()[0];
          };
          const slope = (at(1e-2) - at(-1e-2)) / 2e-2;
          weight.assign(start);
          return [slope, tf.norm(gradient).dataSync()[0]] as never;
        }) as [number, number];
        // Differences of a loss near 5 in float32, and their curvature: 1e-3.
        expect(Math.abs(along[0] - along[1])).toBeLessThan(2e-3 + 1e-2 * along[1]);
      });
      tf.dispose([loss, ...(gradients as tf.Tensor[]), batch.x, batch.context]);
      flow.dispose();
    });

    it('need memory that does not grow with depth', async () => {
      await use();
      const x = images(16, [8, 8, 1]);
      const depths = backend === 'cpu' ? [2, 8] : [2, 32];
      const bytes = depths.map((stepsPerLevel) => {
        const glow = new Glow({ ...small, stepsPerLevel });
        glow.initializeFrom({ x }, new RandomStream(3));
        const weights = 4 * glow.parameterCount;
        const [stored, reversible] = [storedGradients, reversibleGradients].map((gradients) =>
          peakBytes(() => tf.tidy(() => void gradients(glow, { x }, new RandomStream(1)))),
        );
        glow.dispose();
        // What is returned, one gradient per weight, is not memory of the way.
        return { stored: stored - weights, reversible: reversible - weights };
      });
      const perStep = (kind: 'stored' | 'reversible') =>
        (bytes[1][kind] - bytes[0][kind]) / (depths[1] - depths[0]);
      console.log(
        `${backend}: bytes per step K, stored ${perStep('stored')}, reversible ${perStep('reversible')}`,
      );
      // A batch of images is 4 kB: anchors of one layer in 16 hold a quarter of that per step, and nothing else grows.
      expect(perStep('reversible')).toBeLessThan(2048);
      // Fused ops free what they saved on the way back, before most gradients of weights are there.
      expect(perStep('stored')).toBeGreaterThan((backend === 'wasm' ? 40 : 100) * 1024);
      x.dispose();
    });
  });
}

describe('fit with reversible gradients', () => {
  const options: FitOptions = { batchSize: 8, learningRate: 2e-3, progress: 'none', seed: 5, epochs: 3 };
  const build = () => new Glow({ ...small, stepsPerLevel: 4, classes: 2 });
  const data = () => {
    const x = images(32, [8, 8, 1]);
    return { x, context: tf.tensor1d(Int32Array.from({ length: 32 }, (_, i) => i % 2)) };
  };

  it('gives the losses of stored ones and goes on bit for bit from a checkpoint', async () => {
    await prepareWasm({ threads: 1 });
    const examples = data();
    const flows = [build(), build(), build()];
    const before = tf.memory().numTensors;
    const stored = await flows[0].fit(examples, { ...options, gradients: 'stored' });
    const reversible: FitOptions = { ...options, gradients: 'reversible', anchorEvery: 5 };
    const whole = await flows[1].fit(examples, reversible);
    // 1e-4 bits: rounding of the inverses through 12 steps of Adam.
    whole.losses.forEach((loss, i) => {
      expect(Math.abs(loss - stored.losses[i])).toBeLessThan(1e-4);
    });
    const location = memoryHandler();
    await flows[2].fit(examples, { ...reversible, steps: 7, checkpoint: { location } });
    const resumed = await flows[2].fit(examples, { ...reversible, resume: location });
    expect(resumed.losses).toEqual(whole.losses);
    expect(weightsOf(flows[2])).toEqual(weightsOf(flows[1]));
    expect(tf.memory().numTensors).toBe(before);
    for (const flow of flows) flow.dispose();
    tf.dispose({ ...examples });
  });

  it('keeps gradients in bfloat16 where that is asked for, sums of several included', async () => {
    await prepareWasm({ threads: 1 });
    const glow = build();
    const examples = data();
    stir(glow, 0.1);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const compute = (storage?: GradientStorage) =>
        reversibleGradients(glow, examples, new RandomStream(7), { storage }).gradients as tf.Tensor[];
      const [exact, compact] = [compute(), compute(bfloat16Storage())];
      exact.forEach((gradient, i) => {
        expect([compact[i].dtype, compact[i].size]).toEqual(['int32', Math.ceil(gradient.size / 2)]);
        const values = fromBfloat16(compact[i], gradient.shape).dataSync();
        const largest = Math.max(...gradient.dataSync().map(Math.abs));
        gradient.dataSync().forEach((value, j) => {
          // Half a unit of 8 bits, twice where two gradients are added, of which one may be larger than the sum.
          expect(Math.abs(values[j] - value)).toBeLessThan(2 ** -8 * (Math.abs(value) + largest / 4));
        });
      });
    });
    expect(tf.memory().numTensors).toBe(before);
    glow.dispose();
    tf.dispose({ ...examples });
  });

  it.each([
    ['by norm', { clipNorm: 0.5 }],
    ['by value and norm', { clipValue: 0.05, clipNorm: 0.1 }],
  ])(
    'takes gradients in bfloat16 with compactAdam, clips them %s, and goes on bit for bit',
    async (_, limits) => {
      await prepareWasm({ threads: 1 });
      const examples = data();
      const flows = [build(), build(), build()];
      const before = tf.memory().numTensors;
      const types = new Set<string | undefined>();
      const computed = vi.spyOn(GradientComputer.prototype, 'compute');
      const onBatchEnd = () => {
        const { gradients } = computed.mock.results[computed.mock.results.length - 1].value as Gradients;
        for (const gradient of gradients) types.add(gradient?.dtype);
        expect(gradients.every((gradient) => gradient?.isDisposed)).toBe(true);
      };
      const reversible: FitOptions = {
        ...options,
        ...limits,
        gradients: 'reversible',
        callbacks: { onBatchEnd },
      };
      const adam = await flows[0].fit(examples, reversible);
      expect([...types]).toEqual(['float32']);
      types.clear();
      const compact: FitOptions = { ...reversible, optimizer: 'compactAdam' };
      const whole = await flows[1].fit(examples, compact);
      expect([...types]).toEqual(['int32']);
      whole.losses.forEach((loss, i) => {
        expect(Math.abs(loss - adam.losses[i])).toBeLessThan(0.01);
      });
      const location = memoryHandler();
      await flows[2].fit(examples, { ...compact, steps: 7, checkpoint: { location } });
      const resumed = await flows[2].fit(examples, { ...compact, resume: location });
      expect(resumed.losses).toEqual(whole.losses);
      expect(weightsOf(flows[2])).toEqual(weightsOf(flows[1]));
      computed.mockRestore();
      expect(tf.memory().numTensors).toBe(before);
      for (const flow of flows) flow.dispose();
      tf.dispose({ ...examples });
    },
  );

  it('names the layer whose gradient in bfloat16 is not finite', async () => {
    await prepareWasm({ threads: 1 });
    const glow = build();
    const examples = data();
    const weight = glow.weights.filter(({ trainable }) => trainable)[20];
    const add = ReversePass.prototype.add;
    const spy = vi.spyOn(ReversePass.prototype, 'add');
    spy.mockImplementation(function (this: ReversePass, weights, gradients) {
      const spoiled = gradients.map((gradient, i) =>
        gradient && weights[i].id === weight.variable.id ? tf.mul(gradient, Number.NaN) : gradient,
      );
      add.call(this, weights, spoiled);
    });
    const run = glow.fit(examples, { ...options, gradients: 'reversible', optimizer: 'compactAdam' });
    const layer = weight.name.split('/').slice(0, -1).join('/');
    await expect(run).rejects.toMatchObject({ name: 'NonFiniteError', layer });
    spy.mockRestore();
    glow.dispose();
    tf.dispose({ ...examples });
  });

  it('refuses a loss that has no reversible form, and leaves it to the tape by default', async () => {
    await tf.setBackend('cpu');
    const toy = new ToyFlow();
    const rows = tf.tensor2d([
      [1, 2],
      [3, 4],
    ]);
    const before = tf.memory().numTensors;
    await expect(fit(toy, rows, { ...options, gradients: 'reversible' })).rejects.toThrow(ConfigError);
    await fit(toy, rows, options);
    expect(tf.memory().numTensors).toBe(before);

    class Penalized extends Flow {
      override loss(...given: Parameters<Flow['loss']>) {
        const { loss, metrics } = super.loss(...given);
        return { loss: tf.mul(loss, 2) as tf.Scalar, metrics };
      }
    }
    const flow = new Penalized({ bijector: new ActNorm({ inputShape: [2] }) });
    const reversible = () => reversibleGradients(flow, { x: rows }, new RandomStream(1));
    expect(reversible).toThrow('lossOf');
    rows.dispose();
    toy.dispose();
    flow.dispose();
  });

  it('holds nothing of how data and context are made, where no weight made them', async () => {
    await tf.setBackend('cpu');
    class Squared extends Flow {
      protected override toModel(x: tf.Tensor): tf.Tensor {
        return tf.square(tf.square(x));
      }
    }
    const flow = new Squared({ bijector: new ActNorm({ inputShape: [2] }) });
    const x = tf.ones([4, 2]);
    const trace = flow.bijector.trace.bind(flow.bijector);
    let held = 0;
    vi.spyOn(flow.bijector, 'trace').mockImplementation((...given) => {
      held = tf.memory().numTensors - before;
      return trace(...given);
    });
    const before = tf.memory().numTensors;
    tf.tidy(() => void reversibleGradients(flow, { x }, new RandomStream(1)));
    expect(held).toBe(1);
    x.dispose();
    flow.dispose();
  });

  it('anchors the input of every so-many-th layer, and starts again from it', async () => {
    await tf.setBackend('cpu');
    const names: string[] = [];
    const layers = Array.from({ length: 5 }, (_, i) => new ActNorm({ inputShape: [2], name: `layer${i}` }));
    const flow = new Flow({ bijector: new Chain({ bijectors: layers, name: 'chain' }) });
    const x = new RandomStream(3).normal([4, 2]);
    flow.bijector.initialize(x).dispose();
    const take = ReversePass.prototype.takeAnchor;
    const spy = vi.spyOn(ReversePass.prototype, 'takeAnchor').mockImplementation(function (
      this: ReversePass,
      name,
    ) {
      const anchor = take.call(this, name);
      if (anchor !== undefined) names.push(name);
      return anchor;
    });
    const inverses = layers.map((layer) => vi.spyOn(layer, 'inverse'));
    tf.tidy(() => void reversibleGradients(flow, { x }, new RandomStream(1), { anchorEvery: 2 }));
    expect(names).toEqual(['chain/layer4', 'chain/layer2', 'chain/layer0']);
    expect(inverses.map((inverse) => inverse.mock.calls.length)).toEqual([0, 1, 0, 1, 0]);
    spy.mockRestore();
    x.dispose();
    flow.dispose();
  });

  it('frees everything where a layer fails on the way back', async () => {
    await tf.setBackend('cpu');
    const flow = realNvp({ dimensions: 2, layers: 3, hiddenUnits: [4], seed: 1 });
    const x = tf.ones([4, 2]);
    const [first] = (flow.bijector as Chain).bijectors;
    vi.spyOn(first, 'reverse').mockImplementation(() => {
      throw new Error('broken');
    });
    const before = tf.memory().numTensors;
    expect(() => reversibleGradients(flow, { x }, new RandomStream(1), { anchorEvery: 2 })).toThrow('broken');
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
    flow.dispose();
  });
});
