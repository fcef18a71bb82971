import { firstPairs, highHalves, least, loadPart, lowHalves, secondPairs, storePart } from './vector';

/*
 * Eight rows of a matrix as columns: number i of all of them lies in line i, so that a vector holds the same number of four rows.
 */

/** Bytes of a line: a number for each of eight rows. */
export const LINE_BYTES: usize = 32;

/** Bytes of so many lines. */
// @ts-ignore: decorator
@inline
export function linesOf(count: i32): usize {
  return <usize>count * LINE_BYTES;
}

/** Lines of 1 to 8 rows; the last row stands in for those that are missing. */
export function rowsToLines(from: usize, rowBytes: usize, rows: i32, columns: i32, to: usize): void {
  for (let first = 0; first < 8; first += 4) {
    const last = rows - 1;
    const row0 = from + rowBytes * least(first, last);
    const row1 = from + rowBytes * least(first + 1, last);
    const row2 = from + rowBytes * least(first + 2, last);
    const row3 = from + rowBytes * least(first + 3, last);
    let line = to + (<usize>first << 2);
    for (let j = 0; j < columns; j += 4) {
      const at = <usize>j << 2;
      const left = columns - j;
      const a = loadPart(row0 + at, left);
      const b = loadPart(row1 + at, left);
      const c = loadPart(row2 + at, left);
      const d = loadPart(row3 + at, left);
      const ab = firstPairs(a, b);
      const cd = firstPairs(c, d);
      v128.store(line, lowHalves(ab, cd));
      if (left > 1) v128.store(line, highHalves(ab, cd), LINE_BYTES);
      if (left > 2) v128.store(line, lowHalves(secondPairs(a, b), secondPairs(c, d)), 2 * LINE_BYTES);
      if (left > 3) v128.store(line, highHalves(secondPairs(a, b), secondPairs(c, d)), 3 * LINE_BYTES);
      line += 4 * LINE_BYTES;
    }
  }
}

/** The first 1 to 8 rows of lines; reads whole blocks of four lines, writes nothing else. */
export function linesToRows(from: usize, rows: i32, columns: i32, to: usize, rowBytes: usize): void {
  for (let first = 0; first < rows; first += 4) {
    const row = to + rowBytes * first;
    const there = rows - first;
    let line = from + (<usize>first << 2);
    for (let j = 0; j < columns; j += 4) {
      const at = row + (<usize>j << 2);
      const left = columns - j;
      const a = v128.load(line);
      const b = v128.load(line, LINE_BYTES);
      const c = v128.load(line, 2 * LINE_BYTES);
      const d = v128.load(line, 3 * LINE_BYTES);
      const ab = firstPairs(a, b);
      const cd = firstPairs(c, d);
      storePart(at, lowHalves(ab, cd), left);
      if (there > 1) storePart(at + rowBytes, highHalves(ab, cd), left);
      if (there > 2) storePart(at + rowBytes * 2, lowHalves(secondPairs(a, b), secondPairs(c, d)), left);
      if (there > 3) storePart(at + rowBytes * 3, highHalves(secondPairs(a, b), secondPairs(c, d)), left);
      line += 4 * LINE_BYTES;
    }
  }
}
