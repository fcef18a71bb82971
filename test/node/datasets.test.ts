import '@tensorflow/tfjs-backend-cpu';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { gzipSync } from 'fflate';
import { DataError, encodePng, FormatError, Glow, resizeRaster, writeNpz } from 'tfjs-flows';
import { type ImageDataset, imageBatches, openImages, readAttributeTable } from 'tfjs-flows/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCelebALike } from '../cli/celebALike';
import { leavesNoTensors } from '../support/leaks';

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const grey = (level: number, side = 4) =>
  encodePng({ width: side, height: side, channels: 1, data: new Uint8Array(side * side).fill(level) });

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-images-'));
  for (const name of ['cats', 'dogs', 'empty']) mkdirSync(at('animals', name), { recursive: true });
  writeFileSync(at('animals', 'cats', 'b.png'), grey(20));
  writeFileSync(at('animals', 'cats', 'a.png'), grey(10));
  writeFileSync(at('animals', 'dogs', 'c.PNG'), grey(30));
  writeFileSync(at('animals', 'notes.txt'), 'no image');
  writeCelebALike(at('celeba'), 10);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function readAll(dataset: ImageDataset, options = {}) {
  const batches: { values: number[]; context?: number[]; indices: number[] }[] = [];
  for await (const { x, context, indices } of imageBatches(dataset, options)) {
    batches.push({ values: [...x.dataSync()], context: context && [...context.dataSync()], indices });
    tf.dispose([x, context ?? []]);
  }
  return batches;
}

