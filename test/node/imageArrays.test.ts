import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zipSync } from 'fflate';
import { ConfigError, DataError, type NdArray, writeNpy, writeNpz } from 'tfjs-flows';
import { type ImageOptions, openImages, readImages } from 'tfjs-flows/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
const at = (...path: string[]) => join(folder, ...path);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-arrays-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** n pictures of 2 x 2 at one level. */
const pictures = (n: number, level: number): NdArray => ({
  shape: [n, 2, 2],
  data: new Uint8Array(4 * n).fill(level),
});
const labels = (n: number, shape = [n]): NdArray => ({
  shape,
  data: Uint8Array.from({ length: n }, (_, i) => i % 2),
});

async function open(
  arrays: Record<string, NdArray> | string,
  options: Partial<ImageOptions> = {},
  kind: 'npz' | 'idx' = 'npz',
) {
  if (typeof arrays !== 'string') writeFileSync(at('set.npz'), writeNpz(arrays));
  const root = typeof arrays === 'string' ? arrays : at('set.npz');
  const dataset = await openImages(kind, root, { imageShape: [2, 2, 1], ...options });
  const [level] = await dataset.read(0);
  const { classes = undefined, values = [] } = dataset.labels ?? {};
  return { count: dataset.names.length, level, classes, values: [...values], notices: dataset.notices };
}

const keras = {
  x_test: pictures(2, 9),
  x_train: pictures(6, 7),
  y_train: labels(6),
  y_test: labels(2),
};
const medMnist = {
  train_images: pictures(6, 7),
  val_images: pictures(2, 5),
  test_images: pictures(2, 9),
  train_labels: labels(6, [6, 1]),
  val_labels: labels(2, [2, 1]),
  test_labels: labels(2, [2, 1]),
};

