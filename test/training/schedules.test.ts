import { ConfigError, learningRateAt, type Schedule } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

const at = (schedule: Schedule, steps: number[]) => steps.map((step) => learningRateAt(schedule, step, 1e-3));

describe('learningRateAt', () => {
  // Expected values are computed by hand from the formulas in the docstring.
  it.each<[string, Schedule, number[], number[]]>([
    ['constant', { kind: 'constant' }, [0, 1e6], [1e-3, 1e-3]],
    ['linear warm-up', { kind: 'constant', warmupSteps: 100 }, [0, 49, 99, 100], [1e-5, 5e-4, 1e-3, 1e-3]],
    [
      'cosine',
      { kind: 'cosine', steps: 100 },
      [0, 25, 50, 100, 500],
      [1e-3, 0.5e-3 * (1 + Math.SQRT1_2), 0.5e-3, 0, 0],
    ],
    ['cosine to a floor', { kind: 'cosine', steps: 100, floor: 0.2 }, [50, 100], [0.6e-3, 0.2e-3]],
    [
      'cosine after warm-up',
      { kind: 'cosine', steps: 110, warmupSteps: 10 },
      [4, 9, 60, 110],
      [0.5e-3, 1e-3, 0.5e-3, 0],
    ],
    ['steps', { kind: 'step', every: 10 }, [0, 9, 10, 25], [1e-3, 1e-3, 1e-4, 1e-5]],
    [
      'steps by half',
      { kind: 'step', every: 3, factor: 0.5, warmupSteps: 2 },
      [0, 1, 3, 6],
      [0.5e-3, 1e-3, 0.5e-3, 0.25e-3],
    ],
    ['noam', { kind: 'noam', warmupSteps: 100 }, [0, 99, 399, 99_999], [1e-5, 1e-3, 0.5e-3, 1e-4]],
    ['noam without floor', { kind: 'noam', warmupSteps: 100, floor: 0 }, [999_999], [1e-5]],
    ['a function', (step) => step / 8, [0, 4], [0, 0.5]],
  ])('gives %s', (_, schedule, steps, expected) => {
    at(schedule, steps).forEach((rate, i) => {
      expect(rate).toBeCloseTo(expected[i], 12);
    });
  });

  it('follows the published Noam formula: lr0 sqrt(4000) min(s 4000^-1.5, s^-0.5), s = step + 1, floor 1e-4 after warm-up', () => {
    for (const step of [0, 10, 3998, 3999, 4000, 10_000, 10 ** 6]) {
      const s = step + 1;
      const published = 1e-3 * Math.sqrt(4000) * Math.min(s * 4000 ** -1.5, s ** -0.5);
      expect(learningRateAt({ kind: 'noam' }, step, 1e-3)).toBeCloseTo(
        s > 4000 ? Math.max(1e-4, published) : published,
        12,
      );
    }
  });

  it.each<[Schedule, RegExp]>([
    [{ kind: 'linear' } as never, /kind to be one of constant, cosine, step, noam, got linear/],
    [{ kind: 'constant', warmupSteps: -1 }, /warmupSteps/],
    [{ kind: 'cosine' } as never, /steps to be an integer >= 1, got undefined/],
    [{ kind: 'cosine', steps: 10, floor: 2 }, /floor between 0 and 1, got 2/],
    [{ kind: 'step', every: 0 }, /every/],
    [{ kind: 'step', every: 1, factor: -1 }, /factor/],
    [{ kind: 'noam', warmupSteps: 0 }, /warmupSteps to be an integer >= 1, got 0/],
  ])('refuses %j', (schedule, message) => {
    expect(() => learningRateAt(schedule, 0, 1)).toThrow(ConfigError);
    expect(() => learningRateAt(schedule, 0, 1)).toThrow(message);
  });
});