describe('folders', () => {
  it('train a flow batch by batch, as they come', async () => {
    const dataset = await openImages('folder', at('animals'), { imageShape: [4, 4, 1] });
    await leavesNoTensors(async () => {
      const glow = new Glow({
        imageShape: [4, 4, 1],
        levels: 1,
        stepsPerLevel: 1,
        hiddenChannels: 4,
        classes: 2,
        seed: 1,
      });
      const data = () => imageBatches(dataset, { batchSize: 2, context: 'labels' });
      const history = await glow.fit(data, { epochs: 2, progress: 'none', seed: 1 });
      expect(history.losses).toHaveLength(4);
      glow.dispose();
    });
  });

  it('have their subfolders as classes, in the order of names', async () => {
    await leavesNoTensors(async () => {
      const dataset = await openImages('folder', at('animals'), { imageShape: [1, 1, 1] });
      expect(dataset.names).toEqual([join('cats', 'a.png'), join('cats', 'b.png'), join('dogs', 'c.PNG')]);
      expect(dataset.labels?.classes).toEqual(['cats', 'dogs']);
      expect(await readAll(dataset, { batchSize: 2, context: 'labels', nBits: 5 })).toEqual([
        { values: [1, 2], context: [0, 0], indices: [0, 1] },
        { values: [3], context: [1], indices: [2] },
      ]);
    });
  });

  it('are taken in a seeded order, and without a last batch that is not full', async () => {
    const dataset = await openImages('folder', at('animals'), { imageShape: [1, 1, 1] });
    const order = async (shuffleSeed: number) =>
      (await readAll(dataset, { batchSize: 1, shuffleSeed })).flatMap(({ indices }) => indices);
    expect(await order(4)).toEqual(await order(4));
    expect([...(await order(4))].sort()).toEqual([0, 1, 2]);
    expect(await readAll(dataset, { batchSize: 2, dropLast: true })).toHaveLength(1);
    expect(await readAll(dataset, { limit: 1 })).toHaveLength(1);
  });

  it('name the image that cannot be read, or leave it out', async () => {
    mkdirSync(at('broken'), { recursive: true });
    writeFileSync(at('broken', '1.png'), grey(1));
    writeFileSync(at('broken', '2.jpg'), grey(2).subarray(0, 40));
    writeFileSync(at('broken', '3.png'), grey(3));
    const dataset = await openImages('folder', at('broken'), { imageShape: [1, 1, 1] });
    await expect(readAll(dataset)).rejects.toThrow(/2\.jpg' cannot be read\. /);
    const left: string[] = [];
    const read = await readAll(dataset, { batchSize: 2, onUnreadable: (name: string) => left.push(name) });
    expect([read, left]).toEqual([[{ values: [1, 3], context: undefined, indices: [0, 2] }], ['2.jpg']]);
  });

  it.each(['celeba', 'folder', 'idx', 'npz'] as const)(
    '%s: a missing root is an error that names it',
    async (kind) => {
      await expect(openImages(kind, at('nowhere'), { imageShape: [1, 1, 1] })).rejects.toThrow(DataError);
      await expect(openImages(kind, at('nowhere'), { imageShape: [1, 1, 1] })).rejects.toThrow(/nowhere/);
    },
  );
});

describe('CelebA', () => {
  it('has attributes beside its images, JPEG and PNG alike', async () => {
    const dataset = await openImages('celeba', at('celeba'), { imageShape: [8, 8, 3], centerCrop: 24 });
    expect(dataset.attributes?.names.slice(0, 2)).toEqual(['Eyeglasses', 'Neutral']);
    const [{ values, context }] = await readAll(dataset, { batchSize: 10, context: 'attributes' });
    expect(values).toHaveLength(10 * 8 * 8 * 3);
    expect(context).toHaveLength(60);
    expect(new Set(context)).toEqual(new Set([0, 1]));
    // Grey faces stay grey in colour.
    expect(Math.max(...[0, 1, 2].map((c) => Math.abs(values[c] - values[0])))).toBeLessThanOrEqual(2);
  });

  it.each([
    ['with commas', 'image_id,Smiling,Young\r\na.jpg,1,-1\r\nb.jpg,-1,-1\r\n'],
    ['with commas and a count', '\ufeff2\nimage_id,Smiling,Young\na.jpg,1,-1\nb.jpg,-1,-1\n'],
    ['with commas, a count and no name of the files', '2\nSmiling,Young\na.jpg,1,-1\nb.jpg,-1,-1\n'],
    ['without a count', 'Smiling Young\na.jpg  1 -1\nb.jpg -1 -1\n'],
  ])('has a table %s', (_, text) => {
    expect(readAttributeTable(text)).toEqual({
      names: ['Smiling', 'Young'],
      files: ['a.jpg', 'b.jpg'],
      values: Int8Array.of(1, -1, -1, -1),
    });
  });

  it('is opened as Kaggle has it: a csv, and the images in a folder of the same name once more', async () => {
    const folder = at('kaggle', 'img_align_celeba', 'img_align_celeba');
    mkdirSync(folder, { recursive: true });
    for (const [i, level] of [1, 3].entries()) writeFileSync(join(folder, `${i}.png`), grey(level));
    writeFileSync(at('kaggle', 'list_attr_celeba.csv'), 'image_id,Smiling,Young\n0.png,1,-1\n1.png,-1,1\n');
    const dataset = await openImages('celeba', at('kaggle'), { imageShape: [1, 1, 1] });
    expect(await readAll(dataset, { context: 'attributes' })).toEqual([
      { values: [1, 3], context: [1, 0, 0, 1], indices: [0, 1] },
    ]);
    // The same as a table, told where the images lie.
    const table = { folder, columns: ['Young'] };
    const asTable = await openImages('csv', at('kaggle', 'list_attr_celeba.csv'), {
      imageShape: [1, 1, 1],
      table,
    });
    expect(asTable.attributes).toEqual({ names: ['Young'], values: Int8Array.of(-1, 1) });
    expect(await readAll(asTable)).toEqual([{ values: [1, 3], context: undefined, indices: [0, 1] }]);
  });

  it.each([
    ['nothing in it', '', /names of attributes in line 1/],
    ['another count', '2\nSmiling\na.jpg 1\n', /2 lines of images, as line 1 says, got 1/],
    ['no names', '0\n\n', /names of attributes in line 2/],
    ['a short line', '2\nSmiling Young\na.jpg 1 1\nb.jpg 1\n', /2 entries 1 or -1 in line 4, got 1 of them/],
    ['another entry', '1\nSmiling Young\na.jpg 1 0\n', /in line 3, got '0'/],
    ['a missing entry', 'image_id,Smiling,Young\na.jpg,1,-1\nb.jpg,,-1\n', /in line 3, got 1 of them/],
    ['a missing mark', 'image_id,Smiling,Young\na.jpg,1,-1\nb.jpg,NA,-1\n', /in line 3, got 'NA'/],
  ])('a table with %s is refused', (_, text, message) => {
    expect(() => readAttributeTable(text)).toThrow(FormatError);
    expect(() => readAttributeTable(text)).toThrow(message);
  });
});

describe('arrays', () => {
  it('idx: images with their labels, packed or not, get a black border where they are smaller', async () => {
    mkdirSync(at('mnist'), { recursive: true });
    const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 9);
    writeFileSync(at('mnist', 'train-images-idx3-ubyte.gz'), gzipSync(images));
    writeFileSync(at('mnist', 'train-labels-idx1-ubyte'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 3, 1));
    const dataset = await openImages('idx', at('mnist'), { imageShape: [2, 2, 1] });
    expect(await readAll(dataset, { context: 'labels' })).toEqual([
      { values: [7, 0, 0, 0, 9, 0, 0, 0], context: [3, 1], indices: [0, 1] },
    ]);
    expect(dataset.labels?.classes).toHaveLength(4);
  });

  it('npz: images and labels under their usual names; other levels are refused', async () => {
    const data = Float32Array.of(1, 2, 3, 300);
    const images = { shape: [2, 1, 1, 2].slice(0, 3), data: data.subarray(0, 2) };
    writeFileSync(at('set.npz'), writeNpz({ images, label: { shape: [2], data: Int32Array.of(0, 1) } }));
    const dataset = await openImages('npz', at('set.npz'), { imageShape: [1, 1, 1] });
    expect(await readAll(dataset)).toEqual([{ values: [1, 2], context: undefined, indices: [0, 1] }]);
    writeFileSync(at('wrong.npz'), writeNpz({ x: { shape: [4, 1, 1], data } }));
    const wrong = await openImages('npz', at('wrong.npz'), { imageShape: [1, 1, 1] });
    await expect(readAll(wrong)).rejects.toThrow(/levels 0 \.\. 255 in image 3/);
    await expect(readAll(dataset, { context: 'attributes' })).rejects.toThrow(/a data set with attributes/);
  });
});

describe('pictures', () => {
  it('shrink by averages and grow by interpolation, as the formula says', () => {
    const ramp = { width: 8, height: 1, channels: 1, data: Uint8Array.from({ length: 8 }, (_, i) => 10 * i) };
    // s = 2: weights 1, 3, 3, 1 over 8 inside, cut off at the ends.
    expect([...resizeRaster(ramp, 4, 1).data]).toEqual([
      Math.round((3 * 0 + 3 * 10 + 20) / 7),
      25,
      45,
      Math.round((50 + 3 * 60 + 3 * 70) / 7),
    ]);
    const pair = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 100) };
    expect([...resizeRaster(pair, 4, 1).data]).toEqual([0, 25, 75, 100]);
    const flat = { width: 5, height: 7, channels: 3, data: new Uint8Array(105).fill(77) };
    expect(new Set(resizeRaster(flat, 3, 11).data)).toEqual(new Set([77]));
  });
});
