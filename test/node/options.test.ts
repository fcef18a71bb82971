import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, DataError, encodePng, writeNpz } from 'tfjs-flows';
import {
  checkpointDirectory,
  fileSystem,
  type ImageDataset,
  imageBatches,
  importCheckpointFile,
  openImages,
  readImages,
  readImageTable,
} from 'tfjs-flows/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let directory: string;
let dataset: ImageDataset;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tfjs-flows-'));
  const png = encodePng({ width: 2, height: 2, channels: 1, data: Uint8Array.of(1, 2, 3, 4) });
  for (const name of ['a.png', 'b.png']) writeFileSync(join(directory, name), png);
  dataset = await openImages('folder', directory, { imageShape: [2, 2, 1] });
});

afterEach(() => rmSync(directory, { recursive: true }));

const errorOf = async (attempt: () => unknown) => {
  try {
    await attempt();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
};

describe('options of readers that nothing reads', () => {
  const imageShape = [2, 2, 1];
  it.each<[string, () => unknown, RegExp]>([
    [
      'openImages',
      () => openImages('folder', directory, { image_shape: imageShape } as never),
      /got 'image_shape'\. Did you mean 'imageShape'/,
    ],
    [
      'openImages, crop',
      () => openImages('folder', directory, { imageShape, crop: 3 } as never),
      /Did you mean 'centerCrop'/,
    ],
    ['readImages', () => readImages(dataset, { bits: 5 } as never), /got 'bits'\. Did you mean 'nBits'/],
    [
      'imageBatches',
      () => imageBatches(dataset, { batch_size: 1 } as never).next(),
      /Did you mean 'batchSize'/,
    ],
    ['readImageTable', () => readImageTable('file\na', { filecolumn: 'file' } as never), /'fileColumn'/],
    ['checkpointDirectory', () => checkpointDirectory('a', { keeps: 1 } as never), /Did you mean 'keep'/],
  ])('%s', async (_, attempt, message) => {
    const error = await errorOf(attempt);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
  });
});

describe('values of options that would be ignored or never end', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a batch of none', () => imageBatches(dataset, { batchSize: 0 }).next(), /batchSize to be an integer/],
    ['half an image', () => imageBatches(dataset, { limit: 0.5 }).next(), /limit to be an integer/],
    ['9 bits of 8', () => imageBatches(dataset, { nBits: 9 }).next(), /nBits from 1 to 8, got 9/],
    ['9 bits of 8, at once', () => readImages(dataset, { nBits: 9 }), /nBits from 1 to 8, got 9/],
    [
      'a context of no kind',
      () => imageBatches(dataset, { context: 'label' as never }).next(),
      /context to be one of none, labels, attributes/,
    ],
    [
      'a cut of none',
      () => openImages('folder', directory, { imageShape: [2, 2, 1], centerCrop: 0 }),
      /centerCrop/,
    ],
    ['no options', () => openImages('folder', directory, undefined as never), /\[h, w, c\] .* got undefined/],
  ])('%s', async (_, attempt, message) => {
    const error = await errorOf(attempt);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
  });
});

describe('what is no path, table or data set', () => {
  const paths: [string, (path: string) => unknown][] = [
    ['fileSystem', (path) => fileSystem(path)],
    ['checkpointDirectory', (path) => checkpointDirectory(path)],
    ['importCheckpointFile', (path) => importCheckpointFile(path)],
    ['openImages', (path) => openImages('folder', path, { imageShape: [2, 2, 1] })],
  ];
  it.each(paths)('%s says what came in place of a path', async (name, take) => {
    for (const [given, message] of [
      [undefined, /got a missing value \(undefined\)\.$/],
      ['', /got a missing value \(''\)\.$/],
      ['file://', /got the text 'file:\/\/'\.$/],
      [3, /got 3\.$/],
      [Promise.resolve('a'), /got a Promise\. await it first/],
      [pathToFileURL(directory), /got the URL file:.*fileURLToPath/],
    ] as [unknown, RegExp][]) {
      const error = await errorOf(() => take(given as string));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(`${name}: expected a path, `);
      expect(error.message).toMatch(message);
    }
  });

  it('a promise of a data set, and bytes of a table', async () => {
    const promise = Promise.resolve(dataset) as unknown as ImageDataset;
    for (const attempt of [() => readImages(promise), () => imageBatches(promise).next()]) {
      const error = await errorOf(attempt);
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toMatch(/openImages opened, got a Promise\. await it first/);
    }
    const error = await errorOf(() => readImageTable(Uint8Array.of(1) as never));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/the text of a table, got object\. Read the file as 'utf8'/);
  });
});

describe('labels of arrays', () => {
  const images = { shape: [3, 2, 2], data: new Uint8Array(12) };
  const open = (data: Float64Array | Int32Array | Float32Array) => {
    const path = join(directory, 'labels.npz');
    writeFileSync(path, writeNpz({ images, labels: { shape: [3], data } }));
    return openImages('npz', path, { imageShape: [2, 2, 1] });
  };

  it.each<[string, Float64Array | Int32Array | Float32Array, RegExp]>([
    ['a half', Float32Array.of(1, 0.5, 1), /0\.5 for image 1/],
    ['NaN', Float64Array.of(1, 0, Number.NaN), /NaN for image 2/],
    ['-1', Int32Array.of(-1, 1, 0), /-1 for image 0/],
    ['more than a class number holds', Float64Array.of(0, 1, 2 ** 31), /2147483648 for image 2/],
  ])('%s is no class, and the image is named', async (_, data, message) => {
    const error = await errorOf(() => open(data));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/class numbers 0, 1, \.\.\. as the labels of '.*labels\.npz'/);
    expect(error.message).toMatch(message);
  });

  it('are taken where they are whole, as whatever they are kept', async () => {
    const { labels } = await open(Float64Array.of(2, 0, 1));
    expect(labels).toEqual({ classes: ['0', '1', '2'], values: Int32Array.of(2, 0, 1) });
  });
});
