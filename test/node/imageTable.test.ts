import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, DataError, encodePng, FormatError } from 'tfjs-flows';
import { openImages, readImages, readImageTable } from 'tfjs-flows/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const grey = (level: number) =>
  encodePng({ width: 2, height: 2, channels: 1, data: new Uint8Array(4).fill(level) });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-table-'));
  mkdirSync(at('pictures'));
  for (const level of [10, 20, 30]) writeFileSync(at('pictures', `${level}.png`), grey(level));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('tables of images', () => {
  it('give classes, yes and no, numbers, and one attribute per value of a text', () => {
    const text = [
      '\ufefffile;class;smiles;age;mood',
      'a.png;bob;yes;31.5;glad',
      '',
      '"b;c.png";anna;No;44;sad',
      'd.png;bob;TRUE;-2;glad',
    ].join('\r\n');
    expect(readImageTable(text)).toEqual({
      files: ['a.png', 'b;c.png', 'd.png'],
      lines: [2, 4, 5],
      labels: { classes: ['anna', 'bob'], values: Int32Array.of(1, 0, 1) },
      attributes: {
        names: ['smiles', 'mood=glad', 'mood=sad'],
        values: Int8Array.of(1, 1, -1, -1, -1, 1, 1, 1, -1),
      },
      measurements: { names: ['age'], values: Float64Array.of(31.5, 44, -2) },
    });
  });

  it('are read by the columns that are named', () => {
    const options = { fileColumn: 'path', classColumn: 'who', columns: ['smiles'] };
    expect(readImageTable('who\tsmiles\tpath\tnote\nbob\t-1\ta.png\tx\n', options)).toEqual({
      files: ['a.png'],
      lines: [2],
      labels: { classes: ['bob'], values: Int32Array.of(0) },
      attributes: { names: ['smiles'], values: Int8Array.of(-1) },
    });
    expect(() => readImageTable('file,age\na.png,3\n', { classColumn: 'person' })).toThrow(ConfigError);
    expect(() => readImageTable('file,age\na.png,3\n', { columns: ['Age'] })).toThrow(
      "readImageTable: expected columns file, age, got 'Age'.",
    );
  });

  it.each([
    ['nothing', '', /a name of its own for every column, in line 1, got an empty table/],
    ['a header only', 'file,a\n', /got 0 images/],
    ['a column without a name', 'file,\na.png,1\n', /got one without/],
    ['a column twice', 'file,a,a\na.png,1,1\n', /got 'a' twice/],
    ['a short line', 'file,a\na.png,1\nb.png\n', /2 cells in line 3, got 1/],
    ['an empty cell', 'file,a\na.png,1\n\nb.png,\n', /a value of 'a' in line 4, got an empty cell/],
    ['an image twice', 'file,a\na.png,1\nb.png,1\na.png,0\n', /got 'a\.png' in lines 2 and 4/],
    ['an open quote', 'file,a\n"a.png,1\n', /a closing quote in line 2, got none up to the end/],
    [
      'a text that differs everywhere',
      `file,name\n${Array.from({ length: 13 }, (_, i) => `${i}.png,n${i}\n`).join('')}`,
      /at most 12 different values, in column 'name', got 13, as 'n0' in line 2\. Make it the classColumn/,
    ],
  ])('with %s are refused', (_, text, message) => {
    expect(() => readImageTable(text)).toThrow(FormatError);
    expect(() => readImageTable(text)).toThrow(message);
  });

  it('open as images beside them', async () => {
    writeFileSync(at('table.csv'), 'file,class,bright\npictures/30.png,b,1\npictures/10.png,a,0\n');
    const dataset = await openImages('csv', at('table.csv'), { imageShape: [1, 1, 1] });
    expect(dataset.names).toEqual(['pictures/30.png', 'pictures/10.png']);
    expect(dataset.labels?.classes).toEqual(['a', 'b']);
    expect(await readImages(dataset, { nBits: 5 })).toEqual({
      images: { shape: [2, 1, 1, 1], data: Uint8Array.of(3, 1) },
      indices: Int32Array.of(0, 1),
      skipped: [],
    });
  });

  it('name the first image that is not there, with its line', async () => {
    writeFileSync(at('gone.csv'), 'file,a\npictures/10.png,1\npictures/11.png,0\npictures/12.png,0\n');
    const opened = openImages('csv', at('gone.csv'), { imageShape: [1, 1, 1] });
    await expect(opened).rejects.toThrow(DataError);
    await expect(opened).rejects.toThrow(/no 'pictures\/11\.png' \(line 3, and 1 more files are missing\)/);
    await expect(openImages('csv', at('no.csv'), { imageShape: [1, 1, 1] })).rejects.toThrow(/nothing at/);
  });
});

describe('all images of a folder', () => {
  it('are read at once; those that cannot be are all counted, or left out', async () => {
    mkdirSync(at('mixed'));
    for (const name of ['1.png', '3.png']) writeFileSync(at('mixed', name), grey(9));
    for (const name of ['0.jpg', '2.png']) writeFileSync(at('mixed', name), 'no picture');
    const dataset = await openImages('folder', at('mixed'), { imageShape: [2, 2, 1] });
    await expect(readImages(dataset)).rejects.toThrow(
      /4 images that can be read, got 2 that cannot\. .*0\.jpg' cannot be read.*2\.png' cannot be read/,
    );
    const seen: number[] = [];
    const { images, indices, skipped } = await readImages(dataset, {
      skipUnreadable: true,
      onProgress: (done) => seen.push(done),
    });
    expect([images.shape, [...indices], skipped.length, seen]).toEqual([
      [2, 2, 2, 1],
      [1, 3],
      2,
      [1, 2, 3, 4],
    ]);
  });

  it('must lie in it or in its subfolders, not in both', async () => {
    mkdirSync(at('both', 'cats'), { recursive: true });
    writeFileSync(at('both', '1.png'), grey(1));
    writeFileSync(at('both', 'cats', '2.png'), grey(2));
    await expect(openImages('folder', at('both'), { imageShape: [1, 1, 1] })).rejects.toThrow(
      /got '1\.png' beside the folder 'cats'/,
    );
  });
});
