import { describe, expect, it } from 'vitest';
import {
  chiSquaredCdf,
  chiSquaredQuantile,
  chiSquaredSf,
  fCdf,
  fQuantile,
  fSf,
  incompleteBeta,
  incompleteGamma,
  logGamma,
  normalCdf,
  normalLogCdf,
  normalPdf,
  normalQuantile,
  normalSf,
  studentTCdf,
  studentTQuantile,
  studentTSf,
} from '../../src/statistics/special';
import { expectClose, golden } from '../support/golden';

const { special } = golden;

/** scipy's own error on these points; ours is below 1e-15. */
const PRECISE = 1e-13;

describe('normal distribution', () => {
  it('cdf, log cdf and quantile agree with scipy', () => {
    // scipy underflows to 0 at -38; the true value is 2.885428e-316.
    for (const [x, cdf] of special.ndtr) expectClose(normalCdf(x), cdf, PRECISE, 1e-300);
    for (const [x, logCdf] of special.logNdtr) expectClose(normalLogCdf(x), logCdf, PRECISE);
    for (const [p, x] of special.ndtri) expectClose(normalQuantile(p), x, PRECISE);
  });

  it('sums to 1, mirrors, and its density is its derivative', () => {
    for (const x of [-9, -2.5, -0.67449, -0.1, 0, 0.4, 0.675, 3, 5.7]) {
      expect(normalSf(x)).toBe(normalCdf(-x));
      expectClose(normalCdf(x) + normalSf(x), 1, 1e-15);
      const h = 1e-4;
      const slope = (normalCdf(x + h) - normalCdf(x - h)) / (2 * h);
      expectClose(slope, normalPdf(x), 1e-6, 1e-11);
    }
  });

  it('quantile inverts cdf over the whole range and rejects what is no probability', () => {
    for (const x of [-37, -20, -5, -1.3, -0.2, 0, 0.9, 4])
      expectClose(normalQuantile(normalCdf(x)), x, 1e-11);
    expect(normalQuantile(0)).toBe(-Infinity);
    expect(normalQuantile(1)).toBe(Infinity);
    expect(normalQuantile(1.1)).toBeNaN();
  });
});

describe('gamma family', () => {
  it('chi-squared tail and quantile agree with scipy', () => {
    for (const [x, df, sf] of special.chi2sf) expectClose(chiSquaredSf(x, df), sf, PRECISE, 1e-300);
    for (const [p, df, x] of special.chi2ppf) expectClose(chiSquaredQuantile(p, df), x, PRECISE);
  });

  it('log gamma of half integers and factorials', () => {
    expectClose(logGamma(0.5), 0.5 * Math.log(Math.PI), 1e-15);
    expectClose(logGamma(1), 0, 0, 1e-15);
    expectClose(logGamma(11), Math.log(3628800), 1e-15);
    expectClose(logGamma(1e-6), 13.815509980749432, 1e-14);
  });

  it('both incomplete gamma tails keep relative accuracy (500-digit series)', () => {
    const reference = [
      [100, 1, 3.9812808189568546e-159, 1],
      [0.001, 0.03, 0.9970444648438742, 0.002955535156126287],
      [1536, 1582.08, 0.8795385900622078, 0.12046140993779222],
    ];
    for (const [a, x, lower, upper] of reference) {
      const tails = incompleteGamma(a, x);
      expectClose(tails.lower, lower, 1e-12);
      expectClose(tails.upper, upper, 1e-12);
    }
  });

  it('quantile inverts cdf, also far out', () => {
    for (const df of [0.3, 1, 2.5, 12, 400]) {
      // At df = 0.3 the quantile of 1e-30 is already 1e-200.
      for (const p of [1e-30, 1e-9, 0.05, 0.5, 0.9]) {
        expectClose(chiSquaredCdf(chiSquaredQuantile(p, df), df), p, 1e-11);
      }
    }
    expect(chiSquaredQuantile(0, 3)).toBe(0);
    expect(chiSquaredQuantile(1, 3)).toBe(Infinity);
  });
});

