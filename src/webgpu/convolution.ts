import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Range } from './backend';
import { BLOCK_SIZES, blockFor, blockMain, blocksOf } from './blocks';
import { elements, readsFour, times, writesFour } from './fours';
import type { Gpu } from './gpu';
import { type Program, read, remembered, write } from './program';

/** A layer of `fusedConvolutions`. */
export interface Layer {
  filter: TensorInfo;
  offset: TensorInfo;
  logScale?: TensorInfo;
  /** On logScale; 0 without. */
  factor: number;
  /** Side of the filters. */
  size: number;
  /** Channels. */
  inputs: number;
  outputs: number;
  /** Lines of the offset: 1, or the positions of an image. */
  offsetRows: number;
}

/** What stands for an absent logScale is multiplied by a factor of 0. */
export function logScaleOf({ logScale, offset }: Layer): TensorInfo {
  return logScale ?? offset;
}

/** Images [n, h, w, stride], of whose pixels the first channels are read. */
export interface Images {
  tensor: TensorInfo;
  positions: number;
  height: number;
  width: number;
  channels: number;
  stride: number;
}

/** Images [n, h, w, c], and vectors as images of one pixel. */
export function imagesOf(tensor: TensorInfo, channels = tensor.shape[tensor.shape.length - 1]): Images {
  const { shape } = tensor;
  const [height, width] = shape.length === 4 ? shape.slice(1, 3) : [1, 1];
  return {
    tensor,
    positions: shape[0] * height * width,
    height,
    width,
    channels,
    stride: shape[shape.length - 1],
  };
}

/** Whether values can be read in fours. */
export function inFours(...numbers: number[]): boolean {
  return numbers.every((number) => number % 4 === 0);
}

/** Fields of a program's sizes that describe images. */
export const IMAGE_SIZES = [
  'positions: u32',
  'height: i32',
  'width: i32',
  'channels: u32',
  'stride: u32',
] as const;

/** Values of `IMAGE_SIZES`. */
export function imageSizes({ positions, height, width, channels, stride }: Images): number[] {
  return [positions, height, width, channels, stride];
}

/**
 * What becomes of the product of patches and filters: a layer's output; a gradient in what a relu made, before the relu; or the first
 * channels of a tensor, written or added to.
 */
type Ending =
  | { kind: 'layer'; layer: Layer; relu: boolean }
  | { kind: 'masked'; made: TensorInfo }
  | { kind: 'written' | 'added' };

interface Form {
  size: number;
  /** Of each invocation's block, and its columns in fours. */
  rows: number;
  quads: number;
  /** Whether channels, and columns, are read in fours. */
  wideIn: boolean;
  wide: boolean;
  kind: Ending['kind'];
}

const SIZES = {
  layer: ['offsetRows: u32', 'factor: f32', 'relu: u32'],
  masked: ['outputStride: u32'],
  written: ['outputStride: u32'],
  added: ['outputStride: u32'],
};

const READ = { layer: ['offset', 'logScale'], masked: ['made'], written: [], added: [] };

/** Statements for four values of a row. */
const RESULTS = {
  layer: `let y = (value + offsetFour(row % sizes.offsetRows * sizes.columns + at, count)) * scale;
      outputPut(row * sizes.columns + at, count, select(y, vec4f(), (y < vec4f()) & vec4<bool>(sizes.relu == 1u)));`,
  masked: `let to = row * sizes.outputStride + at;
      outputPut(to, count, value * select(vec4f(1), vec4f(), madeFour(to, count) <= vec4f()));`,
  written: 'outputPut(row * sizes.outputStride + at, count, value);',
  added: `let to = row * sizes.outputStride + at;
      outputPut(to, count, value + outputFour(to, count));`,
};

/** A block's positions, and where the pixel lies that a tap sees from them. */
function positionsOf({ size, rows }: Form): {
  start: string;
  seen: string;
  value: (i: number, value: string, zero: string) => string;
} {
  const margin = (size - 1) / 2;
  // Those behind the last are computed as the last, and dropped.
  const start = times(rows, (i) => `let p${i} = min(firstRow + ${i}u, sizes.positions - 1u);`);
  if (size === 1) {
    return {
      start,
      seen: times(rows, (i) => `let at${i} = p${i} * sizes.stride;`),
      value: (_, value) => value,
    };
  }
  const places = times(
    rows,
    (i) =>
      `let line${i} = i32(p${i}) / sizes.width; let x${i} = i32(p${i}) - line${i} * sizes.width; let y${i} = line${i} % sizes.height;`,
  );
  const seen = `
    let right = i32(tap % ${size}u) - ${margin};
    let below = i32(tap / ${size}u) - ${margin};
    ${times(
      rows,
      (i) => `
    let in${i} = u32(x${i} + right) < u32(sizes.width) && u32(y${i} + below) < u32(sizes.height);
    let at${i} = select(0u, u32(i32(p${i}) + below * sizes.width + right) * sizes.stride, in${i});`,
    )}`;
  return { start: start + places, seen, value: (i, value, zero) => `select(${zero}, ${value}, in${i})` };
}

