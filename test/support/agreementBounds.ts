import { expect } from 'vitest';
import type { Differences } from './agreement';
import type { PublishedDifferences } from './publishedAgreement';

/**
 * float32 on both sides, summed in different orders; a multi-scale flow sends that through a dozen layers there and back, and an
 * autoregressive one hands on from value to value what sine and cosine of an angle differ by.
 */
const LONG = ['MultiScale', 'MaskedAutoregressive, circle, periodic network, context that shifts'];

/** Expects another backend to give the results of cpu for a bijector of the registry. */
export function expectSameResults(name: string, { values, gradients }: Differences): void {
  expect(values, 'values').toBeLessThan(LONG.includes(name) ? 1e-3 : 1e-4);
  expect(gradients, 'gradients').toBeLessThan(1e-3);
}

/** Expects a published flow to give its fixture's numbers; both sides are float32. */
export function expectPublishedResults({ logProb, values }: PublishedDifferences): void {
  expect(logProb, 'log-densities').toBeLessThan(2e-5);
  expect(values, 'values').toBeLessThan(1e-4);
}
