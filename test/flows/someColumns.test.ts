import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import {
  Categorical,
  type Column,
  type ConditionerBuilder,
  ConfigError,
  DataError,
  Factorized,
  Linear,
  Matrix,
  MultilayerPerceptron,
  neuralSplineFlow,
  RandomStream,
  readTable,
  type Support,
  VectorFlow,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { KernelMixture } from '../../src/flows/someColumns/kernelMixture';
import { columnSupports } from '../../src/layers/supports/columnSupports';
import { readColumns } from '../../src/layers/supports/columns';
import { cholesky, choleskyLogDet, inverse } from '../../src/linalg';
import { leavesNoTensors } from '../support/leaks';

const real = (name: string): Column => ({ name, support: { kind: 'real' } });

/** A linear map over a standard normal: a normal distribution, of which everything is known. */
class Gaussian {
  readonly flow: VectorFlow;
  readonly mean: number[];
  readonly covariance: Matrix;

  constructor(d: number, seed: number) {
    const random = new RandomStream(seed);
    const linear = randomLinear(d, random);
    this.flow = new VectorFlow({
      bijector: linear,
      columns: Array.from({ length: d }, (_, i) => real(`c${i}`)),
      seed,
    });
    const rows = tf.tidy(() =>
      linear.forward(tf.concat([tf.zeros([1, d]), tf.eye(d)])).value.arraySync(),
    ) as number[][];
    const bias = rows[0];
    // z = W x + b, row i of the images of the axes being column i of W less b.
    const W = Matrix.fromRows(bias.map((_, i) => bias.map((_, j) => rows[j + 1][i] - bias[i])));
    const back = inverse(W);
    this.mean = bias.map((_, i) => -bias.reduce((sum, value, j) => sum + back.at(i, j) * value, 0));
    this.covariance = times(back, back.transpose());
  }

  /** Mean and covariance of some columns, others given (Gaussian conditioning). */
  conditional(given: Record<number, number>): { places: number[]; mean: number[]; covariance: Matrix } {
    const known = Object.keys(given).map(Number);
    const places = this.mean.map((_, i) => i).filter((i) => !known.includes(i));
    const gain = times(this.block(places, known), inverse(this.block(known, known)));
    const mean = places.map((i, a) =>
      known.reduce((sum, j, b) => sum + gain.at(a, b) * (given[j] - this.mean[j]), this.mean[i]),
    );
    const shrunk = times(gain, this.block(known, places));
    const covariance = this.block(places, places);
    return {
      places,
      mean,
      covariance: new Matrix(
        covariance.data.map((v, i) => v - shrunk.data[i]),
        places.length,
        places.length,
      ),
    };
  }

  block(rows: number[], cols: number[]): Matrix {
    return Matrix.fromRows(rows.map((i) => cols.map((j) => this.covariance.at(i, j))));
  }
}

function randomLinear(d: number, random: RandomStream): Linear {
  const linear = new Linear({ inputShape: [d], seed: 1 });
  tf.tidy(() => {
    for (const weight of linear.trainableWeights) weight.assign(tf.mul(random.normal(weight.shape), 0.4));
  });
  return linear;
}

function times(a: Matrix, b: Matrix): Matrix {
  return Matrix.fromRows(
    Array.from({ length: a.rows }, (_, i) =>
      Array.from({ length: b.cols }, (_, j) => {
        let sum = 0;
        for (let k = 0; k < a.cols; k++) sum += a.at(i, k) * b.at(k, j);
        return sum;
      }),
    ),
  );
}

function logNormal(x: ArrayLike<number>, mean: number[], covariance: Matrix): number {
  const precision = inverse(covariance);
  const off = mean.map((value, i) => x[i] - value);
  let squares = 0;
  for (let i = 0; i < off.length; i++)
    for (let j = 0; j < off.length; j++) squares += off[i] * off[j] * precision.at(i, j);
  return -0.5 * (squares + choleskyLogDet(cholesky(covariance)) + off.length * Math.log(2 * Math.PI));
}

const valuesOf = (x: tf.Tensor) => {
  const values = Array.from(x.dataSync());
  x.dispose();
  return values;
};

describe('a normal distribution', () => {
  const normal = new Gaussian(5, 3);

  it.each([[[1]], [[4, 0]], [[2, 0, 1, 3]]])(
    'has the marginal density of columns %j within its standard error',
    async (places) => {
      const density = normal.flow.marginal(
        places.map((i) => `c${i}`),
        { seed: 5 },
      );
      expect(density.method).toBe('importance');
      const x = density.sample(4);
      const rows = x.arraySync() as number[][];
      const { logProb, standardError, effectiveSampleSize } = await density.estimate(x);
      const mean = places.map((i) => normal.mean[i]);
      rows.forEach((row, i) => {
        const truth = logNormal(row, mean, normal.block(places, places));
        // Of 12 estimates none is off by 4.5 standard errors but once in 10,000 such tests.
        expect(Math.abs(logProb[i] - truth)).toBeLessThan(4.5 * standardError[i]);
        expect(standardError[i]).toBeLessThan(0.03);
        expect(effectiveSampleSize[i]).toBeGreaterThan(1000);
        expect(effectiveSampleSize[i]).toBeLessThanOrEqual(2048);
      });
      x.dispose();
    },
  );

  it('has the conditional density and its samples', async () => {
    const given = { c1: 1.5, c3: -1 };
    const density = await normal.flow.conditional(given, { seed: 6, samples: 4096 });
    const { places, mean, covariance } = normal.conditional({ 1: 1.5, 3: -1 });
    expect(density.columns.map(({ name }) => name)).toEqual(places.map((i) => `c${i}`));
    const known = [1, 3];
    const truth = logNormal(
      [1.5, -1],
      known.map((i) => normal.mean[i]),
      normal.block(known, known),
    );
    expect(Math.abs(density.logMass - truth)).toBeLessThan(4 * density.standardError);
    const rows = [mean, mean.map((value, i) => value + Math.sqrt(covariance.at(i, i)))];
    const nats = valuesOf(await density.logProb(rows));
    rows.forEach((row, i) => {
      const off = nats[i] - logNormal(row, mean, covariance);
      expect(Math.abs(off)).toBeLessThan(4 * density.standardError + 1e-4);
    });
    const n = 4000;
    const samples = await density.sample(n);
    const values = samples.arraySync() as number[][];
    samples.dispose();
    for (let j = 0; j < places.length; j++) {
      const column = values.map((row) => row[j]);
      const average = column.reduce((sum, value) => sum + value, 0) / n;
      const variance = column.reduce((sum, value) => sum + (value - average) ** 2, 0) / n;
      // Rows that are drawn twice make errors up to twice those of independent ones.
      expect(Math.abs(average - mean[j])).toBeLessThan(8 * Math.sqrt(covariance.at(j, j) / n));
      expect(variance / covariance.at(j, j)).toBeGreaterThan(0.85);
      expect(variance / covariance.at(j, j)).toBeLessThan(1.15);
    }
    expect(new Set(values.map((row) => row[0])).size).toBeGreaterThan(0.7 * n);
  });

  it('has estimates that vary as much as they say', async () => {
    const truth = logNormal([0.5], [normal.mean[2]], normal.block([2], [2]));
    const repeats = 16;
    const errors: number[] = [];
    let said = 0;
    for (let seed = 0; seed < repeats; seed++) {
      const density = normal.flow.marginal(['c2'], { seed, samples: 100, minimumEffectiveSampleSize: 1 });
      const { logProb, standardError } = await density.estimate([[0.5]]);
      errors.push(logProb[0] - truth);
      said += standardError[0] ** 2 / repeats;
    }
    const found = errors.reduce((sum, error) => sum + error ** 2, 0) / repeats;
    // A chi-squared variable of 16 degrees of freedom lies within these in 99.9 % of cases.
    expect(found / said).toBeGreaterThan(0.25);
    expect(found / said).toBeLessThan(2.45);
  });

  it('is refused where the weights of few points carry all, and says so', async () => {
    const strict = { minimumEffectiveSampleSize: 3000, seed: 1 };
    await expect(normal.flow.conditional({ c0: 1 }, strict)).rejects.toThrow(DataError);
    await expect(normal.flow.conditional({ c0: 1 }, strict)).rejects.toThrow(
      /VectorFlow\.conditional: expected an effective sample size of at least 3000, got \d+\.\d of 2048\. Is what is given far/,
    );
    await expect(normal.flow.marginal(['c0'], strict).logProb([[1]])).rejects.toThrow(/got \d+\.\d in row 0/);
  });

  it('leaves nothing behind, is repeated by its seed, and prints itself', async () => {
    await leavesNoTensors(async () => {
      const make = () => normal.flow.conditional({ c0: 0.5 }, { seed: 9, samples: 500 });
      const [a, b] = [await make(), await make()];
      expect(a.logMass).toBe(b.logMass);
      expect(valuesOf(await a.sample(7))).toEqual(valuesOf(await b.sample(7)));
      valuesOf(await a.logProb([[1, 2, 3, 4]]));
      expect((await a.sampleTable(3)).names).toEqual(['c1', 'c2', 'c3', 'c4']);
      expect(String(a)).toMatch(
        /^Density of c1, c2, c3, c4 given c0 0\.5\n {2}by importance sampling: effective sample size \d+, log-densities within 0\.0\d+ nats/,
      );
      const marginal = normal.flow.marginal(['c4', 'c1'], { seed: 9, samples: 500 });
      expect(String(marginal)).toBe('Density of c4, c1: by importance sampling');
      expect((await marginal.sampleTable(3)).names).toEqual(['c4', 'c1']);
      valuesOf(await marginal.logProb(await marginal.sampleTable(2)));
      expect(() => marginal.sample(-1)).toThrow(ConfigError);
    });
  });
});

/** Categories that others read, and values on supports that a linear map mixes. */
function mixedFlow(supports: Record<string, unknown>, context?: number): VectorFlow {
  const columns = readColumns('test', { columns: Object.keys(supports), supports: supports as never });
  const random = new RandomStream(11);
  const network: ConditionerBuilder = (inputShape, [units]) =>
    new MultilayerPerceptron({ inputShape, units, hiddenUnits: [8], seed: random.childSeed() });
  const plan = columnSupports({ columns, context: context === undefined ? undefined : [context], network });
  const bijector = plan.assemble((inputShape) => randomLinear(inputShape[0], random));
  const flow = new VectorFlow({ bijector, columns, seed: 2 });
  tf.tidy(() => {
    for (const { name, variable } of flow.weights) {
      if (name.includes('column')) variable.assign(tf.mul(random.normal(variable.shape), 0.7));
    }
  });
  flow.bijector.markInitialized();
  return flow;
}

/** Values that read categories, in a flow of which every weight is moved. */
function readingFlow(supports: Record<string, unknown>): VectorFlow {
  const columns = Object.keys(supports);
  const flow = neuralSplineFlow({ columns, supports: supports as never, layers: 1, hiddenUnits: 4, seed: 3 });
  const random = new RandomStream(12);
  tf.tidy(() => {
    for (const weight of flow.trainableWeights)
      weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.4)));
  });
  flow.bijector.markInitialized();
  return flow;
}

