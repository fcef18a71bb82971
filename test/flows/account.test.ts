import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Account,
  Bijector,
  Chain,
  type Conditioning,
  DiagonalNormal,
  Flow,
  ImageFlow,
  InvConv1x1,
  type Measure,
  NonFiniteError,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { affine, valuesOf } from '../support/affineFlow';
import { leavesNoTensors } from '../support/leaks';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A shift by 1 whose inverse misses by `miss`, with a log-determinant of its own choice. */
class Crooked extends Bijector {
  static className = 'TestCrooked';

  constructor(
    name: string,
    private readonly miss: number,
    private readonly nats: number,
  ) {
    super(name, [2]);
  }

  protected computeForward(x: tf.Tensor) {
    return { value: tf.add(x, 1), logDet: tf.fill([x.shape[0]], this.nats) as tf.Tensor1D };
  }

  protected computeInverse(y: tf.Tensor) {
    return {
      value: tf.sub(y, tf.tensor1d([1, 1 + this.miss])),
      logDet: tf.zeros([y.shape[0]]) as tf.Tensor1D,
    };
  }

  getConfig() {
    return {};
  }
}

/** A full matrix as 1x1 convolution. */
function convolution(matrix: number[][]): InvConv1x1 {
  const layer = new InvConv1x1({ inputShape: [2], parameterization: 'full', seed: 1, name: 'mixing' });
  tf.tidy(() => layer.trainableWeights[0].assign(tf.tensor2d(matrix)));
  return layer;
}

const x = [
  [1, 2],
  [-1, 0.5],
];

