import { flatGroups } from './wgsl';

/*
 * Matrix products. Each invocation has a block of some rows by four columns of the result in its registers, and reads what it multiplies
 * straight from the buffers: neighbours read the same lines of the cache. Workgroup memory, with its barriers, isn't used: a software
 * adapter takes five times as long by it.
 */

/** Invocations of a workgroup. */
const INVOCATIONS = 128;
/** Blocks of columns that the invocations of a workgroup have side by side, at most; the others lie below. */
const MOST_ACROSS = 16;

/** Fields of a program's sizes that `blockMain` uses. */
export const BLOCK_SIZES = ['rowBlocks: u32', 'columns: u32', 'columnTiles: u32', 'across: u32'] as const;

/** How the blocks of a result lie in workgroups. */
export interface Blocks {
  /** Values of `BLOCK_SIZES`. */
  sizes: number[];
  /** In x and y. */
  groups: [number, number];
}

/** The blocks of a result with so many blocks of rows, and columns. */
export function blocksOf(rowBlocks: number, columns: number, quads: number): Blocks {
  const columnBlocks = Math.ceil(columns / (4 * quads));
  const columnTiles = Math.ceil(columnBlocks / MOST_ACROSS);
  const across = Math.ceil(columnBlocks / columnTiles);
  const down = Math.floor(INVOCATIONS / across);
  const [x, y] = flatGroups(columnTiles * Math.ceil(rowBlocks / down), 1);
  return { sizes: [rowBlocks, columns, columnTiles, across], groups: [x, y] };
}

/**
 * An entry of one invocation per block: of the rows of `rowBlock`, of columns from `column` on, of which `count` are in the result (more
 * than four in all but the last blocks). `group.z` is free.
 */
export function blockMain(quads: number, body: string): string {
  return `
@compute @workgroup_size(${INVOCATIONS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let tile = group.y * groups.x + group.x;
  let down = ${INVOCATIONS}u / sizes.across;
  let line = local / sizes.across;
  let rowBlock = tile / sizes.columnTiles * down + line;
  let column = (tile % sizes.columnTiles * sizes.across + local % sizes.across) * ${4 * quads}u;
  if (line >= down || rowBlock >= sizes.rowBlocks || column >= sizes.columns) { return; }
  let count = sizes.columns - column;
  ${body}
}`;
}

/** Rows of a block, and columns in fours: as many as registers hold, if that leaves enough blocks. */
export function blockFor(
  rows: number,
  columns: number,
  wide: boolean,
  enough: number,
): { rows: number; quads: number } {
  const blocks = [
    ...(wide && columns % 8 === 0 ? [{ rows: 8, quads: 2 }] : []),
    { rows: 8, quads: 1 },
    { rows: 4, quads: 1 },
  ];
  const fits = blocks.find((block) => (rows / block.rows) * (columns / block.quads / 4) >= enough);
  return fits ?? { rows: rows * columns >= enough ? 4 : 2, quads: 1 };
}