describe('the mixture of kernels', () => {
  const centres = (line: number[], categories: number[]) => ({
    count: line.length,
    line: Float64Array.from(line),
    categories: Int32Array.from(categories),
  });
  const mixture = new KernelMixture(
    [
      { centres: centres([-1, 2], [0, 2]), scale: Matrix.fromRows([[0.3]]), freedom: 5, share: 0.7 },
      { centres: centres([0], [1]), scale: Matrix.fromRows([[2]]), freedom: 20, share: 0.3 },
    ],
    1,
    [Float64Array.of(0.5, 0.3, 0.2)],
  );

  it('is a density over lines and categories, and draws by it', () => {
    const step = 0.02;
    const grid = Array.from({ length: 4000 }, (_, i) => -40 + step * (i + 0.5));
    const shares = [0, 1, 2].map((category) => {
      const logs = mixture.logDensity(centres(grid, Array(4000).fill(category)));
      return logs.reduce((sum, log) => sum + Math.exp(log) * step, 0);
    });
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4);
    // Half of 0.7 keeps its category with .8, and each is drawn by its frequency otherwise.
    expect(shares[0]).toBeCloseTo(0.8 * 0.35 + 0.2 * 0.5, 4);
    expect(shares[1]).toBeCloseTo(0.8 * 0.3 + 0.2 * 0.3, 4);
    const n = 4000;
    const drawn = mixture.sample(n, new RandomStream(1));
    const mean = drawn.line.reduce((sum, value) => sum + value, 0) / n;
    expect(Math.abs(mean - 0.7 * 0.5)).toBeLessThan(4.5 * Math.sqrt(3.5 / n));
    const firsts = drawn.categories.filter((category) => category === 0).length / n;
    expect(Math.abs(firsts - shares[0])).toBeLessThan(4.5 * Math.sqrt(0.25 / n));
  });
});

