import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import * as tfData from '@tensorflow/tfjs-data';
import '@tensorflow/tfjs-backend-cpu';
import { ConfigError, DataError, FormatError, readTable, type TableSource, writeNpy } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';

const csv = 'age,height,mood\n31,1.72,glad\n44,1.6,sad\n29,2,glad\n';
const records = [
  { age: 31, height: 1.72, mood: 'glad' },
  { age: 44, height: 1.6, mood: 'sad' },
  { age: 29, height: 2, mood: 'glad' },
];
const kindsOf = async (source: TableSource, options = {}) =>
  (await readTable(source, options)).columns.map(({ kind }) => kind);

describe('readTable', () => {
  it('sees whole numbers, numbers and categories in a CSV text', async () => {
    const table = await readTable(csv);
    expect(table.columns).toEqual([
      { name: 'age', kind: 'integer', values: Float64Array.of(31, 44, 29) },
      { name: 'height', kind: 'real', values: Float64Array.of(1.72, 1.6, 2) },
      { name: 'mood', kind: 'categorical', values: Float64Array.of(0, 1, 0), categories: ['glad', 'sad'] },
    ]);
    expect(table.toRecords()).toEqual(records);
    expect([table.rows, table.leftOut]).toEqual([3, 0]);
  });

  it('reads the same from bytes, records, columns, generators and datasets', async () => {
    const { columns } = await readTable(csv);
    const bytes = new TextEncoder().encode(csv);
    const utf16 = new Uint8Array(
      Uint16Array.from(`\ufeff${csv.replaceAll(',', '\t')}`, (c) => c.charCodeAt(0)).buffer,
    );
    async function* asynchronously() {
      yield* records;
    }
    const sources: TableSource[] = [
      bytes,
      bytes.slice().buffer,
      gzipSync(bytes),
      utf16,
      records,
      { age: [31, 44, 29], height: Float64Array.of(1.72, 1.6, 2), mood: ['glad', 'sad', 'glad'] },
      new Set(records),
      asynchronously(),
      tfData.array(records),
      tfData.array(records.map(({ mood, ...xs }) => ({ xs, ys: { mood } }))) as never,
    ];
    for (const source of sources) expect((await readTable(source)).columns).toEqual(columns);
  });

  it('disposes what a dataset yields, batches too, and keeps what is the caller’s', async () => {
    await leavesNoTensors(async () => {
      const exact = records.map((record) => ({ ...record, height: 2 * Math.round(record.height) }));
      const batches = tfData.array(exact).batch(2) as never;
      const table = await readTable(batches, { kinds: { height: 'real' } });
      expect(table.toRecords()).toEqual(exact);
      const rows = await readTable(
        tfData
          .array([
            [1, 2.5],
            [3, 4],
          ])
          .batch(2) as never,
        { names: ['a', 'b'] },
      );
      expect(rows.columns.map(({ values }) => [...values])).toEqual([
        [1, 3],
        [2.5, 4],
      ]);
      const tensor = tf.tensor2d([
        [1, 2.5],
        [3, 4],
      ]);
      expect((await readTable(tensor)).names).toEqual(['x1', 'x2']);
      expect((await readTable([tensor, tensor] as never)).rows).toBe(4);
      expect(tensor.isDisposed).toBe(false);
      tensor.dispose();
    });
  });

  it('reads npy files and numbers with their shape', async () => {
    const array = { shape: [2, 2], data: Float64Array.of(1, 0.5, 2, 1.5) };
    for (const source of [array, writeNpy(array), gzipSync(writeNpy(array))]) {
      const table = await readTable(source, { names: ['n', 'share'] });
      expect(table.columns).toEqual([
        { name: 'n', kind: 'integer', values: Float64Array.of(1, 2) },
        { name: 'share', kind: 'real', values: Float64Array.of(0.5, 1.5) },
      ]);
    }
    expect(await kindsOf({ shape: [2, 1], data: Int32Array.of(1, 2) })).toEqual(['integer']);
    expect((await readTable([[1, 2], Float32Array.of(3, 4)])).toArray().data).toEqual(
      Float64Array.of(1, 2, 3, 4),
    );
    await expect(readTable({ shape: [4], data: Int32Array.of(1, 2, 3, 4) })).rejects.toThrow(
      'an array [n, d]',
    );
    await expect(readTable(array, { names: ['a'] })).rejects.toThrow('names of 2 columns, got 1');
    const holes = { shape: [2, 1], data: [1, null] } as never;
    await expect(readTable(holes)).rejects.toThrow("null in row 1 of 'x1'");
  });

  it('takes kinds that are given, and categories in their order', async () => {
    const kinds = { age: 'categorical', mood: { categories: ['sad', 'glad', 'angry'] } } as const;
    const { columns } = await readTable(csv, { kinds });
    expect(columns[0]).toMatchObject({ values: Float64Array.of(1, 2, 0), categories: ['29', '31', '44'] });
    expect(columns[2]).toMatchObject({
      values: Float64Array.of(1, 0, 1),
      categories: ['sad', 'glad', 'angry'],
    });
    expect(await kindsOf(csv, { kinds: { age: 'real' } })).toEqual(['real', 'real', 'categorical']);
    expect(await kindsOf('a,b\n1e3,true\n20000000,false\n', {})).toEqual(['real', 'categorical']);
    expect(
      await kindsOf([
        { a: true, b: 3n },
        { a: false, b: 4n },
      ]),
    ).toEqual(['categorical', 'integer']);
    const table = await readTable('n,m\n10,x\n9,x\n', { kinds: { n: 'categorical' } });
    expect(table.column('n').categories).toEqual(['9', '10']);
  });

  it('reads the columns that are chosen, in their order', async () => {
    expect((await readTable(csv, { columns: ['mood', 'age'] })).names).toEqual(['mood', 'age']);
    const index = ',age\n0,31\n1,44\n';
    expect((await readTable(index, { columns: ['age'] })).names).toEqual(['age']);
    await expect(readTable(index)).rejects.toThrow(/none for column 1 of 2\. Choose by columns.*index=False/);
    await expect(readTable(csv, { columns: ['Age'] })).rejects.toThrow(/got 'Age'\. Did you mean 'age'\?/);
    await expect(readTable(csv, { kinds: { moods: 'real' } })).rejects.toThrow(/Did you mean 'mood'/);
  });
});

