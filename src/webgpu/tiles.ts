import { DOWN } from './blocks';
import type { Gpu } from './gpu';

/*
 * Tiles of a matrix product, which a workgroup copies to its memory for some terms of the inner sum at once: each value is then read from
 * the buffers once per tile instead of once per block, and neighbours read neighbours. The largest, for 8 x 8 blocks, take 16 KB, which
 * every device has.
 */

/** Terms of the inner sum that tiles hold at once. */
export const DEPTH = 16;
/** Fewer channels or columns aren't worth tiles. */
const FEWEST = 16;
/** With fewer columns, blocks of eight of them leave a workgroup too few invocations. */
const FEWEST_FOR_EIGHTS = 64;

/** Whether a product over so many channels, with so many columns, is one of tiles on this device. Both must be read in fours. */
export function inTiles({ tilesInMemory }: Gpu, channels: number, columns: number, wide: boolean): boolean {
  return tilesInMemory && wide && Math.min(channels, columns) >= FEWEST;
}

/** Whether blocks may be of eight columns. */
export function allowsEights(columns: number, tiled: boolean): boolean {
  return columns % 8 === 0 && (!tiled || columns >= FEWEST_FOR_EIGHTS);
}

/** A tile [terms, lines * quads], in fours: each of the lines (or columns) of invocations has so many in each row. */
export interface Tile {
  name: string;
  lines: number;
  quads: number;
}

/** Room for a tile. */
export function tileRoom({ name, lines, quads }: Tile): string {
  return `
var<workgroup> ${name}: array<vec4f, ${DEPTH * lines * quads}>;`;
}

/**
 * Fills a tile, where `body` sets `value`, four `four` of term `term`. The fours of an invocation lie `lines` apart, so that invocations
 * beside each other read beside each other.
 */
export function fillTile({ name, lines, quads }: Tile, across: number, body: string): string {
  const width = lines * quads;
  return `
    for (var at = local; at < ${DEPTH * width}u; at += ${DOWN * across}u) {
      let term = at / ${width}u;
      let four = at % ${width}u;
      var value = vec4f();
      ${body}
      ${name}[term * ${width}u + four % ${quads}u * ${lines}u + four / ${quads}u] = value;
    }`;
}

/** An invocation's four of a term, the `q`th of its line. */
export function inTile({ name, lines, quads }: Tile, term: string, line: string, q: number): string {
  return `${name}[${term} * ${lines * quads}u + ${q * lines}u + ${line}]`;
}
