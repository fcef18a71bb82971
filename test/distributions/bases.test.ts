import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {
  DiagonalNormal,
  type Distribution,
  deserializeModule,
  MultilayerPerceptron,
  moduleFromArtifacts,
  moduleToArtifacts,
  NormalMixture,
  RandomStream,
  StackedBase,
  StandardNormal,
  StudentT,
  serializeModule,
  UniformBox,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { logGamma } from '../../src/statistics/special';
import { leavesNoTensors } from '../support/leaks';
import { contextOf, variants } from './variants';

/** Cells of a grid whose edges are those of the boxes, over [-10, 10] in one or two dimensions, by their middles. */
function grid(dimensions: number, steps: number): { points: number[][]; volume: number } {
  const width = 20 / steps;
  const line = Array.from({ length: steps }, (_, i) => -10 + (i + 0.5) * width);
  const points = dimensions === 1 ? line.map((x) => [x]) : line.flatMap((x) => line.map((y) => [x, y]));
  return { points, volume: width ** dimensions };
}

/** A number that tells how values lie together. */
const statistic = ([x, y = 0]: ArrayLike<number> & number[]) => x + 0.6 * y + 0.1 * x * y;

describe.each(['cpu', 'wasm'])('bases on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  describe.each(Object.entries(variants))('%s', (_, variant) => {
    it('draws what its density says: the density integrates to 1, and samples follow it (Kolmogorov, .001)', async () => {
      await leavesNoTensors(() => {
        const base = variant.create();
        const [d] = base.eventShape;
        const { points, volume } = grid(d, d === 1 ? 20000 : 200);
        const masses = tf.tidy(() =>
          base.logProb(tf.tensor2d(points), contextOf(variant, points.length)).dataSync(),
        );
        const cells = points
          .map((point, i) => ({ at: statistic(point), mass: Math.exp(masses[i]) * volume }))
          .sort((a, b) => a.at - b.at);
        const total = cells.reduce((sum, { mass }) => sum + mass, 0);
        // What heavy tails hold beyond the grid is known.
        const beyond = base instanceof StudentT ? 0.01 : 0;
        expect(Math.abs(total - 1)).toBeLessThan(2e-3 + beyond);
        const n = 4000;
        const drawn = tf.tidy(() =>
          base.sample(n, { random: new RandomStream(11), context: contextOf(variant, n) }).dataSync(),
        );
        const values = Array.from({ length: n }, (_, i) =>
          statistic([...drawn.slice(i * d, i * d + d)]),
        ).sort((a, b) => a - b);
        let below = 0;
        let cell = 0;
        let distance = 0;
        values.forEach((value, i) => {
          while (cell < cells.length && cells[cell].at < value) below += cells[cell++].mass;
          distance = Math.max(distance, Math.abs(below - i / n), Math.abs(below - (i + 1) / n));
        });
        // The grid of two dimensions adds its own error.
        expect(distance).toBeLessThan(1.95 / Math.sqrt(n) + (d === 1 ? 1e-3 : 4e-3) + beyond);
        base.dispose();
      });
    });

    it('has the slopes of its density by events, weights and context (1e-2 of the slope: float32 differences)', async () => {
      await leavesNoTensors(() => {
        const base = variant.create();
        tf.tidy(() => {
          const n = 6;
          const random = new RandomStream(3);
          const z = base.sample(n, { random, context: contextOf(variant, n) });
          const context = contextOf(variant, n);
          const weights = base.trainableWeights;
          const loss = (given: tf.Tensor, a?: tf.Tensor) =>
            tf.sum(base.logProb(given, a && context && { ...context, a })) as tf.Scalar;
          const step = 5e-3;
          const slope = (at: (by: number) => tf.Scalar) =>
            (at(step).dataSync()[0] - at(-step).dataSync()[0]) / (2 * step);
          const agree = (gradient: number, difference: number) => {
            expect(Math.abs(gradient - difference)).toBeLessThan(1e-2 * Math.max(1, Math.abs(difference)));
          };
          // Towards the middle, so that no box is left.
          const toward = tf.mul(z, -0.1);
          const byEvents = tf.grad((given: tf.Tensor) => loss(given, context?.a))(z);
          agree(
            tf.sum(tf.mul(byEvents, toward)).dataSync()[0],
            slope((by) => loss(tf.add(z, tf.mul(toward, by)), context?.a)),
          );
          if (context !== undefined) {
            const byContext = tf.grad((a: tf.Tensor) => loss(z, a))(context.a);
            agree(
              tf.sum(byContext).dataSync()[0],
              slope((by) => loss(z, tf.add(context.a, by))),
            );
          }
          if (weights.length === 0) return;
          const { grads } = tf.variableGrads(() => loss(z, context?.a), weights);
          for (const weight of weights) {
            const direction = random.normal(weight.shape);
            const before = tf.clone(weight);
            const at = (by: number) => {
              weight.assign(tf.add(before, tf.mul(direction, by)));
              return loss(z, context?.a);
            };
            const difference = slope(at);
            weight.assign(before as tf.Tensor);
            agree(tf.sum(tf.mul(grads[weight.name], direction)).dataSync()[0], difference);
          }
        });
        base.dispose();
      });
    });

    it('repeats by seed, comes back from a file, and draws none', async () => {
      await leavesNoTensors(async () => {
        const base = variant.create();
        const config = serializeModule(base);
        const copy = moduleFromArtifacts(await moduleToArtifacts(base)) as Distribution;
        expect(serializeModule(copy)).toEqual(config);
        const fresh = deserializeModule<Distribution>(JSON.parse(JSON.stringify(config)));
        expect(fresh.weights.map(({ name, trainable }) => [name, trainable])).toEqual(
          base.weights.map(({ name, trainable }) => [name, trainable]),
        );
        tf.tidy(() => {
          const draw = (from: Distribution) =>
            from.sample(3, { random: new RandomStream(8), context: contextOf(variant, 3) });
          const values = draw(base);
          expect(draw(copy).arraySync()).toEqual(values.arraySync());
          const logProb = (of: Distribution) => [...of.logProb(values, contextOf(variant, 3)).dataSync()];
          expect(logProb(copy)).toEqual(logProb(base));
          const context = contextOf(variant, 0);
          expect(base.sample(0, { random: new RandomStream(1), context }).shape).toEqual([
            0,
            ...base.eventShape,
          ]);
        });
        for (const module of [base, copy, fresh]) module.dispose();
      });
    });
  });
});