describe('arrays of an npz', () => {
  it.each([
    ['Keras', keras],
    ['MedMNIST, labels [n, 1]', medMnist],
    ['capital letters', { X_test: keras.x_test, X_train: keras.x_train, Y_train: keras.y_train }],
    ['words run together', { testX: keras.x_test, trainX: keras.x_train, trainY: keras.y_train }],
    ['one word', { xtest: keras.x_test, xtrain: keras.x_train, ytrain: keras.y_train }],
  ])('%s: the training part with its labels', async (_, arrays) => {
    const { notices, ...opened } = await open(arrays);
    expect(opened).toEqual({ count: 6, level: 7, classes: ['0', '1'], values: [0, 1, 0, 1, 0, 1] });
    expect(notices.join(' ')).toMatch(/6 images of '.*', 2 classes of '.*'/i);
    expect(notices.join(' ')).toMatch(/left out: '.*test/i);
  });

  it('gives another part, and what it is called', async () => {
    expect(await open(keras, { split: 'test' })).toMatchObject({ count: 2, level: 9, values: [0, 1] });
    expect(await open(medMnist, { split: 'validation' })).toMatchObject({
      count: 2,
      level: 5,
      values: [0, 1],
    });
    await expect(open(keras, { split: 'validation' })).rejects.toThrow(
      /of the part 'validation' in .* got 'x_test', 'x_train'\. Say which: arrays: /,
    );
  });

  it('takes the arrays that are named', async () => {
    const arrays = { images: 'x_test', labels: 'y_test' };
    expect(await open(keras, { arrays })).toMatchObject({ count: 2, level: 9, values: [0, 1] });
    expect(await open(keras, { arrays: { images: 'x_test' } })).toMatchObject({ classes: undefined });
    await expect(open(keras, { arrays: { images: 'x' } })).rejects.toThrow(
      /an array 'x' in .* got 'x_test', 'x_train', 'y_train', 'y_test'/,
    );
    await expect(open(keras, { arrays: { images: 'x_train', labels: 'y_test' } })).rejects.toThrow(DataError);
  });

  it('takes the only array that can be images, whatever lies beside, and says what could be labels', async () => {
    const archive = zipSync({
      'arr_0.npy': writeNpy(pictures(4, 7)),
      'arr_1.npy': writeNpy(labels(4)),
      'metadata.npy': Uint8Array.of(1, 2, 3),
    });
    writeFileSync(at('named.npz'), archive);
    const opened = await open(at('named.npz'));
    expect(opened).toMatchObject({ count: 4, level: 7, classes: undefined });
    expect(opened.notices.join(' ')).toContain(
      "'arr_1' could be some: say arrays: { images: 'arr_0', labels: 'arr_1' }",
    );
    // As sklearn gives faces: flat ones beside.
    const flat = { shape: [4, 4], data: new Uint8Array(16) };
    expect(await open({ data: flat, images: pictures(4, 7), target: labels(4) })).toMatchObject({
      count: 4,
      level: 7,
      classes: ['0', '1'],
    });
  });

  it('lists the candidates where it is not clear which one is meant', async () => {
    await expect(open({ left: pictures(4, 1), right: pictures(4, 2) })).rejects.toThrow(
      /one array of images .* got 'left', 'right'\. Say which: arrays: \{ images, labels \}/,
    );
    await expect(open({ images: pictures(4, 1), x: pictures(4, 2) })).rejects.toThrow(DataError);
    const both = await open({ images: pictures(2, 9), train_images: pictures(6, 7) });
    expect(both).toMatchObject({
      count: 6,
      level: 7,
      notices: [expect.stringContaining("'images'"), expect.anything()],
    });
    await expect(open({ a: labels(4) })).rejects.toThrow(/got none\..*Arrays: 'a'/);
    const { classes, notices } = await open({
      images: pictures(4, 7),
      fine_labels: labels(4),
      coarse_labels: labels(4),
    });
    expect([classes, notices.join(' ')]).toEqual([
      undefined,
      expect.stringContaining("'fine_labels', 'coarse_labels' could be some"),
    ]);
  });
});

describe('labels', () => {
  it.each<[string, NdArray['data'], RegExp]>([
    ['0.5', Float32Array.of(0, 0.5, 0, 1), /of '.*set\.npz' \('labels'\), got 0\.5 for image 1/],
    ['NaN', Float64Array.of(0, 1, Number.NaN, 1), /got NaN for image 2/],
    ['-1', Int32Array.of(-1, 1, -1, 1), /got -1 for image 0/],
    [
      '2,147,480,000',
      Int32Array.of(7, 2147480000, 0, 0),
      /got 2147480000 for image 1\. Number the classes from 0 to at most 65535/,
    ],
  ])('%s is no class', async (_, data, message) => {
    const opening = open({ images: pictures(4, 7), labels: { shape: [4], data } });
    await expect(opening).rejects.toThrow(DataError);
    await expect(opening).rejects.toThrow(message);
  });

  it('may begin at 1, and be as many as there are images', async () => {
    const from1 = { shape: [4], data: Uint8Array.of(1, 2, 3, 1) };
    const opened = await open({ images: pictures(4, 7), labels: from1 });
    expect(opened.classes).toEqual(['0', '1', '2', '3']);
    expect(opened.notices.at(-1)).toBe("1 of 4 classes have no image: '0'.");
    const count = 200_000;
    const many = {
      images: { shape: [count, 1, 1], data: new Uint8Array(count) },
      labels: { shape: [count], data: Int32Array.from({ length: count }, (_, i) => i) },
    };
    const { classes } = await open(many, { imageShape: [1, 1, 1] });
    expect(classes).toHaveLength(count);
  });

  it('in words are classes by their words', async () => {
    const letters = (words: string[], Kind: typeof Uint32Array | typeof Uint8Array) => ({
      shape: [words.length, 3],
      data: Kind.from(words.flatMap((word) => [0, 1, 2].map((i) => word.charCodeAt(i) || 0))),
    });
    for (const Kind of [Uint32Array, Uint8Array]) {
      const named = letters(['dog', 'ox', 'dog', 'cat'], Kind);
      expect(await open({ images: pictures(4, 7), labels: named })).toMatchObject({
        classes: ['cat', 'dog', 'ox'],
        values: [1, 2, 1, 0],
      });
    }
  });

  it('of several values per image are left out, and told; of another number of images they are an error', async () => {
    const several = { shape: [4, 2], data: Uint8Array.of(0, 1, 1, 0, 0, 0, 1, 1) };
    const { classes, notices } = await open({ images: pictures(4, 7), labels: several });
    expect(classes).toBeUndefined();
    expect(notices.at(-1)).toBe("'labels' is left out: labels are one class per image, [n], not [4, 2].");
    const named = open(
      { images: pictures(4, 7), several },
      { arrays: { images: 'images', labels: 'several' } },
    );
    await expect(named).rejects.toThrow(/4 labels in 'several' of .* got \[4, 2\]/);
    await expect(open({ images: pictures(4, 7), labels: labels(5) })).rejects.toThrow(
      /4 labels .* got \[5\]/,
    );
  });
});

describe('levels', () => {
  const binary = [0, 1, 1, 0, 0, 0, 1, 1];
  it.each([
    ['whole numbers and booleans', Uint8Array.from(binary)],
    ['floats', Float32Array.from(binary)],
  ])('of 0 and 1 alone are black and white: %s', async (_, data) => {
    writeFileSync(at('mask.npz'), writeNpz({ imgs: { shape: [2, 2, 2], data } }));
    const dataset = await openImages('npz', at('mask.npz'), { imageShape: [2, 2, 1] });
    const { images } = await readImages(dataset, { nBits: 5 });
    expect([...images.data]).toEqual(binary.map((value) => 31 * value));
    expect(dataset.notices.join(' ')).toContain('holds only 0 and 1: they are read as levels 0 and 255');
  });

  it('of booleans in a .npy file too', async () => {
    const file = writeNpy({ shape: [2, 2, 2], data: Uint8Array.from(binary) });
    file.set(new TextEncoder().encode('|b1'), new TextDecoder('latin1').decode(file).indexOf('|u1'));
    writeFileSync(at('mask.npy'), file);
    const dataset = await openImages('npy', at('mask.npy'), { imageShape: [2, 2, 1] });
    expect([...(await dataset.read(1))]).toEqual([0, 0, 255, 255]);
  });

  it('that are dark stay as they are', async () => {
    for (const data of [Uint8Array.of(0, 1, 2, 0), Uint8Array.of(1, 1, 1, 1), new Uint8Array(4)]) {
      writeFileSync(at('dark.npz'), writeNpz({ images: { shape: [1, 2, 2], data } }));
      const dataset = await openImages('npz', at('dark.npz'), { imageShape: [2, 2, 1] });
      expect(await dataset.read(0)).toEqual(data);
    }
  });

  it('in [0, 1] are refused with what to do', async () => {
    const data = Float32Array.of(0, 0.5, 1, 0.25);
    await expect(open({ images: { shape: [1, 2, 2], data } })).rejects.toThrow(
      /levels 0 \.\. 255 in 'images', got values in \[0, 1\]\. Multiply by 255 and round\./,
    );
  });
});

describe('idx files', () => {
  const images = (n: number, level: number) =>
    Uint8Array.of(0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 2, 0, 0, 0, 2, ...new Uint8Array(4 * n).fill(level));
  const classes = (n: number) =>
    Uint8Array.of(0, 0, 8, 1, 0, 0, 0, n, ...Array.from({ length: n }, (_, i) => 1 + i));
  const write = (name: string, bytes: Uint8Array) => {
    mkdirSync(join(at(name), '..'), { recursive: true });
    writeFileSync(at(name), name.endsWith('.gz') ? gzipSync(bytes) : bytes);
  };

  it('EMNIST: the training file with its labels, or the test file', async () => {
    for (const [part, n, level] of [
      ['test', 2, 9],
      ['train', 6, 7],
    ] as const) {
      write(`emnist-letters-${part}-images-idx3-ubyte.gz`, images(n, level));
      write(`emnist-letters-${part}-labels-idx1-ubyte.gz`, classes(n));
    }
    const opened = await open(folder, {}, 'idx');
    expect(opened).toMatchObject({ count: 6, level: 7, values: [1, 2, 3, 4, 5, 6] });
    expect(opened.notices[0]).toBe(
      "File 'emnist-letters-train-images-idx3-ubyte.gz' is read; left out: 'emnist-letters-test-images-idx3-ubyte.gz'.",
    );
    expect(await open(folder, { split: 'test' }, 'idx')).toMatchObject({
      count: 2,
      level: 9,
      values: [1, 2],
    });
    const one = at('emnist-letters-test-images-idx3-ubyte.gz');
    expect(await open(one, {}, 'idx')).toMatchObject({ count: 2, values: [1, 2] });
    await expect(open(one, { split: 'train' }, 'idx')).rejects.toThrow(DataError);
    write('emnist-digits-train-images-idx3-ubyte.gz', images(3, 5));
    await expect(open(folder, {}, 'idx')).rejects.toThrow(
      /'emnist-digits-train-.*', 'emnist-letters-train-.*'\. Give one of them itself/,
    );
  });

  it('MNIST: t10k is the test part', async () => {
    write('t10k-images-idx3-ubyte', images(2, 9));
    write('train-images-idx3-ubyte', images(6, 7));
    expect(await open(folder, {}, 'idx')).toMatchObject({ count: 6, level: 7, classes: undefined });
    expect((await open(folder, { split: 'test' }, 'idx')).notices).toContain(
      "No labels: 't10k-labels-idx1-ubyte' is not there.",
    );
  });

  it('Kaggle: folders that are called like files', async () => {
    write('train-images-idx3-ubyte/train-images-idx3-ubyte', images(6, 7));
    write('train-labels-idx1-ubyte/train-labels-idx1-ubyte', classes(6));
    expect(await open(folder, {}, 'idx')).toMatchObject({ count: 6, level: 7, values: [1, 2, 3, 4, 5, 6] });
    write('train-images.idx3-ubyte', images(5, 8));
    write('train-labels.idx1-ubyte', classes(5));
    expect(await open(folder, {}, 'idx')).toMatchObject({ count: 5, level: 8, values: [1, 2, 3, 4, 5] });
  });

  it('take no labels of another data set in a folder beside', async () => {
    write('mnist/train-images-idx3-ubyte', images(6, 7));
    write('fashion/train-labels-idx1-ubyte', classes(6));
    expect(await open(at('mnist'), {}, 'idx')).toMatchObject({ count: 6, classes: undefined });
  });
});

describe('options', () => {
  it.each<[string, object, string]>([
    ['folder', { split: 'train' }, 'a kind with split to be one of idx, npz, npy, got folder'],
    ['npz', { split: 'half' }, 'split to be one of train, test, validation, got half'],
    ['idx', { arrays: { images: 'x' } }, 'a kind with arrays to be one of npz, got idx'],
    ['npz', { arrays: { image: 'x' } }, "Did you mean 'images'?"],
    ['npz', { part: 'test' }, "Did you mean 'split'?"],
  ])('%s refuses %j', async (kind, options, message) => {
    const opening = openImages(kind as 'npz', folder, { imageShape: [2, 2, 1], ...options });
    await expect(opening).rejects.toThrow(ConfigError);
    await expect(opening).rejects.toThrow(message);
  });

  it('arrays belong to an archive', async () => {
    writeFileSync(at('one.npy'), writeNpy(pictures(1, 3)));
    await expect(open(at('one.npy'), { arrays: { images: 'x' } })).rejects.toThrow(ConfigError);
  });
});
