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
    for (const options of [
      { classColumn: 'person' },
      { fileColumn: 'path' },
      { kinds: { height: 'real' as const } },
    ]) {
      expect(() => readImageTable('file,age\na.png,3\n', options)).toThrow(ConfigError);
    }
    expect(() => readImageTable('file,age\na.png,3\n', { columns: ['Age'] })).toThrow(
      "readImageTable: expected a column among file, age, got 'Age'. Did you mean 'age'?",
    );
  });

  it.each([
    ['nothing', '', /a CSV text with a header and rows, got an empty text/],
    ['a header only', 'file,a\n', /got one line, 'file a'/],
    ['a column without a name', 'file,\na.png,1\n', /a name for every column, got none for column 2 of 2/],
    ['a column twice', 'file,a,a\na.png,1,1\n', /got 'a' twice/],
    ['a short line', 'file,a\na.png,1\nb.png\n', /2 cells in every line, got 1 in line 3/],
    ['an image twice', 'file,a\na.png,1\nb.png,1\na.png,0\n', /got 'a\.png' in line 2 and line 4/],
    ['an open quote', 'file,a\n"a.png,1\n', /a closing quote in line 2, got none up to the end/],
    ['no header but numbers', 'a.png,31\nb.png,44\n', /a header .* in line 1, got the number 31 in it/],
    ['no header at all', 'a.png,glad\nb.png,sad\n', /a header .*, got the image 'a\.png' in the first line/],
    ['images in one column alone', 'a.png\nb.png\n', /got the image 'a\.png' in the first line/],
    ['another count than it says', '3\nfile,a\na.png,1\nb.png,1\n', /3 rows, as line 1 says, got 2/],
    [
      'a text that differs everywhere',
      `file,name\n${Array.from({ length: 13 }, (_, i) => `${i}.png,n${i}\n`).join('')}`,
      /at most 12 different values, in column 'name', got 13, as 'n0' in line 2\. Make it the classColumn/,
    ],
  ])('with %s are refused', (_, text, message) => {
    expect(() => readImageTable(text)).toThrow(FormatError);
    expect(() => readImageTable(text)).toThrow(message);
  });

  it.each(['', 'NA', 'NaN', 'null', '?', 'n/a'])(
    'without a number, %j in its place, are refused with the line, or read without that image',
    (mark) => {
      const text = `file,age,class\na.png,31,x\n\nb.png,${mark},y\nc.png,44,y\n`;
      expect(() => readImageTable(text)).toThrow(DataError);
      expect(() => readImageTable(text)).toThrow(`got '${mark}' in line 4 of 'age'. missing: 'drop'`);
      expect(readImageTable(text, { missing: 'drop' })).toEqual({
        files: ['a.png', 'c.png'],
        lines: [2, 5],
        labels: { classes: ['x', 'y'], values: Int32Array.of(0, 1) },
        measurements: { names: ['age'], values: Float64Array.of(31, 44) },
      });
      // A class or a file that is missing is no class and no file either.
      expect(() => readImageTable(`file,class\na.png,x\nb.png,${mark}\n`)).toThrow(/in line 3 of 'class'/);
      expect(() => readImageTable(`file,class\na.png,x\n${mark},y\n`)).toThrow(/in line 3 of 'file'/);
    },
  );

  it('with decimal commas are refused, or read where they are said to be', () => {
    const text = 'file;age\na.png;31,5\nb.png;44,25\n';
    expect(() => readImageTable(text)).toThrow(/got '31,5' in line 2 of 'age', .*say decimal: ','/);
    expect(readImageTable(text, { decimal: ',' }).measurements?.values).toEqual(Float64Array.of(31.5, 44.25));
  });

  it('without a header are read where that is said', () => {
    const { files, measurements } = readImageTable('a.png,31\nb.png,44\n', { header: false });
    expect([files, measurements]).toEqual([
      ['a.png', 'b.png'],
      { names: ['x2'], values: Float64Array.of(31, 44) },
    ]);
  });

  it('keep -1 apart from 0, and put classes that are numbers in their order', () => {
    const { attributes, measurements, labels } = readImageTable('file,shift,class\na,-1,10\nb,0,2\nc,1,10\n');
    expect([attributes, measurements?.values]).toEqual([undefined, Float64Array.of(-1, 0, 1)]);
    expect(labels).toEqual({ classes: ['2', '10'], values: Int32Array.of(1, 0, 1) });
  });

  it('take numbers as names where that is said', () => {
    const { attributes } = readImageTable('file,group\na,3\nb,5\n', { kinds: { group: 'categorical' } });
    expect(attributes).toEqual({ names: ['group=3', 'group=5'], values: Int8Array.of(1, -1, -1, 1) });
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

  it('say where images lie: by the whole path, or by the folder that is told', async () => {
    writeFileSync(at('whole.csv'), `file,a\n${at('pictures', '10.png')},1\npictures/20.png,0\n`);
    const whole = await openImages('csv', at('whole.csv'), { imageShape: [1, 1, 1] });
    expect([...(await readImages(whole)).images.data]).toEqual([10, 20]);

    mkdirSync(at('tables'));
    writeFileSync(at('tables', 'table.csv'), 'file,a\n30.png,1\n10.png,0\n');
    const options = { imageShape: [1, 1, 1], table: { folder: at('pictures') } };
    const told = await openImages('csv', at('tables', 'table.csv'), options);
    expect([...(await readImages(told)).images.data]).toEqual([30, 10]);
    await expect(openImages('csv', at('tables', 'table.csv'), { imageShape: [1, 1, 1] })).rejects.toThrow(
      /got no '30\.png' \(line 2, and 1 more of 2\)\. Paths count from there; table: \{ folder \} says another/,
    );
  });

  it('name the first image that is not there, with its line', async () => {
    writeFileSync(at('gone.csv'), 'file,a\npictures/10.png,1\npictures/11.png,0\npictures/12.png,0\n');
    const opened = openImages('csv', at('gone.csv'), { imageShape: [1, 1, 1] });
    await expect(opened).rejects.toThrow(DataError);
    await expect(opened).rejects.toThrow(
      /no 'pictures\/11\.png' \(line 3, and 1 more of 3\)\. Paths count from there; table: \{ folder \}/,
    );
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