describe('NormalMixture', () => {
  it('has the density of its formula in float64, with full covariances (1e-5)', () => {
    const base = new NormalMixture({
      eventShape: [2],
      components: 2,
      covariance: 'full',
      means: [0, 1, -2, 0.5],
      logScales: [0.2, -0.3, 0, 0.4],
      logits: [0.5, -0.5],
    });
    base.weights[3].variable.assign(tf.tensor2d([[0.7], [-1.2]]));
    const z = [0.3, -0.8];
    const shares = [0.5, -0.5].map((logit) => Math.exp(logit) / (Math.exp(0.5) + Math.exp(-0.5)));
    const density = (mean: number[], logs: number[], lower: number) => {
      const first = (z[0] - mean[0]) / Math.exp(logs[0]);
      const second = (z[1] - mean[1] - lower * first) / Math.exp(logs[1]);
      return Math.exp(-0.5 * (first ** 2 + second ** 2) - logs[0] - logs[1]) / (2 * Math.PI);
    };
    const expected = Math.log(
      shares[0] * density([0, 1], [0.2, -0.3], 0.7) + shares[1] * density([-2, 0.5], [0, 0.4], -1.2),
    );
    tf.tidy(() => {
      expect(base.logProb(tf.tensor2d([z])).dataSync()[0]).toBeCloseTo(expected, 5);
      // Far beyond what float32 can square.
      const far = base.logProb(tf.tensor2d([[1e25, 0]])).dataSync()[0];
      expect(far).toBeLessThan(-1e37);
    });
    base.dispose();
    tf.disposeVariables();
  });

  it('with a network that adds nothing is the one without (1e-5)', () => {
    const make = (options: object) => {
      const base = new NormalMixture({
        eventShape: [3],
        components: 2,
        covariance: 'full',
        seed: 1,
        ...options,
      });
      for (const name of ['logits', 'logScales', 'lower']) {
        const { variable } = base.weights.find((weight) => weight.name === name) as { variable: tf.Variable };
        const next = new RandomStream(name).normal(variable.shape);
        variable.assign(next);
        next.dispose();
      }
      return base;
    };
    const plain = make({});
    const conditioned = make({
      context: 1,
      network: ([c]: number[], [units]: number[]) =>
        new MultilayerPerceptron({ inputShape: [c], units, seed: 1 }),
    });
    tf.tidy(() => {
      const z = new RandomStream(2).normal([5, 3], 0, 2);
      const context = tf.ones([5, 1]);
      const expected = plain.logProb(z).dataSync();
      conditioned
        .logProb(z, context)
        .dataSync()
        .forEach((nats, i) => {
          expect(Math.abs(nats - expected[i])).toBeLessThan(1e-5 * Math.abs(expected[i]));
        });
      const drawn = plain.sample(5, { random: new RandomStream(3) }).dataSync();
      conditioned
        .sample(5, { random: new RandomStream(3), context })
        .dataSync()
        .forEach((value, i) => {
          expect(value).toBeCloseTo(drawn[i], 5);
        });
    });
    plain.dispose();
    conditioned.dispose();
  });

  it('starts from the same means for the same seed, and takes what it is given', () => {
    const means = (seed: number) => {
      const base = new NormalMixture({ eventShape: [3], components: 2, seed });
      const values = [...base.weights[1].variable.dataSync()];
      base.dispose();
      return values;
    };
    expect(means(1)).toEqual(means(1));
    expect(means(1)).not.toEqual(means(2));
    const fixed = new NormalMixture({ eventShape: [1], components: 2, trainable: false });
    expect(fixed.trainableWeights).toHaveLength(0);
    fixed.dispose();
  });

  it('refuses what does not fit', () => {
    const make = (options: object) => () =>
      new NormalMixture({ eventShape: [2], components: 2, ...options } as never);
    expect(make({ means: [1] })).toThrow('NormalMixture: expected 4 values of means, got 1.');
    expect(make({ logits: [1, Number.NaN] })).toThrow('NaN at index 1');
    expect(make({ covariance: 'tied' })).toThrow('covariance to be one of diagonal, full');
    expect(make({ components: 0 })).toThrow('components to be an integer >= 1');
    expect(make({ context: 2 })).toThrow(
      'expected a context and a network that reads it, or neither, got a context alone',
    );
    expect(make({ weights: [1, 1] })).toThrow("Did you mean 'logits'?");
  });
});

