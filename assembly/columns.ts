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
