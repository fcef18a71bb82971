import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { BLOCK_SIZES, blockMain, blocksOf } from './blocks';
import { IMAGE_SIZES, type Images, imageSizes, inFours, type Layer, logScaleOf } from './convolution';
import { elements, readsFour, times, writesFour } from './fours';
import type { Gpu } from './gpu';
import type { Summed } from './partialSums';
import { type Program, read, remembered, write } from './program';
import { flatGroups, flatMain } from './wgsl';

interface Form {
  size: number;
  /** Channels of each invocation's block, and columns, in fours. */
  channelQuads: number;
  quads: number;
  wideIn: boolean;
  wide: boolean;
}

/**
 * Parts of the gradients in filter, offset and logScale, each of some lines of the images (of positions where filters have size 1): sums of
 * patch times dy, of dy, and of dy times output. The last blocks of rows take the latter two.
 */
const program = remembered(({ size, channelQuads, quads, wideIn, wide }: Form): Program => {
  const margin = (size - 1) / 2;
  const rows = 4 * channelQuads;
  const four = (buffer: string, q: number) =>
    `${buffer}Four(position * sizes.columns + column + ${4 * q}u, count)`;
  const add = `
      ${times(quads, (q) => `let d${q} = ${four('dy', q)};`)}
      ${times(channelQuads, (c) => `let a${c} = imagesFour(seen * sizes.stride + channel + ${4 * c}u, sizes.channels - channel);`)}
      ${times(rows, (i) => times(quads, (q) => `sum${i}_${q} += a${Math.floor(i / 4)}[${i % 4}] * d${q};`))}`;
  const overPositions =
    size === 1
      ? `for (var position = first; position < end; position++) { let seen = position; ${add} }`
      : `
    let below = i32(tap / ${size}u) - ${margin};
    let right = i32(tap % ${size}u) - ${margin};
    for (var line = first; line < end; line++) {
      let y = i32(line) % sizes.height + below;
      if (y < 0 || y >= sizes.height) { continue; }
      for (var x = max(0, -right); x < min(sizes.width, sizes.width - right); x++) {
        let position = u32(i32(line) * sizes.width + x);
        let seen = u32(i32(position) + below * sizes.width + right);
        ${add}
      }
    }`;
  const perLine = size === 1 ? '1u' : 'u32(sizes.width)';
  return {
    key: `convolution filter gradient ${size} ${channelQuads}x${quads} ${Number(wideIn)}${Number(wide)}`,
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
    code: () => `
${readsFour('images', wideIn)}
${['dy', 'output', 'logScale'].map((buffer) => readsFour(buffer, wide)).join('')}
${writesFour('parts', wide)}
${blockMain(
  quads,
  `
  let first = group.z * sizes.perPart;
  let end = min(first + sizes.perPart, sizes.lines);
  ${times(quads, (q) => `let scale${q} = exp(sizes.factor * logScaleFour(column + ${4 * q}u, count));`)}
  let at = sizes.partAt + group.z * sizes.partStride + column;
  let blocks = (sizes.channels + ${rows - 1}u) / ${rows}u;
  let tap = rowBlock / blocks;
  if (tap == ${size * size}u) {
    ${times(quads, (q) => `var ofOffset${q} = vec4f(); var ofLogScale${q} = vec4f();`)}
    for (var position = first * ${perLine}; position < end * ${perLine}; position++) {
      ${times(quads, (q) => `{ let d = ${four('dy', q)}; ofOffset${q} += d; ofLogScale${q} += d * ${four('output', q)}; }`)}
    }
    let row = ${size * size}u * sizes.channels;
    ${times(
      quads,
      (q) => `partsPut(at + row * sizes.columns + ${4 * q}u, count, ofOffset${q} * scale${q});
    partsPut(at + (row + 1u) * sizes.columns + ${4 * q}u, count, ofLogScale${q});`,
    )}
    return;
  }
  let channel = rowBlock % blocks * ${rows}u;
  ${times(rows, (i) => times(quads, (q) => `var sum${i}_${q} = vec4f();`))}
  ${overPositions}
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

function formOf({ size, outputs }: Layer, { channels, stride }: Images): Form {
  const wideIn = inFours(channels, stride);
  const inEights = (count: number) => (count % 8 === 0 ? 2 : 1);
  return {
    size,
    channelQuads: wideIn ? inEights(channels) : 1,
    quads: inEights(outputs),
    wideIn,
    wide: inFours(outputs),
  };
}

function rowBlocksOf({ size }: Layer, { channels }: Images, { channelQuads }: Form): number {
  return size * size * Math.ceil(channels / (4 * channelQuads)) + 1;
}

/** The parts in which a layer's gradient is computed, so that a GPU has enough to do. */
export function partsOf({ enoughInvocations: enough }: Gpu, layer: Layer, images: Images): Parts {
  const { size, inputs, outputs } = layer;
  const form = formOf(layer, images);
  const blocks = rowBlocksOf(layer, images, form) * Math.ceil(outputs / (4 * form.quads));
  const perLine = size === 1 ? 1 : images.width;
  const lines = images.positions / perLine;
  const wanted = Math.ceil(enough / blocks);
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
  const form = formOf(layer, images);
  const blocks = blocksOf(rowBlocksOf(layer, images, form), layer.outputs, form.quads);
  const lines = images.positions / (layer.size === 1 ? 1 : images.width);
  gpu.run(
    program(form),
    [images.tensor, dy, output, logScaleOf(layer), parts],
    [...blocks.groups, count],
    [...blocks.sizes, ...imageSizes(images), lines, perPart, at, stride, layer.factor],
  );
}

/** New tensors for a layer's gradients in filter, offset and logScale, and of which parts from `at` on they are the sums. */
export function weightGradients(
  gpu: Gpu,
  { filter, offset, logScale, factor, outputs, offsetRows }: Layer,
  { count: parts, stride }: Parts,
  at: number,
): { tensors: TensorInfo[]; sums: Summed[] } {
  const part = { stride, parts };
  const ofFilter = stride - 2 * outputs;
  const dFilter = { output: gpu.output(filter.shape), at, ...part, factor: 1 };
  const dOffset = { output: gpu.output(offset.shape), at: at + ofFilter, ...part, factor: 1 };
  const dLogScale = logScale && {
    output: gpu.output(logScale.shape),
    at: at + ofFilter + outputs,
    ...part,
    factor,
  };
  const all = [dFilter, dOffset, ...(dLogScale === undefined ? [] : [dLogScale])];
  return {
    tensors: all.map(({ output }) => output),
    sums: all.filter((sum) => sum !== dOffset || offsetRows === 1),
  };
}

/** The gradient in an offset per position: sums over images. */
const ofOffset: Program = {
  key: 'convolution offset gradient',
  buffers: { dy: read(), logScale: read(), dOffset: write() },
  sizes: ['count: u32', 'columns: u32', 'images: u32', 'factor: f32'],
  code: () =>
    flatMain(`
  if (at >= sizes.count) { return; }
  var sum = 0f;
  for (var image = 0u; image < sizes.images; image++) { sum += dy[image * sizes.count + at]; }
  dOffset[at] = sum * exp(sizes.factor * logScale[at % sizes.columns]);`),
};

/** Writes the gradient in a layer's offset per position. */
export function offsetGradient(gpu: Gpu, layer: Layer, dy: TensorInfo, dOffset: TensorInfo): void {
  const count = layer.offsetRows * layer.outputs;
  const images = util.sizeFromShape(dy.shape) / count;
  const sizes = [count, layer.outputs, images, layer.factor];
  gpu.run(ofOffset, [dy, logScaleOf(layer), dOffset], flatGroups(count), sizes);
}