describe('missing values', () => {
  const marks = ['', 'NA', 'n/a', 'N/A', 'NaN', 'nan', 'null', 'NULL', 'None', '?', '-', '<NA>', '#N/A'];

  it.each(marks)('%j is one, in numbers and among categories', async (mark) => {
    const text = `age,mood\n31,glad\n${mark},sad\n29,${mark}\n`;
    await expect(readTable(text)).rejects.toThrow(DataError);
    await expect(readTable(text)).rejects.toThrow(
      `readTable: expected a value in every cell, got '${mark}' in line 3 of 'age', '${mark}' in line 4 of 'mood'. missing: 'drop' leaves out the 2 of 3 rows that lack one.`,
    );
  });

  it.each([null, undefined, Number.NaN, '', 'NA'])('%j is one in records', async (value) => {
    await expect(readTable([{ age: 3 }, { age: value }])).rejects.toThrow(`in row 1 of 'age'`);
    await expect(readTable({ age: [3, value] })).rejects.toThrow(`in row 1 of 'age'`);
  });

  it('a field that a record does not have is one', async () => {
    await expect(readTable([{ a: 1 }, { a: 2, b: 3 }, { b: 4 }])).rejects.toThrow(
      "undefined in row 0 of 'b', undefined in row 2 of 'a'",
    );
  });

  it('are all counted, and the first few named', async () => {
    const rows = Array.from({ length: 300_000 }, () => 'NA,NA');
    await expect(readTable(`a,b\n1,2\n${rows.join('\n')}\n`)).rejects.toThrow(
      "'NA' in line 3 of 'a', 'NA' in line 3 of 'b', 'NA' in line 4 of 'a', 'NA' in line 4 of 'b', ... (600000 in all)",
    );
  });

  it('drop leaves their rows out and says how many', async () => {
    const text = 'age,mood\n31,glad\n?,sad\n29,\n33,sad\n';
    const table = await readTable(text, { missing: 'drop' });
    expect(table.toRecords()).toEqual([
      { age: 31, mood: 'glad' },
      { age: 33, mood: 'sad' },
    ]);
    expect(table.leftOut).toBe(2);
    expect(String(table)).toContain('2 rows, without 2 that lack a value');
    await expect(readTable('a\nNA\n', { missing: 'drop' })).rejects.toThrow('got none of 1');
    // What is wrong in the rows that are left is named by their own lines.
    const bad = readTable('a,b\nNA,1\n2,1\n3,1\nx,1\n', { missing: 'drop' });
    await expect(bad).rejects.toThrow("'x' in line 5 of 'a'");
  });

  it('missingMarks takes the place of the marks, but an empty cell is always one', async () => {
    const text = 'class,n\n+,-99\n-,1\n-,2\n';
    const table = await readTable(text, { missingMarks: ['-99'], missing: 'drop' });
    expect(table.column('class').categories).toEqual(['-']);
    await expect(readTable('a\n1\n""\n', { missingMarks: [] })).rejects.toThrow("'' in line 3");
  });
});