describe('beta family', () => {
  it('F and t agree with scipy', () => {
    for (const [x, df1, df2, sf] of special.fsf) expectClose(fSf(x, df1, df2), sf, PRECISE);
    for (const [p, df1, df2, x] of special.fppf) expectClose(fQuantile(p, df1, df2), x, PRECISE);
    for (const [p, df, x] of special.tppf) expectClose(studentTQuantile(p, df), x, PRECISE);
  });

  it('incomplete beta keeps relative accuracy (500-digit series)', () => {
    expectClose(incompleteBeta(0.4, 0.6, 600, 0.5).lower, 5.116083113412172e-241, 1e-12);
    expectClose(incompleteBeta(0.4, 0.6, 0.05, 400).upper, 7.510305483232546e-93, 1e-12);
  });

  it('t and F mirror and invert', () => {
    for (const df of [1, 4, 30]) {
      for (const x of [-1e4, -3, -0.5, 0, 0.5, 3]) {
        expectClose(studentTCdf(x, df), studentTSf(-x, df), 1e-15);
        expectClose(studentTQuantile(studentTCdf(x, df), df), x, 1e-9, 1e-12);
      }
    }
    // Closed forms: Cauchy (t with 1 degree of freedom) and F(2, 2) = x / (1 + x).
    expectClose(studentTCdf(1, 1), 0.75, 1e-14);
    expectClose(fCdf(3, 2, 2), 0.75, 1e-14);
  });
});

describe('at the ends of the line', () => {
  it.each<[string, (x: number) => number, number, number]>([
    ['normalCdf', normalCdf, 0, 1],
    ['normalSf', normalSf, 1, 0],
    ['normalLogCdf', normalLogCdf, -Infinity, 0],
    ['normalPdf', normalPdf, 0, 0],
    ['chiSquaredCdf', (x) => chiSquaredCdf(x, 3), 0, 1],
    ['chiSquaredSf', (x) => chiSquaredSf(x, 3), 1, 0],
    ['fCdf', (x) => fCdf(x, 3, 5), 0, 1],
    ['fSf', (x) => fSf(x, 3, 5), 1, 0],
    ['studentTCdf', (x) => studentTCdf(x, 4), 0, 1],
    ['studentTSf', (x) => studentTSf(x, 4), 1, 0],
  ])('%s has its limits, nears them at the largest numbers, and is NaN for NaN', (_, f, low, high) => {
    expect([f(-Infinity), f(Infinity) + 0]).toEqual([low, high]);
    for (const x of [50, 1e100, 1.7e308]) {
      if (Number.isFinite(low)) expectClose(f(-x), low, 0, 1e-3);
      expectClose(f(x), high, 0, 1e-3);
    }
    expect(f(Number.NaN)).toBeNaN();
  });

  it.each<[string, (p: number) => number, number]>([
    ['normalQuantile', normalQuantile, -Infinity],
    ['chiSquaredQuantile', (p) => chiSquaredQuantile(p, 3), 0],
    ['fQuantile', (p) => fQuantile(p, 3, 5), 0],
    ['studentTQuantile', (p) => studentTQuantile(p, 4), -Infinity],
  ])('%s has its limits, and is NaN for what is no probability', (_, quantile, low) => {
    expect([quantile(0), quantile(1)]).toEqual([low, Infinity]);
    for (const p of [Number.NaN, -0.1, 1.1]) expect(quantile(p)).toBeNaN();
  });

  it('the F distribution has nothing below 0', () => {
    for (const x of [-0.1, -5 / 3, -100]) expect([fCdf(x, 3, 5), fSf(x, 3, 5)]).toEqual([0, 1]);
  });

  it('incomplete functions are NaN for NaN, and ln Gamma grows without end', () => {
    expect(incompleteGamma(2, Number.NaN)).toEqual({ lower: Number.NaN, upper: Number.NaN });
    expect(incompleteBeta(Number.NaN, Number.NaN, 2, 3)).toEqual({ lower: Number.NaN, upper: Number.NaN });
    expect(logGamma(Infinity)).toBe(Infinity);
  });
});
