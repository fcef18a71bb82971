import { PACK_ROWS } from '../src/core/kernelConstants';
import { parallel, taskArguments, thread } from './parallel';
import { Patches, tapDepth, unfoldRows } from './patches';
import { EDGE_ROW, EDGE_TILE, panelColumns, placeTile, tileOfPanels } from './tiles';
import { ceilDivide, copyExactly, least } from './vector';

/** Rows and columns of a chunk's part of the output. */
const CHUNK_SIDE: i32 = 32;
/** Depth of one pass over a tile: its panels then fit the second-level cache. */
const BLOCK_DEPTH: i32 = 256;

/**
 * output[left columns, right columns] = left[rows, .]^T right[rows, .], where one side is a plain matrix and the other
 * rows of patches (a plain matrix too, for a transposed matrix product).
 */
@unmanaged
class Correlation extends Patches {
  rows: i32;
  /** The plain side and its columns. */
  plain: usize;
  plainColumns: i32;
  /** Whether the patches are the left factor. */
  patchesLeft: i32;
  output: usize;
  /** Rows packed at a time: a multiple of PACK_ROWS. */
  packRows: i32;
  /** Room for packRows rows of the left factor, columns rounded up to 4, and of the right factor, up to 16. */
  leftPanels: usize;
  rightPanels: usize;
  /** Room per thread: edge tile, four unfolded rows. */
  local: usize;
  localBytes: i32;
  /** First row of the pass; written here. */
  firstRow: i32;
}

/** Panels lie 64 bytes further apart than they are long, or their lines would share cache sets. */
// @ts-ignore: decorator
@inline
function panelBytes(rows: i32, width: i32): usize {
  return <usize>(rows * width * 4 + 64);
}

/** Bytes that the panels of one side take. */
export function correlationPanelBytes(rows: i32, columns: i32, width: i32): i32 {
  return <i32>panelBytes(rows, width) * ceilDivide(columns, width);
}

/** Bytes of scratch per thread. */
export function correlationLocalBytes(patchColumns: i32): i32 {
  return <i32>EDGE_TILE + (patchColumns * 4 + 32) * 4;
}

// @ts-ignore: decorator
@inline
function leftColumns(c: Correlation): i32 {
  return c.patchesLeft ? tapDepth(c) : c.plainColumns;
}

// @ts-ignore: decorator
@inline
function rightColumns(c: Correlation): i32 {
  return c.patchesLeft ? c.plainColumns : tapDepth(c);
}

// @ts-ignore: decorator
@inline
function tilesAcross(c: Correlation): i32 {
  return ceilDivide(rightColumns(c), CHUNK_SIDE);
}

/** Runs a correlation whose arguments lie in the task's argument block. */
export function correlate(): void {
  const c = taskArguments<Correlation>();
  const tiles = ceilDivide(leftColumns(c), CHUNK_SIDE) * tilesAcross(c);
  for (let first = 0; first < c.rows; first += c.packRows) {
    c.firstRow = first;
    parallel<PackCorrelation>(ceilDivide(least(c.packRows, c.rows - first), PACK_ROWS));
    parallel<CorrelateTile>(tiles);
  }
}

/** Packs a chunk of rows of both factors into panels. */
export class PackCorrelation {
  run(chunk: i32): void {
    const c = taskArguments<Correlation>();
    const start = chunk * PACK_ROWS;
    const rows = least(least(c.packRows, c.rows - c.firstRow), start + PACK_ROWS) - start;
    const patchColumns = tapDepth(c);
    const buffer = c.local + <usize>thread() * c.localBytes + EDGE_TILE;
    const rowBytes = <usize>(patchColumns * 4 + 32);
    const plainBytes = <usize>(c.plainColumns << 2);
    for (let row = 0; row < rows; row += 4) {
      const now = least(4, rows - row);
      const at = c.firstRow + start + row;
      const plain = c.plain + <usize>at * plainBytes;
      let patches = buffer;
      let patchBytes = rowBytes;
      if (c.unfolded) {
        unfoldRows(c, at, now, buffer, rowBytes);
      } else {
        patchBytes = <usize>(c.channels << 2);
        patches = c.source + <usize>at * patchBytes;
      }
      if (c.patchesLeft) {
        packLeft(patches, patchBytes, now, patchColumns, c, start + row);
        packRightRows(plain, plainBytes, now, c.plainColumns, c, start + row);
      } else {
        packLeft(plain, plainBytes, now, c.plainColumns, c, start + row);
        packRightRows(patches, patchBytes, now, patchColumns, c, start + row);
      }
    }
  }
}

