import type { TensorInfo } from '@tensorflow/tfjs-core';
import { acrossOf, BLOCK_SIZES, blockMain, blocksOf, DOWN } from './blocks';
import { elements, inFours, readsFour, times, writesFour } from './fours';
import type { Gpu } from './gpu';
import { IMAGE_SIZES, type Images, imageSizes, type Layer, logScaleOf } from './images';
import { type Program, read, remembered, write } from './program';
import { allowsEights, DEPTH, fillTile, inTile, inTiles, type Tile, tileRoom } from './tiles';

interface Form {
  size: number;
  /** Channels of each invocation's block, and columns, in fours. */
  channelQuads: number;
  quads: number;
  /** Blocks of columns that share tiles in workgroup memory; 0 where blocks read the buffers. */
  across: number;
  wideIn: boolean;
  wide: boolean;
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
  { channelQuads, quads }: Form,
  patch: (c: number) => string,
  dy: (q: number) => string,
): string {
  return `
      ${times(quads, (q) => `let d${q} = ${dy(q)};`)}
      ${times(channelQuads, (c) => `let a${c} = ${patch(c)};`)}
      ${times(4 * channelQuads, (i) => times(quads, (q) => `sum${i}_${q} += a${Math.floor(i / 4)}[${i % 4}] * d${q};`))}`;
}

/** Four values of `dy` or `output` in a block's columns. */
function inColumns(buffer: string, q: number): string {
  return `${buffer}Four(position * sizes.columns + column + ${4 * q}u, count)`;
}

/** Where a tap looks, from a position. */
function tapOf(size: number): string {
  const margin = (size - 1) / 2;
  return `let below = i32(tap / ${size}u) - ${margin};
    let right = i32(tap % ${size}u) - ${margin};`;
}