describe('StudentT', () => {
  it.each([0.5, 1, 2, 5, 30, 1e4, 1e6])(
    'has the density of nu = %d, near and far (2e-6 of 1 + its size)',
    (nu) => {
      const base = new StudentT({ eventShape: [1], degreesOfFreedom: nu, location: [0.5], logScale: [0.25] });
      const points = [0, 1e-3, 0.2, 1, 3, 8, 1e3, 1e9];
      const scale = Math.exp(0.25);
      const received = tf.tidy(() =>
        base.logProb(tf.tensor2d(points.map((t) => [0.5 + t * scale]))).dataSync(),
      );
      const constant = logGamma((nu + 1) / 2) - logGamma(nu / 2) - 0.5 * Math.log(nu * Math.PI) - 0.25;
      points.forEach((t, i) => {
        const expected = constant - ((nu + 1) / 2) * Math.log1p(t ** 2 / nu);
        // What float32 makes of t counts, too: by the slope of the density, nearly (nu + 1) t^2 / (nu + t^2).
        const ofRounding = 1e-7 * (((nu + 1) * t ** 2) / (nu + t ** 2));
        expect(Math.abs(received[i] - expected)).toBeLessThan(2e-6 * (1 + Math.abs(expected)) + ofRounding);
      });
      base.dispose();
    },
  );

  it('learns what it is told to learn', () => {
    const names = (options: object) => {
      const base = new StudentT({ eventShape: [1], ...options });
      const trained = base.weights.filter(({ trainable }) => trainable).map(({ name }) => name);
      base.dispose();
      return trained;
    };
    expect(names({})).toEqual(['location', 'logScale']);
    expect(names({ trainDegreesOfFreedom: true, trainable: false })).toEqual(['logDegreesOfFreedom']);
  });

  it('is finite with finite slopes wherever float32 has numbers', () => {
    const base = new StudentT({ eventShape: [1], degreesOfFreedom: 3, trainDegreesOfFreedom: true });
    tf.tidy(() => {
      const z = tf.tensor2d([[0], [1e-30], [1e10], [-1e38], [3e38]]);
      const { value, grad } = tf.valueAndGrad((given: tf.Tensor) =>
        tf.sum(base.logProb(given as tf.Tensor2D)),
      )(z);
      expect(Number.isFinite(value.dataSync()[0])).toBe(true);
      for (const slope of grad.dataSync()) expect(Number.isFinite(slope)).toBe(true);
      // log p falls by (nu + 1) log 10 per decade.
      const [near, far] = base.logProb(tf.tensor2d([[1e20], [1e21]])).dataSync();
      expect(near - far).toBeCloseTo(4 * Math.LN10, 3);
    });
    base.dispose();
  });

  it('learns its degrees of freedom from samples (three standard errors)', () => {
    const truth = new StudentT({ eventShape: [1], degreesOfFreedom: 3 });
    const base = new StudentT({ eventShape: [1], degreesOfFreedom: 10, trainDegreesOfFreedom: true });
    const z = truth.sample(2000, { random: new RandomStream(4) });
    const optimizer = tf.train.adam(0.05);
    for (let step = 0; step < 120; step++) {
      optimizer.minimize(() => tf.neg(tf.mean(base.logProb(z))) as tf.Scalar, false, base.trainableWeights);
    }
    const nu = tf.tidy(() => tf.exp(base.weights[2].variable).dataSync()[0]);
    expect(Math.abs(nu - 3)).toBeLessThan(0.75);
    tf.dispose(z);
    optimizer.dispose();
    truth.dispose();
    base.dispose();
  });

  it('refuses degrees of freedom that float32 could not draw from', () => {
    expect(() => new StudentT({ eventShape: [1], degreesOfFreedom: 0.1 })).toThrow(
      'StudentT: expected degreesOfFreedom of at least 0.5, got 0.1',
    );
    expect(() => new StudentT({ eventShape: [2], degreesOfFreedom: [1] })).toThrow(
      '2 values of degreesOfFreedom',
    );
    expect(() => new StudentT({ eventShape: [2], df: 3 } as never)).toThrow(
      "Did you mean 'degreesOfFreedom'?",
    );
  });
});

