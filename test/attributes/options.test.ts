import {
  augment,
  biasReport,
  ConfigError,
  fitPrior,
  imageGrid,
  kolmogorovSmirnov,
  learnableRange,
  ledoitWolf,
  manipulate,
  mixedNormality,
  normality,
  RandomStream,
  synthesize,
  transferDelta,
  transferPairs,
  zDelta,
} from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

const random = new RandomStream(3);
const z = Array.from({ length: 24 }, () => Array.from(random.normalArray(2)));
const labeled = { z, subclass: z.map((_, i) => i % 2), attributes: z.map(([x]) => x) };
const fewLabeled = { z: z.slice(0, 6).map(([x, y]) => [x + 1, y]), subclass: [0, 1, 0, 1, 0, 1] };
const prior = fitPrior(labeled, { withinWeight: 4 });
const posterior = prior.posterior(z.slice(0, 4));
const column = labeled.attributes;
const grid = { shape: [1, 1, 1, 1], data: [0] };

type Call = (options: never) => unknown;

/** Every function with options, options that it takes, a name that somebody may write, and the name that is meant. */
const calls: [string, Call, object, string, string][] = [
  ['augment', (o) => augment(z.slice(0, 4), prior, o), { count: 2, method: 'mixup' }, 'filters', 'filter'],
  [
    'biasReport',
    (o) => biasReport(fewLabeled, labeled, o),
    { replicates: 19 },
    'n_permutations',
    'replicates',
  ],
  ['fitPrior', (o) => fitPrior(labeled, o), { withinWeight: 4 }, 'nu0', 'withinWeight'],
  ['imageGrid', (o) => imageGrid(grid, o), { nBits: 5 }, 'n_bits', 'nBits'],
  [
    'kolmogorovSmirnov',
    (o) => kolmogorovSmirnov(column, o),
    { mean: 0, standardDeviation: 2 },
    'std',
    'standardDeviation',
  ],
  ['learnableRange', (o) => learnableRange(posterior, z[0], [1, 0], o), { level: 0.9 }, 'levels', 'level'],
  ['ledoitWolf', (o) => ledoitWolf(z, o), { assumeCentered: true }, 'assume_centered', 'assumeCentered'],
  [
    'manipulate',
    (o) => manipulate(z, [1, 0], [1], o),
    { orthogonalize: true },
    'orthogonalise',
    'orthogonalize',
  ],
  ['mixedNormality', (o) => mixedNormality(labeled, o), { replicates: 19 }, 'eps', 'epsilon'],
  ['normality', (o) => normality(column, o), { replicates: 0 }, 'test', 'tests'],
  ['Prior.posterior', (o) => prior.posterior(z, o), { inflate: false }, 'inflation', 'inflate'],
  ['synthesize', (o) => synthesize(posterior, o), { count: 2, method: 'mixup' }, 'strengths', 'strength'],
  [
    'transferDelta',
    (o) => transferDelta([1, 0], posterior, o),
    { strength: 1 },
    'allow_outside',
    'allowOutside',
  ],
  ['transferPairs', (o) => transferPairs(z, labeled, o), { count: 2 }, 'channel', 'channels'],
  ['zDelta', (o) => zDelta(labeled, o), { scale: 1 }, 'stratified', 'stratify'],
];

describe.each(calls)('%s', (where, call, options, mistaken, meant) => {
  it('takes its options', () => {
    expect(() => call(options as never)).not.toThrow();
  });

  it('refuses a name that nothing reads, and says the nearest', () => {
    const wrong = { ...options, [mistaken]: 1 };
    expect(() => call(wrong as never)).toThrow(ConfigError);
    expect(() => call(wrong as never)).toThrow(
      new RegExp(`^${where}: .*'${mistaken}'\\. Did you mean '${meant}'\\?`),
    );
  });

  it('refuses what is no object of options', () => {
    for (const other of [column, 5, 'full', null]) {
      expect(() => call(other as never)).toThrow(ConfigError);
      expect(() => call(other as never)).toThrow(`${where}: expected an object of options`);
    }
  });
});

describe('options that one function hands to another', () => {
  const shared = { level: 0.5, kind: 'marginal', minimumConsistency: 0.9, assumeNearNormal: true } as const;
  const mask = { activeShare: 0.5, channels: 2 };

  it('augment and synthesize take those of the range and of the mask', () => {
    const options = { ...shared, ...mask, count: 2, directions: [[1, 0]], donors: labeled };
    for (const method of ['attribute', 'pair'] as const) {
      expect(synthesize(posterior, { ...options, method }).z.rows).toBe(2);
      expect(augment(z.slice(0, 4), prior, { ...options, method, filter: 'none' }).z.rows).toBe(2);
    }
  });

  it('transferDelta takes those of the range', () => {
    const options = {
      ...shared,
      z: posterior.samples.row(0),
      strength: 0,
      own: z.slice(0, 4),
      consistency: 1,
    };
    expect(transferDelta([1, 0], posterior, options).range?.level).toBe(0.5);
  });

  it('augment does not read options of the range that it sets itself', () => {
    const wrong = { count: 2, method: 'mixup', own: z } as never;
    expect(() => augment(z.slice(0, 4), prior, wrong)).toThrow(ConfigError);
  });
});

describe('numbers among the options', () => {
  const few = z.slice(0, 4);

  /** Comparisons alone would take these: '0.5' > 0. */
  it.each<[string, () => unknown]>([
    ['level of learnableRange', () => learnableRange(posterior, z[0], [1, 0], { level: '0.95' } as never)],
    [
      'minimumConsistency',
      () => learnableRange(posterior, z[0], [1, 0], { minimumConsistency: null } as never),
    ],
    ['level of biasReport', () => biasReport(fewLabeled, labeled, { level: '0.95' } as never)],
    ['level of mixedNormality', () => mixedNormality(labeled, { level: '0.95' } as never)],
    ['epsilon', () => mixedNormality(labeled, { epsilon: '0.05' } as never)],
    ['strength of transferPairs', () => transferPairs(few, labeled, { strength: '0.5' } as never)],
    [
      'strength of synthesize',
      () => synthesize(posterior, { count: 1, method: 'mixup', strength: '0.5' } as never),
    ],
    ['activeShare', () => transferPairs(few, labeled, { activeShare: '0.5' } as never)],
    ['scale', () => zDelta(labeled, { scale: '1.6' } as never)],
    ['withinWeight', () => fitPrior(labeled, { withinWeight: '4' } as never)],
    ['size of a level', () => fitPrior(labeled, { layout: [{ level: 0, offset: 0, size: '2' }] } as never)],
    ['strength of a status', () => learnableRange(posterior, z[0], [1, 0]).status(null as never)],
    ['limit of the largest', () => learnableRange(posterior, z[0], [1, 0]).largest('1' as never)],
  ])('%s is refused as text or null', (_, call) => {
    expect(call).toThrow(ConfigError);
  });

  it('a verdict that there is none of is refused, not taken for a no', () => {
    for (const mixing of ['supported', null, {}, { nearNormal: 'Supported', along: [1, 0] }]) {
      const call = () => learnableRange(posterior, z[0], [1, 0], { mixing } as never);
      expect(call).toThrow('mixing to be a report of mixedNormality');
    }
    for (const assumeNearNormal of ['yes', null, 1]) {
      const call = () => learnableRange(posterior, z[0], [1, 0], { assumeNearNormal } as never);
      expect(call).toThrow(ConfigError);
    }
  });
});
