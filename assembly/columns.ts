import { parallel, taskArguments } from './parallel';
import { ceilDivide, copyExactly, least } from './vector';

/** Columns of one matrix to a place among the columns of another. */
@unmanaged
class ColumnCopy {
  rows: i32;
  blockRows: i32;
  /** Columns that are copied. */
  count: i32;
  /** First of them in the first row, and the columns of a row. */
  from: usize;
  fromColumns: i32;
  to: usize;
  toColumns: i32;
}

export function copyColumns(): void {
  const c = taskArguments<ColumnCopy>();
  parallel<CopyColumnsChunk>(ceilDivide(c.rows, c.blockRows));
}

export class CopyColumnsChunk {
  run(chunk: i32): void {
    const c = taskArguments<ColumnCopy>();
    const first = chunk * c.blockRows;
    const rows = least(c.blockRows, c.rows - first);
    const fromBytes = <usize>c.fromColumns << 2;
    const toBytes = <usize>c.toColumns << 2;
    let from = c.from + <usize>first * fromBytes;
    let to = c.to + <usize>first * toBytes;
    for (let row = 0; row < rows; row++) {
      copyExactly(to, from, c.count);
      from += fromBytes;
      to += toBytes;
    }
  }
}

/** The columns of a matrix in another order. */
@unmanaged
class ColumnOrder {
  rows: i32;
  blockRows: i32;
  columns: i32;
  from: usize;
  to: usize;
  /** For each column of the result its place in the matrix, in bytes. */
  places: usize;
}

export function orderColumns(): void {
  const c = taskArguments<ColumnOrder>();
  parallel<OrderColumnsChunk>(ceilDivide(c.rows, c.blockRows));
}

export class OrderColumnsChunk {
  run(chunk: i32): void {
    const c = taskArguments<ColumnOrder>();
    const columns = c.columns;
    const bytes = <usize>columns << 2;
    const first = chunk * c.blockRows;
    const rows = least(c.blockRows, c.rows - first);
    let from = c.from + <usize>first * bytes;
    let to = c.to + <usize>first * bytes;
    for (let row = 0; row < rows; row++) {
      for (let at: usize = 0; at < bytes; at += 4) store<i32>(to + at, load<i32>(from + load<usize>(c.places + at)));
      from += bytes;
      to += bytes;
    }
  }
}