/** Patches [positions, size * size * channels], which are read in the images, times filters [size * size * channels, columns]. */
const program = remembered((form: Form): Program => {
  const { size, rows, quads, wideIn, wide, kind } = form;
  const { start, seen, value } = positionsOf(form);
  const ofFilters = (row: string, q: number) =>
    `filtersFour(${row} * sizes.columns + column + ${4 * q}u, count)`;
  const inner = wideIn
    ? `for (var channel = 0u; channel < sizes.channels; channel += 4u) {
      ${times(4, (j) => times(quads, (q) => `let b${j}_${q} = ${ofFilters(`(first + channel + ${j}u)`, q)};`))}
      ${times(
        rows,
        (i) => `{
        let a = ${value(i, `images[(at${i} + channel) / 4u]`, 'vec4f()')};
        ${times(quads, (q) => times(4, (j) => `sum${i}_${q} += a[${j}] * b${j}_${q};`))}
      }`,
      )}
    }`
    : `for (var channel = 0u; channel < sizes.channels; channel++) {
      ${times(quads, (q) => `let b${q} = ${ofFilters('(first + channel)', q)};`)}
      ${times(
        rows,
        (i) => `{
        let a = ${value(i, `images[at${i} + channel]`, '0f')};
        ${times(quads, (q) => `sum${i}_${q} += a * b${q};`)}
      }`,
      )}
    }`;
  return {
    key: `convolution ${kind} ${size} ${rows}x${quads} ${Number(wideIn)}${Number(wide)}`,
    buffers: {
      images: read(elements(wideIn)),
      filters: read(elements(wide)),
      ...Object.fromEntries(READ[kind].map((name) => [name, read(elements(wide))])),
      output: write(elements(wide)),
    },
    sizes: [...BLOCK_SIZES, ...IMAGE_SIZES, ...SIZES[kind]],
    code: () => `
${['filters', ...READ[kind], ...(kind === 'added' ? ['output'] : [])].map((name) => readsFour(name, wide)).join('')}
${writesFour('output', wide)}
${blockMain(
  quads,
  `
  let firstRow = rowBlock * ${rows}u;
  ${start}
  ${times(rows, (i) => times(quads, (q) => `var sum${i}_${q} = vec4f();`))}
  for (var tap = 0u; tap < ${size * size}u; tap++) {
    let first = tap * sizes.channels;
    ${seen}
    ${inner}
  }
  ${kind === 'layer' ? times(quads, (q) => `let scale${q} = exp(sizes.factor * logScaleFour(column + ${4 * q}u, count));`) : ''}
  ${times(
    rows,
    (i) => `if (firstRow + ${i}u < sizes.positions) {
      let row = firstRow + ${i}u;
      ${times(quads, (q) => `{ let at = column + ${4 * q}u; let value = sum${i}_${q}; ${kind === 'layer' ? `let scale = scale${q};` : ''} ${RESULTS[kind]} }`)}
    }`,
  )}`,
)}`,
  };
});

/** A convolution of images with filters [size, size, channels, columns]; the output has so many columns or more. */
export function convolve(
  gpu: Gpu,
  images: Images,
  filters: { tensor: TensorInfo | Range; size: number; columns: number },
  output: TensorInfo,
  ending: Ending,
): void {
  const { positions, channels, stride } = images;
  const { tensor, size, columns } = filters;
  const outputStride = output.shape[output.shape.length - 1];
  const { kind } = ending;
  const wide = inFours(columns, outputStride);
  const block = blockFor(positions, columns, wide, gpu.enoughInvocations);
  const blocks = blocksOf(Math.ceil(positions / block.rows), columns, block.quads);
  const form = { ...block, size, wideIn: inFours(channels, stride), wide, kind };
  const others =
    kind === 'layer'
      ? [ending.layer.offset, logScaleOf(ending.layer)]
      : kind === 'masked'
        ? [ending.made]
        : [];
  const sizes =
    kind === 'layer' ? [ending.layer.offsetRows, ending.layer.factor, Number(ending.relu)] : [outputStride];
  gpu.run(
    program(form),
    [images.tensor, tensor, ...others, output],
    [...blocks.groups, 1],
    [...blocks.sizes, ...imageSizes(images), ...sizes],
  );
}
