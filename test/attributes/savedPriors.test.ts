import { readFileSync } from 'node:fs';
import { Prior, type SerializedPrior } from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';

interface Saved {
  saved: SerializedPrior;
  posterior: {
    mean: number[];
    covariance: number[];
    meanCovariance: number[];
    degreesOfFreedom: number;
    logProb: number[];
  };
}

// Written by the sources of commit ec5f836, before the fields were renamed; people have such files.
const path = new URL('../fixtures/priors/version1.json', import.meta.url);
const { few, ...forms } = JSON.parse(readFileSync(path, 'utf8')) as { few: number[][] } & Record<
  string,
  Saved
>;

describe('Prior.fromJSON reads version 1', () => {
  it.each(Object.entries(forms))('%s: to the same posterior', (_, { saved, posterior: expected }) => {
    const prior = Prior.fromJSON(saved);
    const posterior = prior.posterior(few, { inflate: false });
    expect([...posterior.mean]).toEqual(expected.mean);
    expect([...posterior.covariance.toMatrix().data]).toEqual(expected.covariance);
    expect([...posterior.meanCovariance.toMatrix().data]).toEqual(expected.meanCovariance);
    expect(posterior.degreesOfFreedom).toBe(expected.degreesOfFreedom);
    expect([...posterior.logProb(few)]).toEqual(expected.logProb);
    expect(prior.subclasses.map(({ subclass }) => subclass)).toHaveLength(5);
    const again = Prior.fromJSON(JSON.parse(JSON.stringify(prior)));
    expect([...again.posterior(few).logProb(few)]).toEqual([...prior.posterior(few).logProb(few)]);
  });
});