describe('texts that are no numbers', () => {
  it('decimal commas are recognized, refused, or read where they are said', async () => {
    const text = 'file;age\na;31,5\nb;44,25\n';
    await expect(readTable(text)).rejects.toThrow(DataError);
    await expect(readTable(text)).rejects.toThrow(
      "expected numbers with a decimal point, got '31,5' in line 2 of 'age', '44,25' in line 3 of 'age'. Where a comma is the decimal mark, say decimal: ','",
    );
    const read = await readTable(text, { decimal: ',' });
    expect(read.column('age')).toEqual({ name: 'age', kind: 'real', values: Float64Array.of(31.5, 44.25) });
    // Some whole numbers among them, and thousands.
    await expect(readTable('a;b\n3;1\n4,5;1\n5;1\n')).rejects.toThrow("'4,5' in line 3 of 'a'");
    await expect(readTable('a,b\n"1,200",1\n"3,400",1\n')).rejects.toThrow(/between thousands have to go/);
    await expect(readTable('a;b\n1.5;1\n4,5;1\n5;1\n', { decimal: ',' })).rejects.toThrow("'1.5' in line 2");
    await expect(readTable(text, { decimal: ';' as never })).rejects.toThrow(ConfigError);
  });

  it('among numbers are named, and are categories only where that is said', async () => {
    const text = 'n\n3\n4\n5 or more\n3\n';
    await expect(readTable(text)).rejects.toThrow(
      "numbers in 'n', got '5 or more' in line 4 of 'n'. Is it kinds: { 'n': 'categorical' }?",
    );
    const table = await readTable(text, { kinds: { n: 'categorical' } });
    expect(table.column('n').categories).toEqual(['3', '4', '5 or more']);
    for (const odd of ['0x10', '1_000', '3 cm', '1e', '.', '12-1']) {
      const marks = { missingMarks: [] };
      await expect(readTable(`n\n3\n4\n${odd}\n`, marks)).rejects.toThrow(`'${odd}' in line 4`);
    }
    expect((await readTable('n\n+3\n-.5\n1.\n2E-3\n')).column('n').values).toEqual(
      Float64Array.of(3, -0.5, 1, 0.002),
    );
  });

  it.each<[string, TableSource, object, string]>([
    ['a text', 'a,b\nx,1\n2,1\n', { kinds: { a: 'real' } }, "numbers in 'a', got 'x' in line 2"],
    [
      'a fraction',
      'a\n1\n2.5\n',
      { kinds: { a: 'integer' } },
      'whole numbers that float32 holds (up to 2^24), got 2.5 in line 3',
    ],
    [
      'another name',
      'a\nx\nz\n',
      { kinds: { a: { categories: ['x', 'y'] } } },
      "one of x, y, got 'z' in line 3 of 'a'",
    ],
    [
      'infinity',
      'a\n1\n-inf\nInfinity\n',
      {},
      "finite numbers, got -Infinity in line 3 of 'a', Infinity in line 4",
    ],
    ['an object', [{ a: { b: 1 } }], {}, 'numbers or texts, got a Object in row 0'],
    ['a date', [{ a: new Date() }], {}, 'got a Date in row 0'],
    ['2^53 + 1', [{ a: 2n ** 53n + 1n }], {}, 'got 9007199254740993n in row 0'],
    [
      'stamps',
      { t: Array.from({ length: 99 }, (_, i) => 1.7e12 + 1000 * i) },
      {},
      "a column 't' that float32 can hold",
    ],
    [
      'names',
      { id: Array.from({ length: 99 }, (_, i) => `n${i}`) },
      {},
      "at most 50 different texts, in 'id', got 99, as 'n0' in row 0",
    ],
  ])('%s is refused', async (_, source, options, message) => {
    await expect(readTable(source, options)).rejects.toThrow(DataError);
    await expect(readTable(source, options)).rejects.toThrow(message);
  });
});

