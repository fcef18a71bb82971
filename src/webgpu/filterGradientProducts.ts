import { type BlockForm, DOWN } from './blocks';
import { times } from './fours';
import { DEPTH, fillTile, inTile, type Tile, tileRoom } from './tiles';

/*
 * How an invocation's block of a gradient in a filter is summed up over positions: from the buffers, or from tiles.
 */

/** Blocks of so many channels, in fours. */
export interface GradientForm extends BlockForm {
  channelQuads: number;
}

/** How a block's sums are made. */
interface Product {
  declared: string;
  overPositions: string;
  /** Positions from which an invocation adds up dy and dy times output, and how far they are apart. */
  from: string;
  apart: number;
  /** Adds up those sums of the invocations of a workgroup, and runs statements where they are whole. */
  gather(statements: string): string;
}

/** One position's channels times dy. */
function addProducts(
  { channelQuads, quads }: GradientForm,
  patch: (c: number) => string,
  dy: (q: number) => string,
): string {
  return `
      ${times(quads, (q) => `let d${q} = ${dy(q)};`)}
      ${times(channelQuads, (c) => `let a${c} = ${patch(c)};`)}
      ${times(4 * channelQuads, (i) => times(quads, (q) => `sum${i}_${q} += a${Math.floor(i / 4)}[${i % 4}] * d${q};`))}`;
}

/** Four values of `dy` or `output` in a block's columns. */
export function inColumns(buffer: string, q: number): string {
  return `${buffer}Four(position * sizes.columns + column + ${4 * q}u, count)`;
}

/** Where a tap looks, from a position. */
function tapOf(size: number): string {
  const margin = (size - 1) / 2;
  return `let below = i32(tap / ${size}u) - ${margin};
    let right = i32(tap % ${size}u) - ${margin};`;
}

/** Blocks that read the buffers. */
export function fromBuffers(form: GradientForm): Product {
  const { size } = form;
  const add = addProducts(
    form,
    (c) => `imagesFour(seen * sizes.stride + channel + ${4 * c}u, sizes.channels - channel)`,
    (q) => inColumns('dy', q),
  );
  const overPositions =
    size === 1
      ? `for (var position = first; position < end; position++) { let seen = position; ${add} }`
      : `
    ${tapOf(size)}
    for (var line = first; line < end; line++) {
      let y = i32(line) % sizes.height + below;
      if (y < 0 || y >= sizes.height) { continue; }
      for (var x = max(0, -right); x < min(sizes.width, sizes.width - right); x++) {
        let position = u32(i32(line) * sizes.width + x);
        let seen = u32(i32(position) + below * sizes.width + right);
        ${add}
      }
    }`;
  return { declared: '', overPositions, from: 'start', apart: 1, gather: (statements) => statements };
}

/** Blocks that read tiles, of so many positions at once. */
export function fromTiles(form: GradientForm): Product {
  const { size, channelQuads, quads, across } = form;
  const rows = 4 * channelQuads;
  const patches: Tile = { name: 'patchTile', lines: DOWN, quads: channelQuads };
  const ofDy: Tile = { name: 'dyTile', lines: across, quads };
  const seen = (offset: string) => `value = images[((${offset}) * sizes.stride + channel) / 4u];`;
  return {
    declared: tileRoom(patches) + tileRoom(ofDy),
    overPositions: `
  for (var begin = start; begin < stop; begin += ${DEPTH}u) {
    ${fillTile(
      patches,
      across,
      `let block = firstBlock + four / ${channelQuads}u;
      let tap = block / blocks;
      let channel = block % blocks * ${rows}u + four % ${channelQuads}u * 4u;
      let position = begin + term;
      if (position < stop && tap < ${size * size}u && channel < sizes.channels) {
        ${
          size === 1
            ? seen('position')
            : `${tapOf(size)}
        let line = i32(position) / sizes.width;
        let x = i32(position) - line * sizes.width + right;
        let y = line % sizes.height + below;
        if (u32(x) < u32(sizes.width) && u32(y) < u32(sizes.height)) { ${seen('u32(i32(position) + below * sizes.width + right)')} }`
        }
      }`,
    )}
    ${fillTile(
      ofDy,
      across,
      `let at = firstColumn + 4u * four;
      if (begin + term < stop && at < sizes.columns) { value = dyFour((begin + term) * sizes.columns + at, 4u); }`,
    )}
    workgroupBarrier();
    for (var term = 0u; term < ${DEPTH}u; term++) {
      ${addProducts(
        form,
        (c) => inTile(patches, 'term', 'line', c),
        (q) => inTile(ofDy, 'term', 'lane', q),
      )}
    }
    workgroupBarrier();
  }
  if (column >= sizes.columns || tap >= ${size * size}u) { return; }`,
    from: 'start + line',
    apart: DOWN,
    gather: (statements) => `${times(
      quads,
      (q) => `
    patchTile[local] = ofOffset${q};
    dyTile[local] = ofLogScale${q};
    workgroupBarrier();
    for (var other = line + 1u; other < ${DOWN}u; other++) {
      ofOffset${q} += patchTile[other * across + lane];
      ofLogScale${q} += dyTile[other * across + lane];
    }
    workgroupBarrier();`,
    )}
    if (line == 0u && column < sizes.columns) {
      ${statements}
    }`,
  };
}