describe('columns on supports', () => {
  it('have the marginal density that a sum over a grid has', async () => {
    const flow = mixedFlow({ share: [0, 1], sigma: 'positive', count: { integer: [0, 3] } });
    const density = flow.marginal(['share'], { seed: 1 });
    const { logProb, standardError } = await density.estimate([[0.3], [1.5]]);
    expect(logProb[1]).toBe(Number.NEGATIVE_INFINITY);
    // Midpoints in log sigma, the four counts, and 32 places of their noise.
    const rows: number[][] = [];
    const step = 0.05;
    const logs = Array.from({ length: 240 }, (_, i) => -7 + step * (i + 0.5));
    for (const log of logs)
      for (let k = 0; k < 32; k++)
        for (let c = 0; c < 4; c++) rows.push([0.3, Math.exp(log), c + (k + 0.5) / 32]);
    const nats = tf.tidy(() => flow.logProbOfPoints(tf.tensor2d(rows), undefined).dataSync());
    const sum = rows.reduce((total, row, i) => total + Math.exp(nats[i]) * row[1] * step, 0) / 32;
    expect(Math.abs(logProb[0] - Math.log(sum))).toBeLessThan(4 * standardError[0] + 2e-3);
    expect(standardError[0]).toBeLessThan(0.04);
  });

  it('of whole numbers have probabilities that sum to 1', async () => {
    const flow = mixedFlow({ count: { integer: [0, 3] }, size: 'real' });
    const { logProb, standardError } = await flow
      .marginal(['count'], { seed: 2 })
      .estimate([[0], [1], [2], [3]]);
    const sum = logProb.reduce((total, value) => total + Math.exp(value), 0);
    expect(Math.abs(sum - 1)).toBeLessThan(4 * Math.max(...standardError));
    const given = await flow.conditional({ size: 0.2 }, { seed: 3 });
    const nats = valuesOf(await given.logProb([[0], [1], [2], [3]]));
    // The mean over 32 draws of noise, and the mass of what is given.
    expect(nats.reduce((total, value) => total + Math.exp(value), 0)).toBeCloseTo(1, 1);
    const counts = await given.sampleTable(2000);
    expect(counts.column('count').kind).toBe('integer');
    const share = counts.column('count').values.filter((value) => value === 1).length / 2000;
    expect(Math.abs(share - Math.exp(nats[1]))).toBeLessThan(0.08);
  });

  it('categories and angles that come first have exact densities, others given them too', async () => {
    const flow = mixedFlow({
      size: 'positive',
      kind: { categories: ['a', 'b', 'c'] },
      angle: 'circular',
      load: 'real',
    });
    const kinds = flow.marginal(['kind']);
    expect(kinds.method).toBe('exact');
    const { logProb, effectiveSampleSize, standardError } = await kinds.estimate([[0], [1], [2]]);
    expect(logProb.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 5);
    expect([...effectiveSampleSize, ...standardError].slice(2, 4)).toEqual([Number.POSITIVE_INFINITY, 0]);
    const table = await readTable([{ kind: 'b' }], { kinds: { kind: 'categorical' } });
    expect(valuesOf(await kinds.logProb(table))[0]).toBeCloseTo(logProb[1], 6);
    // The angle reads the category: it stands alone only beside it.
    expect(flow.marginal(['angle']).method).toBe('importance');
    expect(flow.marginal(['angle', 'kind']).method).toBe('exact');
    const grid = Array.from({ length: 2000 }, (_, i) => [1, -Math.PI + ((i + 0.5) / 2000) * 2 * Math.PI]);
    const both = valuesOf(await flow.marginal(['kind', 'angle']).logProb(grid));
    const turn = both.reduce((sum, value) => sum + Math.exp(value), 0) * ((2 * Math.PI) / 2000);
    expect(turn).toBeCloseTo(Math.exp(logProb[1]), 3);

    const ofB = await flow.conditional({ kind: 'b' }, { seed: 1 });
    expect([ofB.method, ofB.effectiveSampleSize]).toEqual(['exact', Number.POSITIVE_INFINITY]);
    expect(String(ofB)).toBe('Density of size, angle, load given kind b\n  exact');
    const row = [2, 0.5, -1];
    const joint = valuesOf(flow.logProb([[2, 1, 0.5, -1]]))[0];
    expect(valuesOf(await ofB.logProb([row]))[0]).toBeCloseTo(joint - logProb[1], 4);
    // The samples of a kind are those of the whole flow that have it, in the mean of their log-density.
    const own = await ofB.sample(3000);
    const entropy = average(valuesOf(await ofB.logProb(own)));
    own.dispose();
    const all = flow.sample(9000, { seed: 4 });
    const ofKind = (all.arraySync() as number[][])
      .filter((values) => values[1] === 1)
      .map(([a, , b, c]) => [a, b, c]);
    all.dispose();
    const other = valuesOf(await ofB.logProb(ofKind));
    const spread = Math.sqrt(average(other.map((value) => value ** 2)) - average(other) ** 2);
    expect(Math.abs(entropy - average(other))).toBeLessThan(
      4 * spread * Math.sqrt(1 / 3000 + 1 / other.length),
    );
  });

  it('a category that alone is left is summed over: a classifier', async () => {
    const flow = readingFlow({ size: 'positive', kind: { categories: ['a', 'b', 'c'] }, load: 'real' });
    const joint = valuesOf(flow.logProb([0, 1, 2].map((kind) => [1.5, kind, 0.3])));
    const whole = Math.log(joint.reduce((sum, value) => sum + Math.exp(value), 0));
    const sizes = flow.marginal(['size', 'load']);
    expect(sizes.method).toBe('exact');
    expect(valuesOf(await sizes.logProb([[1.5, 0.3]]))[0]).toBeCloseTo(whole, 4);
    const kind = await flow.conditional({ size: 1.5, load: 0.3 }, { seed: 3 });
    expect(kind.method).toBe('exact');
    const nats = valuesOf(await kind.logProb([[0], [1], [2]]));
    joint.forEach((value, i) => {
      expect(nats[i]).toBeCloseTo(value - whole, 4);
    });
    const names = (await kind.sampleTable(3000)).toRecords().map((record) => record.kind);
    ['a', 'b', 'c'].forEach((name, i) => {
      const p = Math.exp(nats[i]);
      const share = names.filter((other) => other === name).length / 3000;
      expect(Math.abs(share - p)).toBeLessThan(4.5 * Math.sqrt((p * (1 - p)) / 3000));
    });
  });

  it('a category beside whole numbers is summed over with draws of their noise, and says so', async () => {
    const flow = readingFlow({ count: 'integer', kind: { categories: ['a', 'b'] }, load: 'real' });
    const density = flow.marginal(['count', 'load'], { seed: 1 });
    expect(density.method).toBe('importance');
    const { logProb, standardError, effectiveSampleSize } = await density.estimate([[1, 0.3]]);
    expect(effectiveSampleSize[0]).toBeLessThanOrEqual(256);
    // The midpoint rule over the noise.
    const points = Array.from({ length: 400 }, (_, i) => [1 + ((i >> 1) + 0.5) / 200, (i % 2) + 0.5, 0.3]);
    const nats = Array.from(tf.tidy(() => flow.logProbOfPoints(tf.tensor2d(points), undefined).dataSync()));
    const truth = Math.log(nats.reduce((sum, value) => sum + Math.exp(value), 0) / 200);
    expect(standardError[0]).toBeGreaterThan(0);
    expect(Math.abs(logProb[0] - truth)).toBeLessThan(4 * standardError[0] + 1e-3);
    const kind = await flow.conditional({ count: 1, load: 0.3 }, { seed: 2 });
    expect([kind.method, kind.effectiveSampleSize <= 256]).toEqual(['importance', true]);
    const [, share] = valuesOf(await kind.logProb([[0], [1]])).map(Math.exp);
    const drawn = (await kind.sampleTable(2000)).column('kind').values;
    const found = drawn.filter((value) => value === 1).length / 2000;
    expect(Math.abs(found - share)).toBeLessThan(0.06);
  });

  it('with a context are those of that context', async () => {
    const network = new MultilayerPerceptron({ inputShape: [1], units: 2, hiddenUnits: [4], seed: 1 });
    for (const weight of network.trainableWeights) weight.assign(tf.mul(tf.ones(weight.shape), 0.9));
    const kind: Support = { kind: 'categorical', categories: 2 };
    const flow = new VectorFlow({
      bijector: new Factorized({
        inputShape: [2],
        factors: [
          { columns: [0], bijector: new Categorical({ categories: 2, context: 1, network }) },
          { columns: [1], bijector: new Linear({ inputShape: [1] }) },
        ],
      }),
      columns: [{ name: 'kind', support: kind }, real('x')],
    });
    network.trainableWeights[network.trainableWeights.length - 1].assign(tf.tensor1d([1, -1]));
    tf.tidy(() =>
      network.trainableWeights[network.trainableWeights.length - 2].assign(
        tf.tensor2d([1, -1, 1, -1, 1, -1, 1, -1], [4, 2]),
      ),
    );
    const nats = async (context: number) =>
      valuesOf(await flow.marginal(['kind'], { context: [context] }).logProb([[0]]))[0];
    expect(await nats(3)).toBeGreaterThan((await nats(-3)) + 0.05);
    const given = await flow.given([3]).conditional({ x: 1 }, { seed: 1 });
    expect((await flow.given([3]).sampleTable(2)).names).toEqual(['kind', 'x']);
    expect(flow.given([3]).marginal(['x']).sample(2).shape).toEqual([2, 1]);
    expect(valuesOf(await given.logProb([[0]]))[0]).toBeCloseTo(await nats(3), 4);
    await expect(flow.conditional({ kind: '0' })).rejects.toThrow(ConfigError);
  });
});

