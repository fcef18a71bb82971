import { flatGroups } from './wgsl';

/*
 * Matrix products. Each invocation has a block of some rows by columns of the result in its registers. What it multiplies it reads straight
 * from the buffers, where neighbours read the same lines of the cache, or from tiles that its workgroup has copied to its memory.
 */

/** Invocations of a workgroup without tiles. */
const INVOCATIONS = 128;
/** Blocks of columns that the invocations of a workgroup have side by side, at most; the others lie below. */
const MOST_ACROSS = 16;
/** Blocks of rows that share tiles. */
export const DOWN = 16;

/** Form of the blocks of a product over images: what its code depends on. */
export interface BlockForm {
  /** Side of the filters. */
  size: number;
  /** Columns of each invocation's block, in fours. */
  quads: number;
  /** Blocks of columns that share tiles in workgroup memory; 0 where blocks read the buffers. */
  across: number;
  /** Whether channels, and columns, are read in fours. */
  wideIn: boolean;
  wide: boolean;
}

/** Fields of a program's sizes that `blockMain` uses. */
export const BLOCK_SIZES = ['rowBlocks: u32', 'columns: u32', 'columnTiles: u32', 'across: u32'] as const;

/** Blocks of columns side by side in a workgroup, as evenly as they can be dealt. */
export function acrossOf(columns: number, quads: number): number {
  const blocks = Math.ceil(columns / (4 * quads));
  return Math.ceil(blocks / Math.ceil(blocks / MOST_ACROSS));
}

/** How the blocks of a result lie in workgroups. */
export interface Blocks {
  /** Values of `BLOCK_SIZES`. */
  sizes: number[];
  /** In x and y. */
  groups: [number, number];
}

/** The blocks of a result with so many blocks of rows, and columns. */
export function blocksOf(rowBlocks: number, columns: number, quads: number, tiled: boolean): Blocks {
  const across = acrossOf(columns, quads);
  const columnTiles = Math.ceil(columns / (4 * quads * across));
  const down = tiled ? DOWN : Math.floor(INVOCATIONS / across);
  const [x, y] = flatGroups(columnTiles * Math.ceil(rowBlocks / down), 1);
  return { sizes: [rowBlocks, columns, columnTiles, across], groups: [x, y] };
}

/**
 * An entry of one invocation per block: of the rows of `rowBlock`, of columns from `column` on, of which `count` are in the result (more
 * than four in all but the last blocks). `group.z` is free.
 *
 * @param across blocks of columns in a workgroup that has tiles, or 0. With tiles, all invocations run the body, also those whose
 *   block lies outside of the result: they have their part in filling the tiles. The workgroup's first block is `firstBlock`, `firstColumn`;
 *   this one's place in it is `line`, `lane`
 */
export function blockMain(quads: number, across: number, body: string): string {
  const tiled = across > 0;
  return `
@compute @workgroup_size(${tiled ? DOWN * across : INVOCATIONS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let tile = group.y * groups.x + group.x;
  let across = ${tiled ? `${across}u` : 'sizes.across'};
  let down = ${tiled ? `${DOWN}u` : `${INVOCATIONS}u / across`};
  let line = local / across;
  let lane = local % across;
  let firstBlock = tile / sizes.columnTiles * down;
  let rowBlock = firstBlock + line;
  let firstColumn = tile % sizes.columnTiles * across * ${4 * quads}u;
  let column = firstColumn + lane * ${4 * quads}u;
  ${tiled ? '' : 'if (line >= down || rowBlock >= sizes.rowBlocks || column >= sizes.columns) { return; }'}
  let count = sizes.columns - column;
  ${body}
}`;
}

/**
 * Rows of a block, and columns in fours: as many as registers hold, if that leaves enough blocks.
 *
 * @param eights whether a block may be of eight columns
 */
export function blockFor(
  rows: number,
  columns: number,
  eights: boolean,
  enough: number,
): { rows: number; quads: number } {
  const blocks = [...(eights ? [{ rows: 8, quads: 2 }] : []), { rows: 8, quads: 1 }, { rows: 4, quads: 1 }];
  const fits = blocks.find((block) => (rows / block.rows) * (columns / block.quads / 4) >= enough);
  return fits ?? { rows: rows * columns >= enough ? 4 : 2, quads: 1 };
}
