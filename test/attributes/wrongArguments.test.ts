import {
  augment,
  benjaminiHochberg,
  benjaminiYekutieli,
  biasReport,
  buresDistanceSquared,
  FlowError,
  fitPrior,
  holm,
  kolmogorovSmirnov,
  learnableRange,
  ledoitWolf,
  manipulate,
  mixedNormality,
  normality,
  otMap,
  Prior,
  RandomStream,
  shapiroWilk,
  synthesize,
  transferDelta,
  transferPairs,
  twoSampleDistances,
  zDelta,
} from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

const random = new RandomStream(3);
const z = Array.from({ length: 24 }, () => Array.from(random.normalArray(2)));
const subclass = z.map((_, i) => i % 3);
const attributes = z.map(([x]) => x);
const labeled = { z, subclass, attributes };
const reference = {
  z: Array.from({ length: 24 }, () => Array.from(random.normalArray(2))),
  subclass,
  attributes,
};
const few = z.slice(0, 4);
const direction = zDelta(labeled);
const prior = fitPrior({ z, subclass }, { withinWeight: 4 });
const posterior = prior.posterior(few);
const p = [0.01, 0.2, 0.03];
const matrix = [
  [2, 0],
  [0, 1],
];

type Call = (...values: never[]) => unknown;

/** Every function with arguments that it takes; the last may be options. */
const calls: [string, Call, unknown[]][] = [
  ['augment', augment, [few, prior, { count: 2, method: 'mixup', filter: 'none' }]],
  ['benjaminiHochberg', benjaminiHochberg, [p]],
  ['benjaminiYekutieli', benjaminiYekutieli, [p]],
  ['biasReport', biasReport, [{ z: few, subclass: [0, 0, 1, 1] }, reference, { replicates: 19 }]],
  ['buresDistanceSquared', buresDistanceSquared, [matrix, matrix]],
  ['fitPrior', fitPrior, [{ z, subclass }, { withinWeight: 4 }]],
  ['holm', holm, [p]],
  ['kolmogorovSmirnov', kolmogorovSmirnov, [p, { mean: 0, standardDeviation: 1 }]],
  ['learnableRange', learnableRange, [posterior, z[0], direction, { level: 0.9 }]],
  ['ledoitWolf', ledoitWolf, [z, {}]],
  ['manipulate', manipulate, [z, direction, [1]]],
  ['mixedNormality', mixedNormality, [{ z, subclass }, { replicates: 20 }]],
  ['normality', normality, [attributes, {}]],
  ['otMap', otMap, [matrix, matrix]],
  ['Prior.posterior', (...values) => prior.posterior(...(values as [never])), [few, {}]],
  ['Prior.logProb', (...values) => prior.logProb(...(values as [never])), [few]],
  ['Prior.of', Prior.of, [[0, 0], matrix, matrix, 4]],
  ['shapiroWilk', shapiroWilk, [attributes]],
  ['synthesize', synthesize, [posterior, { count: 2, method: 'mixup' }]],
  ['transferDelta', transferDelta, [direction, posterior, { strength: 1 }]],
  ['transferPairs', transferPairs, [few, { z, subclass }, { count: 2 }]],
  ['twoSampleDistances', twoSampleDistances, [p, attributes]],
  ['zDelta', zDelta, [labeled, {}]],
];

const wrong: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['5', 5],
  ['NaN', Number.NaN],
  ['a text', 'latents.npy'],
  ['true', true],
  ['{}', {}],
  ['[]', []],
  ['[[]]', [[]]],
  ['[null]', [null]],
  ['a function', () => 1],
  ['a Promise', Promise.resolve(z)],
  ['a Map', new Map()],
  ['labels', subclass],
  ['texts', ['a', 'b']],
  ['a prior', prior],
  ['a direction', direction],
  ['labelled samples', labeled],
];

/** Fails where a call throws anything but an error of ours, or gives a number that is none. */
function holds(what: string, call: () => unknown): void {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    expect(error instanceof FlowError, `${what}: ${error}`).toBe(true);
    return;
  }
  expect(
    JSON.stringify(result, (_, value) => (Number.isNaN(value) ? 'NaN' : value)) ?? '',
    what,
  ).not.toContain('NaN');
}

describe.each(calls)('%s', (name, call, values) => {
  it('takes its arguments', () => {
    expect(() => call(...(values as never[]))).not.toThrow();
  });

  it.each(wrong)('takes or refuses %s in every place', (shown, value) => {
    values.forEach((_, place) => {
      const changed = values.map((own, i) => (i === place ? value : own));
      holds(`${name} with ${shown} as argument ${place}`, () => call(...(changed as never[])));
    });
  });

  it('refuses missing and swapped arguments', () => {
    for (let count = 0; count < values.length; count++) {
      holds(`${name} with ${count} arguments`, () => call(...(values.slice(0, count) as never[])));
    }
    for (let a = 0; a < values.length; a++) {
      for (let b = 0; b < a; b++) {
        const swapped = values.slice();
        [swapped[a], swapped[b]] = [values[b], values[a]];
        holds(`${name} with arguments ${b} and ${a} swapped`, () => call(...(swapped as never[])));
      }
    }
  });
});