describe('every column of an account', () => {
  const flow = () =>
    new Flow({
      bijector: new Chain({
        name: 'chain',
        bijectors: [
          affine([1, -2], [2, 0.25]),
          convolution([
            [2, 1],
            [0, 1],
          ]),
          new Crooked('crooked', 0.125, 0.75),
        ],
      }),
    });

  it('is what can be computed without it', async () => {
    const account = await flow().account(x);
    expect(account.rows.map(({ name, kind }) => [name, kind])).toEqual([
      ['chain/affine', 'ActNorm'],
      ['chain/mixing', 'InvConv1x1'],
      ['chain/crooked', 'TestCrooked'],
    ]);
    const nats = [Math.log(2) + Math.log(0.25), Math.log(2), 0.75];
    account.rows.forEach((row, i) => {
      expect(row.logDet).toBeCloseTo(nats[i], 5);
      expect(row.bitsPerDim).toBeCloseTo(-nats[i] / (2 * Math.LN2), 5);
      expect(row.finite).toBe(true);
      expect(row.context).toBeUndefined();
    });
    const [scales, mixing, crooked] = account.rows;
    expect(scales.smallestScale).toBeCloseTo(0.25, 6);
    expect(scales.conditionNumber).toBeUndefined();
    // |A|_1 = max(2, 2), |A^-1|_1 = max(1/2, 3/2) (columns of [[1/2, -1/2], [0, 1]]).
    expect(mixing.conditionNumber).toBeCloseTo(3, 5);
    expect(mixing.smallestScale).toBeUndefined();
    expect(crooked.roundTripError).toBeCloseTo(0.125, 5);
    expect(scales.roundTripError).toBeLessThan(1e-6);
    expect(mixing.roundTripError).toBeLessThan(1e-5);
    // z by hand: a row [u, v] becomes [u, v] [[2, 1], [0, 1]] = [2 u, u + v], and 1 more.
    const z = x.map(([a, b]) => {
      const [u, v] = [(a + 1) * 2, (b - 2) * 0.25];
      return [2 * u + 1, u + v + 1];
    });
    const base = z.reduce((sum, [a, b]) => sum - Math.log(2 * Math.PI) - (a * a + b * b) / 2, 0) / 2;
    expect(account.base.logProb).toBeCloseTo(base, 4);
    expect(account.base.bitsPerDim).toBeCloseTo(-base / (2 * Math.LN2), 4);
    const total = base + nats.reduce((sum, value) => sum + value, 0);
    expect(account.total.logProb).toBeCloseTo(total, 4);
    expect(account.total.bitsPerDim).toBeCloseTo(-total / (2 * Math.LN2), 4);
    expect(account.firstNonFinite).toBeUndefined();
  });

  it('stands in the text, and columns that no layer has do not', async () => {
    const text = String(await flow().account(x));
    const [heading, ...lines] = text.split('\n');
    expect(heading.trim().split(/ {2,}/)).toEqual([
      'layer',
      'kind',
      'logDet',
      'bits/dim',
      'round trip',
      'scale >=',
      'condition',
    ]);
    expect(lines[0]).toMatch(/^chain\/affine +ActNorm +-0\.69 +0\.5000 +0\.0e\+0 +2\.5e-1$/);
    expect(lines[1]).toMatch(/^chain\/mixing +InvConv1x1 +0\.69 +-0\.5000 +\S+ +3\.0$/);
    expect(lines[2]).toMatch(/^chain\/crooked +TestCrooked +0\.75 +-0\.5410 +1\.3e-1$/);
    expect(lines[4]).toMatch(/^total/);
    expect(text).not.toContain('(!)');
  });

  it('is the mean over the batch, of the noise that a seed draws', async () => {
    const images = new ImageFlow({ bijector: affine([0], [2], [1, 1, 1]), nBits: 3, preprocessing: 'logit' });
    const levels = Uint8Array.of(0, 3, 7);
    const nats = valuesOf(images.logProb(levels, { seed: 4 }));
    const account = await images.account(levels, { seed: 4 });
    expect(account.total.logProb).toBeCloseTo((nats[0] + nats[1] + nats[2]) / 3, 4);
    const { logDet } = images.transform(levels, { seed: 4 });
    const sum = account.rows.reduce((all, row) => all + row.logDet, 0);
    const mean = valuesOf(logDet).reduce((all, value) => all + value, 0) / 3;
    expect(sum).toBeCloseTo(mean, 4);
    images.dispose();
  });

  it('says which layer was first with a value or a log-determinant that is none', async () => {
    const [value, logDet] = [
      affine([1, Number.NaN], [1, 1]),
      new Crooked('crooked', 0, Number.POSITIVE_INFINITY),
    ];
    const [first, second] = [
      new Flow({
        bijector: new Chain({ name: 'chain', bijectors: [affine([0, 0], [1, 1], [2], 'before'), value] }),
      }),
      new Flow({ bijector: new Chain({ name: 'chain', bijectors: [logDet, affine([0, 0], [1, 1])] }) }),
    ];
    await leavesNoTensors(async () => {
      const account = await first.account(x);
      expect(account.rows.map((row) => row.finite)).toEqual([true, false]);
      expect(account.firstNonFinite).toBe('chain/affine');
      expect(String(account)).toContain('chain/affine (!)');
      expect(String(account)).toContain('first non-finite value: chain/affine');
      const other = await second.account(x);
      expect(other.rows.map((row) => row.finite)).toEqual([false, true]);
      expect(other.firstNonFinite).toBe('chain/crooked');
    });
    first.dispose();
    second.dispose();
  });

  it('takes one read, after which nothing of the flow, the data or a tidy around it is needed', async () => {
    const read = vi.spyOn(tf.backend(), 'read');
    try {
      await leavesNoTensors(async () => {
        const [one, data] = [flow(), tf.tensor2d(x)];
        const expected = await one.account(x);
        read.mockClear();
        const promises: Promise<Account>[] = [];
        tf.tidy(() => void promises.push(one.account(data)));
        tf.dispose(data);
        one.dispose();
        expect((await promises[0]).rows).toEqual(expected.rows);
        expect(read.mock.calls).toHaveLength(1);
      });
    } finally {
      read.mockRestore();
    }
  });

  it("has the measures of a layer of one's own, as numbers, scalars, or what the host makes of values", async () => {
    class Own extends Crooked {
      static override className = 'TestOwn';
      protected override computeConditioning(given: tf.Tensor): Conditioning<Measure> {
        const largest: tf.Scalar = tf.max(given);
        const product = {
          of: [largest, tf.tensor1d([2, 3])],
          compute: ([[a], [b, c]]: readonly Float32Array[]) => a * b * c,
        };
        return { smallestScale: 0.25, inverseResidual: largest, conditionNumber: product };
      }
    }
    const own = new Flow({ bijector: new Own('own', 0, 0) });
    const expected = { smallestScale: 0.25, inverseResidual: 2, conditionNumber: 12 };
    await leavesNoTensors(async () => {
      expect((await own.account(x)).rows[0]).toMatchObject(expected);
      const data = tf.tensor2d(x);
      expect(await own.bijector.conditioning(data)).toEqual(expected);
      await expect(own.bijector.conditioning(tf.ones([1, 3]))).rejects.toThrow(
        'TestOwn.conditioning: expected [batch, 2]',
      );
      tf.dispose(data);
      return 1;
    });
    own.dispose();
  });

  it('is refused by the types where a layer gives numbers as `conditioning`, as it once did', () => {
    class Old extends Crooked {
      // @ts-expect-error numbers in place of a promise
      override conditioning(): Conditioning {
        return { smallestScale: 1 };
      }
    }
    expect(new Old('old', 0, 0).conditioning()).toEqual({ smallestScale: 1 });
  });

  it('of a singular matrix is an error by its name, and leaves nothing', async () => {
    const singular = new Flow({
      bijector: convolution([
        [1, 1],
        [1, 1],
      ]),
    });
    await leavesNoTensors(async () => {
      const account = singular.account(x);
      await expect(account).rejects.toThrow(NonFiniteError);
      await expect(account).rejects.toMatchObject({ layer: 'mixing' });
    });
    singular.dispose();
  });

  it('says what layers and base are conditioned on', async () => {
    const conditioned = new Flow({
      bijector: affine([0, 0], [1, 1]),
      base: new DiagonalNormal({ eventShape: [2], classes: 3 }),
    });
    const account = await conditioned.account(x, { context: [0, 2] });
    expect(account.rows[0].context).toBeUndefined();
    expect(account.base.context).toBe('[3]');
    expect(String(account).split('\n')[0]).toMatch(/layer +kind +context +logDet/);
    conditioned.dispose();
  });
});
