import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import {
  augment,
  biasReport,
  ConfigError,
  DataError,
  FlowError,
  fitPrior,
  type Labeled,
  learnableRange,
  manipulate,
  mixedNormality,
  Prior,
  RandomStream,
  ShapeError,
  synthesize,
  transferDelta,
  transferPairs,
  zDelta,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';

/** What stands in tables where a number is missing, and what is said of it. */
const missing: [unknown, string][] = [
  [null, 'a missing value (null)'],
  [undefined, 'a missing value (undefined)'],
  ['', "a missing value ('')"],
  ['NA', "the text 'NA'"],
  ['1.5', "the text '1.5'"],
];

const random = new RandomStream(3);
const rows = Array.from({ length: 24 }, () => Array.from(random.normalArray(2)));
const subclass = rows.map((_, i) => i % 2);
const attributes = rows.map(([x]) => [x]);
const labeled: Labeled = { z: rows, subclass, attributes };
/** Other samples of the same subclasses. */
const reference: Labeled = { z: rows.map(([x, y]) => [x + 1, y]), subclass };
const prior = fitPrior({ z: rows, subclass }, { withinWeight: 4 });
const posterior = prior.posterior(rows.slice(0, 4));

/** The rows with one entry replaced, in row 2 and column 1. */
function spoiled(entry: unknown): never {
  return rows.map((row, i) => (i === 2 ? [row[0], entry] : row)) as never;
}

/** Every function that takes labelled samples. */
const ofLabeled: Record<string, (labeled: Labeled) => unknown> = {
  'augment (others)': (others) => augment(rows.slice(0, 4), prior, { count: 2, others }),
  'biasReport (few)': (few) => biasReport(few, reference),
  'biasReport (reference)': (others) => biasReport(reference, others),
  fitPrior,
  mixedNormality,
  transferPairs: (donors) => transferPairs(rows, donors),
  zDelta,
};

/** Every function that takes rows alone. */
const ofRows: Record<string, (z: never) => unknown> = {
  augment: (z) => augment(z, prior, { count: 2 }),
  'learnableRange (own)': (own) => learnableRange(posterior, [0, 0], [1, 0], { own }),
  manipulate: (z) => manipulate(z, [1, 0], [1]),
  'Posterior.logProb': (z) => posterior.logProb(z),
  'Prior.logProb': (z) => prior.logProb(z),
  'Prior.of (within)': (z) =>
    Prior.of(
      [0, 0],
      z,
      [
        [1, 0],
        [0, 1],
      ],
      4,
    ),
  'Prior.of (between)': (z) =>
    Prior.of(
      [0, 0],
      [
        [1, 0],
        [0, 1],
      ],
      z,
      4,
    ),
  'Prior.posterior': (z) => prior.posterior(z),
  transferPairs: (z) => transferPairs(z, labeled),
};

/** Those of them that take the samples of one subclass, as labelled samples hold them too. */
const ofSamples = ['Posterior.logProb', 'Prior.logProb', 'Prior.posterior'];

/** Every function that takes vectors. */
const ofVectors: Record<string, (vector: never) => unknown> = {
  'learnableRange (z)': (z) => learnableRange(posterior, z, [1, 0]),
  'learnableRange (direction)': (delta) => learnableRange(posterior, [0, 0], delta),
  'learnableRange (mean)': (mean) => learnableRange({ ...posterior, mean } as never, [0, 0], [1, 0]),
  'manipulate (direction)': (delta) => manipulate(rows, delta, [1]),
  'manipulate (directions)': (delta) => manipulate(rows, [delta, [0, 1]], [[1, 1]]),
  'manipulate ({ delta })': (delta) => manipulate(rows, { delta }, [1]),
  'manipulate (strengths)': (strengths) => manipulate(rows, [1, 0], strengths),
  'Prior.of': (general) =>
    Prior.of(
      general,
      [
        [1, 0],
        [0, 1],
      ],
      [
        [1, 0],
        [0, 1],
      ],
      4,
    ),
  'synthesize (directions)': (delta) =>
    synthesize(posterior, { count: 2, method: 'attribute', directions: [delta] }),
  transferDelta: (delta) => transferDelta(delta, posterior),
};

describe.each(Object.entries(ofLabeled))('%s', (_, use) => {
  it.each(missing)('refuses %s', (entry, message) => {
    expect(() => use({ ...labeled, z: spoiled(entry) })).toThrow(`${message} in row 2, column 1`);
    const gaps = attributes.map(([x], i) => [i === 1 ? entry : x]) as never;
    expect(() => use({ ...labeled, attributes: gaps })).toThrow(`${message} in row 1, column 0`);
    expect(() => use({ ...labeled, attributes: gaps })).toThrow(DataError);
  });

  it.each([null, undefined, '', Number.NaN])('refuses %s as a subclass', (label) => {
    const labels = subclass.map((own, i) => (i === 5 ? label : own)) as never;
    expect(() => use({ ...labeled, subclass: labels })).toThrow(/ in row 5\./);
    expect(() => use({ ...labeled, subclass: labels })).toThrow(DataError);
  });

  it('refuses what are no labelled samples', () => {
    expect(() => use(rows as never)).toThrow('labelled samples { z, subclass }, got an array');
    expect(() => use({ z: rows } as never)).toThrow('a list of subclass labels, one per sample');
    expect(() => use({ z: rows, subclass: Promise.resolve(subclass) } as never)).toThrow('got a Promise');
    const mixed = subclass.map((own, i) => (i === 3 ? '1' : own)) as never;
    expect(() => use({ ...labeled, subclass: mixed })).toThrow(
      'subclasses that are all numbers or all strings, got 0 in row 0 and "1" in row 3',
    );
  });
});

describe.each(Object.entries(ofRows))('%s', (name, use) => {
  it.each(missing)('refuses %s', (entry, message) => {
    expect(() => use(spoiled(entry))).toThrow(DataError);
    expect(() => use(spoiled(entry))).toThrow(`${message} in row 2, column 1`);
  });

  it('says what to do about one flat sample, records and what is no list', () => {
    // `manipulate` takes one latent as it is.
    if (name !== 'manipulate') {
      expect(() => use([1, 2] as never)).toThrow(
        /rows \[n, d\], got a flat list of 2 numbers\. One sample is \[values\]/,
      );
      expect(() => use(Float32Array.of(1, 2) as never)).toThrow(ShapeError);
    }
    expect(() => use([{ a: 1, b: 2 }] as never)).toThrow(
      /an object \{ a, b \} in row 0\. Write rows as arrays/,
    );
    for (const input of [null, 'latents.npy', 7]) {
      expect(() => use(input as never)).toThrow(FlowError);
    }
  });

  it('takes { z } where it takes samples of one subclass, and refuses it elsewhere', () => {
    const held = () => use({ z: rows } as never);
    if (ofSamples.includes(name)) expect(held()).toEqual(use(rows as never));
    else expect(held).toThrow(FlowError);
    expect(() => use({ z: 7 } as never)).toThrow(FlowError);
    expect(() => use({ latents: rows } as never)).toThrow(FlowError);
  });
});

describe.each(Object.entries(ofVectors))('%s', (_, use) => {
  it.each(missing)('refuses %s', (entry, message) => {
    expect(() => use([1, entry] as never)).toThrow(DataError);
    expect(() => use([1, entry] as never)).toThrow(`${message} at index 1`);
  });

  it('says what came where no vector came', () => {
    for (const input of [null, 'direction', Promise.resolve([1, 2]), {}]) {
      expect(() => use(input as never)).toThrow(FlowError);
    }
  });
});

describe('flat lists are one value per sample', () => {
  const one = attributes.map(([x]) => x);

  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('as attributes: the same direction as from a column', () => {
    const expected = [...zDelta(labeled, { mode: 'slope' }).delta];
    for (const flat of [one, Float64Array.from(one), tf.tensor1d(one, 'float32')]) {
      const { delta } = zDelta({ ...labeled, attributes: flat }, { mode: 'slope' });
      // A tensor holds float32.
      for (let j = 0; j < 2; j++) expect(delta[j]).toBeCloseTo(expected[j], 6);
    }
    expect(() => zDelta({ ...labeled, attributes: one.slice(1) })).toThrow(
      'attributes for 24 samples, got 23',
    );
  });

  it('as latents: the same prior as from a column', () => {
    const options = { withinWeight: 4 };
    const expected = fitPrior({ z: attributes, subclass }, options).toJSON();
    expect(fitPrior({ z: one, subclass }, options).toJSON()).toEqual(expected);
  });

  it('booleans are present and absent', () => {
    const has = one.map((value) => value > 0);
    const { positiveCount, delta } = zDelta({ ...labeled, attributes: has as never });
    expect(positiveCount).toBe(has.filter(Boolean).length);
    expect([...delta]).toEqual([...zDelta({ ...labeled, attributes: has.map(Number) }).delta]);
  });

  it('labels may be a tensor or bigints of 64 bits', () => {
    const expected = fitPrior({ z: rows, subclass }).toJSON();
    expect(fitPrior({ z: rows, subclass: tf.tensor1d(subclass, 'int32') }).toJSON()).toEqual(expected);
    const big = BigInt64Array.from(subclass, BigInt) as never;
    expect(fitPrior({ z: rows, subclass: big }).toJSON()).toEqual(expected);
  });
});

describe('manipulate', () => {
  const z = [
    [0, 0],
    [1, 1],
  ];

  it('takes one strength, a list of any kind, or a row per step', () => {
    const expected = [...manipulate(z, [1, 2], [0.5]).z.data];
    expect(expected).toEqual([0.5, 1, 1.5, 2]);
    expect([...manipulate(z, [1, 2], 0.5).z.data]).toEqual(expected);
    expect([...manipulate(z, [1, 2], Float32Array.of(0.5)).z.data]).toEqual(expected);
    expect([...manipulate(z, [1, 2], [[0.5]]).z.data]).toEqual(expected);
    const both = manipulate(
      z,
      [
        [1, 0],
        [0, 1],
      ],
      [Float64Array.of(0.5, 1)],
    );
    expect([...both.z.data]).toEqual([0.5, 1, 1.5, 2]);
    expect([...both.step]).toEqual([0, 0]);
  });

  it('refuses strengths that are none', () => {
    expect(() => manipulate(z, [1, 2], [])).toThrow(ConfigError);
    expect(() => manipulate(z, [1, 2], new Float32Array(0))).toThrow(ConfigError);
    expect(() => manipulate(z, [1, 2], [[1, 2]])).toThrow('1 strengths per step, one per direction, got 2');
    expect(() => manipulate(z, [], [1])).toThrow('at least one direction');
    expect(() => manipulate(z, [1, 2], undefined as never)).toThrow(FlowError);
    expect(() => manipulate(z, [1, 2], Number.NaN)).toThrow('finite values, got NaN');
    expect(() =>
      manipulate(
        z,
        [
          [1, 0],
          [0, 1],
        ],
        0.5,
      ),
    ).toThrow('2 strengths per step');
    expect(() =>
      manipulate(
        z,
        [
          [1, 0],
          [0, 1],
        ],
        [[1, null]] as never,
      ),
    ).toThrow('(null) in row 0, column 1');
  });
});

describe('mixedNormality', () => {
  it('names a class that is too small, its size and what to do', () => {
    const sizes = { a: 20, b: 20, c: 1 };
    const names = Object.entries(sizes).flatMap(([name, size]) => new Array<string>(size).fill(name));
    const z = names.map((_, i) => [Math.sin(i)]);
    expect(() => mixedNormality({ z, subclass: names })).toThrow(
      'mixtures of 8 samples in equal parts, got 1 of subclass c, the smallest of 3. Take more samples of it, or leave it out.',
    );
    const four = names.slice(0, 24).map((_, i) => 'abcd'[Math.floor(i / 6)]);
    const labeled = { z: z.slice(0, 24), subclass: four };
    expect(() => mixedNormality(labeled, { n: 25 })).toThrow('or lower n');
    expect(() => mixedNormality(labeled, { counts: [1, 4] })).toThrow(
      '8 samples of every subclass to mix 1 at n = 8, got 6 of subclass a. Raise the smallest count',
    );
    expect(mixedNormality(labeled, { counts: [2], replicates: 19 }).n).toBe(12);
  });
});

describe('arguments that are missing or of another kind', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'augment without a prior',
      () => augment(rows, undefined as never, { count: 1 }),
      /a prior, got a missing value/,
    ],
    [
      'augment without options',
      () => augment(rows, prior, undefined as never),
      /count to be an integer >= 1/,
    ],
    [
      'synthesize without a posterior',
      () => synthesize(prior as never, { count: 1, method: 'mixup' }),
      /a posterior, got/,
    ],
    ['synthesize without options', () => synthesize(posterior, undefined as never), /count to be an integer/],
    [
      'learnableRange without a posterior',
      () => learnableRange(undefined as never, [0, 0], [1, 0]),
      /a posterior, got a missing value \(undefined\)\. Make one/,
    ],
    [
      'transferDelta to nothing',
      () => transferDelta([1, 0], undefined as never),
      /a posterior to move in, got a missing value/,
    ],
    ['transferDelta to a prior', () => transferDelta([1, 0], prior as never), /a posterior to move in/],
    [
      'transferDelta swapped',
      () => transferDelta(posterior as never, [1, 0] as never),
      /a posterior to move in/,
    ],
    [
      'transferDelta from nothing',
      () => transferDelta([1, 0], prior.within, { match: 'full' }),
      /from, the covariance or the prior that match 'full' starts at, got a missing value/,
    ],
    [
      'counts that are a number',
      () => mixedNormality(labeled, { counts: 2 as never }),
      /counts to be a list/,
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(FlowError);
    expect(call).toThrow(message);
  });

  it('one direction serves where a list of directions does', () => {
    const options = { count: 4, method: 'attribute', seed: 2 } as const;
    const one = synthesize(posterior, { ...options, directions: [1, 0] });
    expect([...one.z.data]).toEqual([...synthesize(posterior, { ...options, directions: [[1, 0]] }).z.data]);
  });
});

describe('a prior is not read from JSON with gaps', () => {
  const saved = () => JSON.parse(JSON.stringify(prior));
  type Saved = ReturnType<typeof saved>;
  it.each<[string, (json: Saved) => Saved, string | number]>([
    ['mean', (json) => json.mean, 0],
    ['withinWeight', (json) => json, 'withinWeight'],
    ['mean of a subclass', (json) => json.subclasses[0].mean, 0],
    ['ratios', (json) => json.blocks[0].ratios, 0],
    ['directions', (json) => json.blocks[0].directions, 0],
  ])('%s', (_, part, key) => {
    const json = saved();
    expect(Prior.fromJSON(json).toJSON()).toEqual(prior.toJSON());
    part(json)[key] = null;
    expect(() => Prior.fromJSON(json)).toThrow(FlowError);
    expect(() => Prior.fromJSON(json)).toThrow(/Prior\.fromJSON: .*null/);
  });
});