/** Blocks that read the buffers. */
function fromBuffers(form: Form): Product {
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
function fromTiles(form: Form): Product {
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

/**
 * Parts of the gradients in filter, offset and logScale, each of some lines of the images (of positions where filters have size 1): sums of
 * patch times dy, of dy, and of dy times output. The last blocks of rows take the latter two, with tiles the last workgroups.
 */
const program = remembered((form: Form): Program => {
  const { size, channelQuads, quads, across, wideIn, wide } = form;
  const tiled = across > 0;
  const rows = 4 * channelQuads;
  const perLine = size === 1 ? '1u' : 'u32(sizes.width)';
  const { declared, overPositions, from, apart, gather } = tiled ? fromTiles(form) : fromBuffers(form);
  const scales = times(
    quads,
    (q) => `let scale${q} = exp(sizes.factor * logScaleFour(column + ${4 * q}u, count));`,
  );
  return {
    key: `convolution filter gradient ${size} ${channelQuads}x${quads} ${across} ${Number(wideIn)}${Number(wide)}`,
    buffers: {
      images: read(elements(wideIn)),
      dy: read(elements(wide)),
      output: read(elements(wide)),
      logScale: read(elements(wide)),
      parts: write(elements(wide)),
    },
    sizes: [
      ...BLOCK_SIZES,
      ...IMAGE_SIZES,
      'lines: u32',
      'perPart: u32',
      'partAt: u32',
      'partStride: u32',
      'factor: f32',
    ],
    code: () => `${declared}
${readsFour('images', wideIn)}
${['dy', 'output', 'logScale'].map((buffer) => readsFour(buffer, wide)).join('')}
${writesFour('parts', wide)}
${blockMain(
  quads,
  across,
  `
  let first = group.z * sizes.perPart;
  let end = min(first + sizes.perPart, sizes.lines);
  let start = first * ${perLine};
  let stop = end * ${perLine};
  let at = sizes.partAt + group.z * sizes.partStride + column;
  let blocks = (sizes.channels + ${rows - 1}u) / ${rows}u;
  if (${tiled ? 'firstBlock' : 'rowBlock'} + 1u == sizes.rowBlocks) {
    ${times(quads, (q) => `var ofOffset${q} = vec4f(); var ofLogScale${q} = vec4f();`)}
    for (var position = ${from}; position < stop; position += ${apart}u) {
      ${times(quads, (q) => `{ let d = ${inColumns('dy', q)}; ofOffset${q} += d; ofLogScale${q} += d * ${inColumns('output', q)}; }`)}
    }
    ${gather(`${scales}
    let row = ${size * size}u * sizes.channels;
    ${times(
      quads,
      (q) => `partsPut(at + row * sizes.columns + ${4 * q}u, count, ofOffset${q} * scale${q});
    partsPut(at + (row + 1u) * sizes.columns + ${4 * q}u, count, ofLogScale${q});`,
    )}`)}
    return;
  }
  let tap = rowBlock / blocks;
  let channel = rowBlock % blocks * ${rows}u;
  ${times(rows, (i) => times(quads, (q) => `var sum${i}_${q} = vec4f();`))}
  ${overPositions}
  ${scales}
  let firstRow = tap * sizes.channels + channel;
  ${times(
    rows,
    (i) => `if (channel + ${i}u < sizes.channels) {
      ${times(quads, (q) => `partsPut(at + (firstRow + ${i}u) * sizes.columns + ${4 * q}u, count, sum${i}_${q} * scale${q});`)}
    }`,
  )}`,
)}`,
  };
});

/** How the positions of a gradient in a filter are parted. */
export interface Parts {
  count: number;
  /** Lines of images in each but the last, or positions where filters have size 1. */
  perPart: number;
  /** Floats of each: filter, offset and logScale. */
  stride: number;
}

/** Fewer positions aren't worth a part, whose sums must be written, read and added. */
const FEWEST_POSITIONS = 64;

function formOf(gpu: Gpu, { size, outputs }: Layer, { channels, stride }: Images): Form {
  const wideIn = inFours(channels, stride);
  const wide = inFours(outputs);
  const tiled = inTiles(gpu, channels, outputs, wideIn && wide);
  const quads = allowsEights(outputs, tiled) ? 2 : 1;
  return {
    size,
    channelQuads: wideIn && channels % 8 === 0 ? 2 : 1,
    quads,
    across: tiled ? acrossOf(outputs, quads) : 0,
    wideIn,
    wide,
  };
}

function rowBlocksOf({ size }: Layer, { channels }: Images, { channelQuads, across }: Form): number {
  const ofFilter = size * size * Math.ceil(channels / (4 * channelQuads));
  return 1 + (across > 0 ? DOWN * Math.ceil(ofFilter / DOWN) : ofFilter);
}

/** The parts in which a layer's gradient is computed, so that a GPU has enough to do. */
export function partsOf(gpu: Gpu, layer: Layer, images: Images): Parts {
  const { size, inputs, outputs } = layer;
  const form = formOf(gpu, layer, images);
  const blocks = rowBlocksOf(layer, images, form) * Math.ceil(outputs / (4 * form.quads));
  const perLine = size === 1 ? 1 : images.width;
  const lines = images.positions / perLine;
  const wanted = Math.ceil(gpu.enoughInvocations / blocks);
  const perPart = Math.ceil(Math.max(lines / wanted, FEWEST_POSITIONS / perLine));
  return { count: Math.ceil(lines / perPart), perPart, stride: (size * size * inputs + 2) * outputs };
}

/** Writes the parts of a layer's gradients, from `at` on, a multiple of 4. */
export function writeParts(
  gpu: Gpu,
  layer: Layer,
  images: Images,
  { count, perPart, stride }: Parts,
  tensors: Record<'dy' | 'output' | 'parts', TensorInfo>,
  at: number,
): void {
  const { dy, output, parts } = tensors;
  const form = formOf(gpu, layer, images);
  const blocks = blocksOf(rowBlocksOf(layer, images, form), layer.outputs, form.quads, form.across > 0);
  const lines = images.positions / (layer.size === 1 ? 1 : images.width);
  gpu.run(
    program(form),
    [images.tensor, dy, output, logScaleOf(layer), parts],
    [...blocks.groups, count],
    [...blocks.sizes, ...imageSizes(images), lines, perPart, at, stride, layer.factor],
  );
}