describe('UniformBox', () => {
  it('has -Infinity outside, its ends inside, and samples within', () => {
    const base = new UniformBox({ eventShape: [2], low: -0.1, high: [0.3, 7] });
    tf.tidy(() => {
      const inside = -Math.log(0.4) - Math.log(7.1);
      const received = base
        .logProb(
          tf.tensor2d([
            [0, 0],
            [-0.1, 7],
            [0.3, -0.1],
            [0.31, 0],
            [0, -0.11],
          ]),
        )
        .dataSync();
      for (const i of [0, 1, 2]) expect(received[i]).toBeCloseTo(inside, 5);
      expect([received[3], received[4]]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
      const drawn = base.logProb(base.sample(2000, { random: new RandomStream(1) })).dataSync();
      expect(drawn.every(Number.isFinite)).toBe(true);
    });
    base.dispose();
  });

  it('refuses a box without inside', () => {
    expect(() => new UniformBox({ eventShape: [2], low: 0, high: [1, 0] })).toThrow(
      'UniformBox: expected low below high, got [0, 0] at index 1',
    );
    expect(() => new UniformBox({ eventShape: [1], low: 0 } as never)).toThrow(
      'high, a number or one per value',
    );
    expect(() => new UniformBox({ eventShape: [1], low: 0, high: Number.POSITIVE_INFINITY })).toThrow(
      'finite',
    );
  });
});

describe('StackedBase', () => {
  const make = () =>
    new StackedBase({
      parts: [
        new DiagonalNormal({ eventShape: [1], mean: [3], logScale: [Math.log(2)], name: 'first' }),
        new DiagonalNormal({ eventShape: [2], classes: { kind: 2 }, name: 'second' }),
      ],
    });

  it('gives each part its columns, temperature and context', () => {
    const base = make();
    tf.tidy(() => {
      base.weights
        .find(({ name }) => name === 'second/classMean')
        ?.variable.assign(
          tf.tensor2d([
            [0, 0],
            [5, 6],
          ]),
        );
      const context = { kind: tf.tensor2d([[0, 1]]) };
      const mode = base.sample(1, { random: new RandomStream(1), temperature: 0, context });
      expect([...mode.dataSync()]).toEqual([3, 5, 6]);
      const one = base.sample(1, {
        random: new RandomStream(1),
        temperature: Float32Array.of(0, 1, 0),
        context,
      });
      const [first, second, third] = one.dataSync();
      expect([first, third]).toEqual([3, 6]);
      expect(second).not.toBe(5);
      const standard = base.standardize(tf.tensor2d([[5, 5, 7]]), context);
      expect([...standard.dataSync()]).toEqual([1, 0, 1]);
      expect([...base.unstandardize(standard, context).dataSync()]).toEqual([5, 5, 7]);
    });
    expect(base.isNormal).toBe(true);
    base.dispose();
  });

  it('refuses parts of one name, of images, and none', () => {
    const vector = (name?: string) => new StandardNormal({ eventShape: [1], name });
    expect(() => new StackedBase({ parts: [vector(), vector()] })).toThrow("'base' twice");
    expect(() => new StackedBase({ parts: [] })).toThrow('at least one distribution');
    expect(() => new StackedBase({ parts: [new StandardNormal({ eventShape: [2, 2, 1] })] })).toThrow(
      'parts over vectors',
    );
  });
});

describe('bases that are not normal', () => {
  it.each(Object.entries(variants))('%s says so, and takes no temperature', (name, variant) => {
    const base = variant.create();
    const normal = /^(Standard|Diagonal)Normal/.test(name);
    expect(base.isNormal).toBe(normal);
    const context = contextOf(variant, 2);
    const draw = (temperature: number | Float32Array) => () =>
      tf.dispose(base.sample(2, { random: new RandomStream(1), temperature, context }));
    const standardize = () => tf.dispose(base.standardize(tf.zeros([2, ...base.eventShape]), context));
    if (normal) {
      draw(0.5)();
      standardize();
    } else {
      expect(draw(0.5)).toThrow(`expected temperature 1, as '${base.name}' is not normal, got 0.5`);
      expect(standardize).toThrow('.standardize: expected a normal distribution');
      draw(1)();
      draw(new Float32Array(base.eventShape[0]).fill(1))();
    }
    base.dispose();
  });

  it('keep the numbers of a seed where they are normal', () => {
    tf.tidy(() => {
      const noise = new RandomStream(6).normal([2, 3]);
      const standard = new StandardNormal({ eventShape: [3] });
      const drawn = standard.sample(2, { random: new RandomStream(6), temperature: 0.7 });
      expect([...drawn.dataSync()]).toEqual([...tf.mul(noise, 0.7).dataSync()]);
    });
  });
});
