/** The bars of `npm run bench:attributes` on normality and the two hypotheses, at reduced counts. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { Matrix, RandomStream } from 'tfjs-flows';
import { mixedNormality } from 'tfjs-flows/attributes';
import { beforeAll, describe, expect, it } from 'vitest';
import { coverage } from '../../bench/attributes/bandCoverage';
import { components, split, summarize } from '../../bench/attributes/complementarity';
import { loadDigits, rowsOf, splitHalves } from '../../bench/attributes/digits';
import { rejectionRates } from '../../bench/attributes/falsePositives';
import { attributeVerdicts, trainingLatents } from '../../bench/attributes/hypothesis1';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const digits = loadDigits();

describe('false positives at nominal 0.05 (500 normal samples; 99.9 % band of the binomial: +- 0.032)', () => {
  it.each([8, 20, 100])('n = %i', (n) => {
    const { jarqueBera, fittedKolmogorovSmirnov, refused, ...calibrated } = rejectionRates(n, 500);
    for (const [test, rate] of Object.entries(calibrated)) {
      expect(Math.abs(rate - 0.05), test).toBeLessThan(0.032);
    }
    // The asymptotic p-value is too large, as documented; fitted moments would never reject, and are refused.
    expect(jarqueBera).toBeLessThan(0.06);
    expect(fittedKolmogorovSmirnov).toBeLessThan(0.01);
    expect(refused).toBe(1);
  });
});

describe('class-level bands', () => {
  it('hold the mean over populations about as often as they say (40 populations at 0.95: fewer than 33 has probability 0.001)', () => {
    for (const share of coverage(40, 60)) expect(share).toBeGreaterThan(0.82);
  });
});

describe('hypothesis 1 on attributes of digits', () => {
  it('thickness departs from normal by mixing, slant approaches it', () => {
    const counts = { counts: [1, 3, 10], replicates: 59 };
    const { thickness, slant } = attributeVerdicts(digits, 1, counts);
    expect(thickness.verdict).toBe('not supported');
    expect(thickness.all - thickness.single).toBeGreaterThan(0.05);
    expect(slant.verdict).not.toBe('not supported');
    expect(slant.all).toBeLessThan(slant.single);
  });

  it('latents of the data a flow was trained on support nothing', async () => {
    const [trained] = splitHalves(digits.label, new RandomStream(1));
    const attributes = standardized(rowsOf(digits.attributes, trained));
    const z = await trainingLatents(attributes, { layers: 4, hiddenUnits: [32], steps: 80 });
    const labeled = { z, subclass: trained.map((i) => digits.label[i]) };
    const options = { n: 80, replicates: 39, counts: [1, 10] };
    expect(mixedNormality(labeled, { ...options, trainingLatents: true }).nearNormal).not.toBe('supported');
    expect(mixedNormality(labeled, options).notes).toEqual([expect.stringContaining('training data')]);
    // What the flow was given has the same moments.
    expect(mixedNormality({ ...labeled, z: attributes }, options).notes).toEqual([]);
  });
});

describe('complementarity of small samples of digits', () => {
  const z = components(digits);
  const over = (planted: 'nothing' | 'shared' | 'cancelling', splits: number, replicates: number) => {
    const random = new RandomStream(1);
    return summarize(
      Array.from({ length: splits }, () =>
        split(z, digits.label, 5, planted, random.childSeed(), replicates),
      ),
    );
  };

  it('is that of independent samples (ratio of one split spreads by 0.35: standard error 0.12)', () => {
    const { ratio, cosine } = over('nothing', 9, 49);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.36);
    expect(Math.abs(cosine)).toBeLessThan(0.09);
  });

  it('rises with a shared bias and falls where the deviations cancel', () => {
    const shared = over('shared', 2, 199);
    expect(shared.ratio).toBeGreaterThan(1.5);
    expect(shared.pShared).toBeLessThan(0.05);
    const cancelling = over('cancelling', 2, 199);
    expect(cancelling.ratio).toBeLessThan(0.5);
    expect(cancelling.pComplementary).toBeLessThan(0.05);
  });
});

function standardized(rows: Matrix): Matrix {
  const columns = Array.from({ length: rows.cols }, (_, j) => {
    const column = rows.column(j);
    const mean = column.reduce((sum, value) => sum + value, 0) / rows.rows;
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows.rows;
    return column.map((value) => (value - mean) / Math.sqrt(variance));
  });
  return Matrix.fromRows(columns).transpose();
}