/** Copies a vector of each of up to four lines. */
// @ts-ignore: decorator
@inline
function copyLines(from: usize, fromBytes: usize, rows: i32, to: usize, toBytes: usize): void {
  if (rows == 4) {
    const a = v128.load(from), b = v128.load(from + fromBytes);
    const c = v128.load(from + 2 * fromBytes), d = v128.load(from + 3 * fromBytes);
    v128.store(to, a);
    v128.store(to + toBytes, b);
    v128.store(to + 2 * toBytes, c);
    v128.store(to + 3 * toBytes, d);
    return;
  }
  for (let i = 0; i < rows; i++) {
    v128.store(to, v128.load(from));
    from += fromBytes;
    to += toBytes;
  }
}

function packLeft(from: usize, fromBytes: usize, rows: i32, columns: i32, c: Correlation, row: i32): void {
  const stride = panelBytes(c.packRows, 4);
  let to = c.leftPanels + (row << 4);
  for (let column = 0; column < columns; column += 4) {
    copyLines(from, fromBytes, rows, to, 16);
    from += 16;
    to += stride;
  }
}

function packRightRows(from: usize, fromBytes: usize, rows: i32, columns: i32, c: Correlation, row: i32): void {
  const panel = panelColumns();
  const lineBytes = <usize>panel << 2;
  const stride = panelBytes(c.packRows, panel);
  let to = c.rightPanels + <usize>row * lineBytes;
  for (let column = 0; column < columns; column += panel) {
    const bytes: usize = least(panel, columns - column) << 2;
    for (let at: usize = 0; at < bytes; at += 16) copyLines(from + at, fromBytes, rows, to + at, lineBytes);
    from += lineBytes;
    to += stride;
  }
}

/** Computes one tile of the output. */
export class CorrelateTile {
  run(chunk: i32): void {
    const c = taskArguments<Correlation>();
    const rows = least(c.packRows, c.rows - c.firstRow);
    const across = tilesAcross(c);
    const lefts = leftColumns(c);
    const rights = rightColumns(c);
    const panel = panelColumns();
    const panelLine = <usize>panel << 2;
    const firstLeft = (chunk / across) * CHUNK_SIDE;
    const firstRight = (chunk % across) * CHUNK_SIDE;
    const endLeft = least(firstLeft + CHUNK_SIDE, lefts);
    const endRight = least(firstRight + CHUNK_SIDE, rights);
    const outputBytes = <usize>(rights << 2);
    const tile = c.local + <usize>thread() * c.localBytes;
    for (let start = 0; start < rows; start += BLOCK_DEPTH) {
      const depth = least(BLOCK_DEPTH, rows - start);
      const accumulate = c.firstRow + start > 0;
      for (let j = firstRight; j < endRight; j += panel) {
        const right = c.rightPanels + <usize>(j / panel) * panelBytes(c.packRows, panel) + <usize>(start * panel * 4);
        const valid = least(panel, rights - j);
        for (let i = firstLeft; i < endLeft; i += 4) {
          const left = c.leftPanels + <usize>(i >> 2) * panelBytes(c.packRows, 4) + (start << 4);
          const to = c.output + <usize>i * outputBytes + (j << 2);
          const lines = least(4, lefts - i);
          if (lines == 4 && valid == panel) {
            tileOfPanels(left, 16, right, panelLine, depth, to, outputBytes, accumulate);
          } else {
            tileOfPanels(left, 16, right, panelLine, depth, tile, EDGE_ROW, false);
            placeTile(tile, lines, valid, to, outputBytes, accumulate);
          }
        }
      }
    }
  }
}

/** [channels, taps, columns] with the taps in reverse to [taps, channels, columns]. */
export function tapsFirst(from: usize, to: usize, channels: i32, taps: i32, columns: i32): void {
  for (let channel = 0; channel < channels; channel++) {
    for (let tap = taps - 1; tap >= 0; tap--) {
      copyExactly(to + (<usize>((tap * channels + channel) * columns) << 2), from, columns);
      from += <usize>columns << 2;
    }
  }
}