const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('what cannot be asked', () => {
  let flow: VectorFlow;
  beforeAll(() => {
    flow = mixedFlow({ share: [0, 1], kind: { categories: ['a', 'b'] }, count: 'integer', load: 'real' });
  });

  it.each<[string, (f: VectorFlow) => unknown, new (message: string) => Error, string]>([
    ['an unknown column', (f) => f.marginal(['shares']), ConfigError, "got 'shares'. Did you mean 'share'?"],
    ['a column twice', (f) => f.marginal(['load', 'load']), ConfigError, "got 'load' twice"],
    ['no column', (f) => f.marginal([]), ConfigError, "names of columns, as in ['age', 'sex'], got none"],
    ['a name alone', (f) => f.marginal('load' as never), ConfigError, "got the text 'load'"],
    ['an unknown option', (f) => f.marginal(['load'], { n: 3 } as never), ConfigError, "got 'n'"],
    ['too few samples', (f) => f.marginal(['load'], { samples: 3 }), ConfigError, 'samples'],
    [
      'an unknown column that is given',
      (f) => f.conditional({ loads: 1 }),
      ConfigError,
      "Did you mean 'load'?",
    ],
    [
      'an unknown category',
      (f) => f.conditional({ kind: 'c' }),
      ConfigError,
      "'kind' to be one of a, b, got 'c'",
    ],
    ['a text for a number', (f) => f.conditional({ load: 'x' }), ConfigError, "a number as 'load', got 'x'"],
    ['nothing given', (f) => f.conditional({}), ConfigError, 'got none'],
    ['a list', (f) => f.conditional([1] as never), ConfigError, 'values by column, as in { age: 40 }'],
    [
      'all',
      (f) => f.conditional({ share: 0.5, kind: 'a', count: 1, load: 1 }),
      ConfigError,
      'a column that is not given',
    ],
    [
      'a value off its support',
      (f) => f.conditional({ share: 2 }),
      DataError,
      "column 'share' between 0 and 1, got 2",
    ],
    ['half of a whole number', (f) => f.conditional({ count: 0.5 }), DataError, 'whole numbers'],
    ['NaN', (f) => f.conditional({ load: Number.NaN }), DataError, "finite values in column 'load'"],
    ['rows of another length', (f) => f.marginal(['load']).logProb([[1, 2]]), Error, '[batch, 1]'],
    [
      'a value on an end',
      (f) => f.marginal(['share']).logProb([[1]]),
      DataError,
      "column 'share' between 0 and 1, got 1",
    ],
  ])('%s', async (_, ask, kind, message) => {
    const asked = (async () => ask(flow))();
    await expect(asked).rejects.toThrow(kind as never);
    await expect(asked).rejects.toThrow(message);
  });

  it('shares of a whole that are left out', async () => {
    const shares = mixedFlow({ a: 'simplex', b: 'simplex', c: 'simplex', x: 'real' });
    expect(() => shares.marginal(['x'])).toThrow(
      "the share 'a' among the columns, got none. Samples of any columns",
    );
    await expect(shares.conditional({ a: 0.5, x: 1 })).rejects.toThrow("the share 'b'");
    const given = await shares.conditional({ a: 0.5, b: 0.25, c: 0.25 }, { seed: 1 });
    expect(given.effectiveSampleSize).toBeGreaterThan(1000);
  });
});
