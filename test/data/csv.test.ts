import { FormatError } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/data/csv';

const cells = (text: string, delimiter?: string) => readCsv('f', text, delimiter).map((row) => row.cells);

describe('readCsv', () => {
  it('takes the separator that the first line has most of, outside of quotes', () => {
    expect(cells('a,b;c\n1,2;3')).toEqual([
      ['a', 'b;c'],
      ['1', '2;3'],
    ]);
    expect(cells('a;b,c;d\n1;2,5;3')[1]).toEqual(['1', '2,5', '3']);
    expect(cells('"x,y,z"\tb\n1\t2')).toEqual([
      ['x,y,z', 'b'],
      ['1', '2'],
    ]);
    expect(cells('a|b,c\n1|2,5\n', '|')).toEqual([
      ['a', 'b,c'],
      ['1', '2,5'],
    ]);
  });

  it('reads quoted cells with separators, line ends and quotes in them, and counts lines through them', () => {
    const rows = readCsv('f', '\ufeffname,said\r\n"Ann, A.","one\r\n""two"""\r\n\r\n bob , 5" pipe \rc,"" ');
    expect(rows).toEqual([
      { cells: ['name', 'said'], line: 1 },
      { cells: ['Ann, A.', 'one\n"two"'], line: 2 },
      { cells: ['bob', '5" pipe'], line: 5 },
      { cells: ['c', ''], line: 6 },
    ]);
    expect(cells('a,b\n"1","2"\n"3",\n')).toEqual([
      ['a', 'b'],
      ['1', '2'],
      ['3', ''],
    ]);
  });

  it('keeps empty cells at the ends', () => {
    expect(cells('a\tb\tc\n\t2\t\n')).toEqual([
      ['a', 'b', 'c'],
      ['', '2', ''],
    ]);
    expect(cells('')).toEqual([]);
  });

  it('names the line of a quote that does not close, or of text behind one', () => {
    expect(() => cells('a,b\n"x\ny",1\n"z,1\n')).toThrow(FormatError);
    expect(() => cells('a,b\n"x\ny",1\n"z,1\n')).toThrow(
      'f: expected a closing quote in line 4, got none up to the end.',
    );
    expect(() => cells('a,b\n"x" y,1\n')).toThrow("expected ',' after a closing quote in line 2, got 'y'");
  });
});
