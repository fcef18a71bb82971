import { describe, expect, it } from 'vitest';
import { measureCoverage } from '../../bench/attributes/priorCoverage';

// Short forms of the report: 640 and 240 samples each, standard error .01 to .015 and that of the few bases.
describe('ranges through fitPrior cover .95, along the widest coordinate too', () => {
  it.each([
    { dimensions: 4, factors: 3, few: 5, bases: 16 },
    { dimensions: 16, factors: 3, few: 5, bases: 16 },
    { dimensions: 64, factors: 3, few: 5, bases: 6 },
  ])('d $dimensions', ({ bases, ...setting }) => {
    for (const share of Object.values(measureCoverage(setting, bases, 40, 2))) {
      expect(share).toBeGreaterThanOrEqual(0.9);
      expect(share).toBeLessThanOrEqual(0.99);
    }
  });
});