describe('files that are no tables', () => {
  const name = 'a name of its own for every column';
  it.each<[string, TableSource, object, string]>([
    [
      'no header',
      '5.1,3.5,setosa\n4.9,3,setosa\n',
      {},
      'got the number 5.1 in it. A table without one is read by header: false',
    ],
    ['an empty text', '', {}, 'got an empty text'],
    ['a header alone', 'a,b\n', {}, "got one line, 'a b'"],
    ['a path', 'patients.csv', {}, 'readTableFile of tfjs-flows/node'],
    ['ragged lines', 'a,b\n1,2\n3\n4,5\n6,7,8\n', {}, '2 cells in every line, got 1 in line 3, 2 such lines'],
    ['row names', 'a,b\n"1",2,3\n"2",4,5\n', {}, "R's write.csv(row.names = FALSE)"],
    ['a name twice', 'a,b,a\n1,2,3\n', {}, `${name}, got 'a' twice`],
    ['a workbook', Uint8Array.from([80, 75, 3, 4]), {}, 'Save it as CSV'],
    ['another encoding', Uint8Array.from([97, 10, 0xfc, 10]), {}, 'windows-1252'],
    ['columns of two lengths', { a: [1, 2], b: [1] }, {}, "(2 values in 'a'), got 1 in 'b'"],
  ])('%s is refused', async (_, source, options, message) => {
    await expect(readTable(source, options)).rejects.toThrow(FormatError);
    await expect(readTable(source, options)).rejects.toThrow(message);
  });

  it('a table without a header is read where that is said', async () => {
    const text = '5.1,3.5,setosa\n4.9,3,virginica\n';
    expect((await readTable(text, { header: false })).names).toEqual(['x1', 'x2', 'x3']);
    const named = await readTable(text, { names: ['length', 'width', 'species'] });
    expect([named.names, named.rows]).toEqual([['length', 'width', 'species'], 2]);
    const years = await readTable('2019,2020\n1,2\n', { header: true });
    expect(years.names).toEqual(['2019', '2020']);
    const renamed = await readTable('a,b\n1,2\n', { header: true, names: ['c', 'd'] });
    expect([renamed.names, renamed.rows]).toEqual([['c', 'd'], 1]);
  });

  it.each([
    ['a promise', Promise.resolve(csv), /got a Promise\. await it first/],
    ['a number', 3, /got 3/],
    ['one record', { age: 3 }, /got an object \{ age \}/],
    ['records that are numbers', [1, 2], /records, got 1 as row 0\. Records are objects/],
    ['no records', [], /at least one record, got none/],
    ['rows of two lengths', [[1, 2], [3]], /rows of 2 values, got 1 in row 1/],
    [
      'a list in a record',
      [{ a: 1, b: [1, 2] }],
      /one value of every field in row 0 \(1 of 'a'\), got 2 of 'b'/,
    ],
    ['texts on the device', tf.tensor1d(['a']), /a tensor of numbers, got one of string/],
  ])('%s is refused', async (_, source, message) => {
    await expect(readTable(source as never)).rejects.toThrow(DataError);
    await expect(readTable(source as never)).rejects.toThrow(message);
  });

  it('an unknown option is named', async () => {
    await expect(readTable(csv, { sep: ';' } as never)).rejects.toThrow(/Did you mean 'delimiter'/);
    await expect(readTable(csv, { missing: 'ignore' as never })).rejects.toThrow(/one of refuse, drop/);
  });
});
