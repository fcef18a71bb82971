import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Range } from './backend';
import { acrossOf, BLOCK_SIZES, blockFor, blockMain, blocksOf, DOWN } from './blocks';
import { type ConvolutionForm, fromBuffers, fromTiles } from './convolutionProducts';
import { elements, inFours, readsFour, times, writesFour } from './fours';
import type { Gpu } from './gpu';
import { IMAGE_SIZES, type Images, imageSizes, type Layer, logScaleOf } from './images';
import { type Program, read, remembered, write } from './program';
import { allowsEights, inTiles } from './tiles';

/**
 * What becomes of the product of patches and filters: a layer's output; a gradient in what a relu made, before the relu; or the first
 * channels of a tensor, written or added to.
 */
type Ending =
  | { kind: 'layer'; layer: Layer; relu: boolean }
  | { kind: 'masked'; made: TensorInfo }
  | { kind: 'written' | 'added' };

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

/** Patches [positions, size * size * channels], which are read in the images, times filters [size * size * channels, columns]. */
const program = remembered((form: ConvolutionForm, kind: Ending['kind']): Program => {
  const { size, rows, quads, across, wideIn, wide } = form;
  const tiled = across > 0;
  const { declared, start, seen, overChannels } = tiled ? fromTiles(form) : fromBuffers(form);
  // Rows of a block lie side by side, or apart by those of a tile's other blocks.
  const apart = tiled ? DOWN : 1;
  return {
    key: `convolution ${kind} ${size} ${rows}x${quads} ${across} ${Number(wideIn)}${Number(wide)}`,
    buffers: {
      images: read(elements(wideIn)),
      filters: read(elements(wide)),
      ...Object.fromEntries(READ[kind].map((name) => [name, read(elements(wide))])),
      output: write(elements(wide)),
    },
    sizes: [...BLOCK_SIZES, ...IMAGE_SIZES, ...SIZES[kind]],
    code: () => `${declared}
${['filters', ...READ[kind], ...(kind === 'added' ? ['output'] : [])].map((name) => readsFour(name, wide)).join('')}
${writesFour('output', wide)}
${blockMain(
  quads,
  across,
  `
  let firstRow = ${tiled ? `firstBlock * ${rows}u + line` : `rowBlock * ${rows}u`};
  ${start}
  ${times(rows, (i) => times(quads, (q) => `var sum${i}_${q} = vec4f();`))}
  for (var tap = 0u; tap < ${size * size}u; tap++) {
    let first = tap * sizes.channels;
    ${seen}
    ${overChannels}
  }
  if (column >= sizes.columns) { return; }
  ${kind === 'layer' ? times(quads, (q) => `let scale${q} = exp(sizes.factor * logScaleFour(column + ${4 * q}u, count));`) : ''}
  ${times(
    rows,
    (i) => `if (firstRow + ${i * apart}u < sizes.positions) {
      let row = firstRow + ${i * apart}u;
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
  const wideIn = inFours(channels, stride);
  const tiled = inTiles(gpu, channels, columns, wideIn && wide);
  const block = blockFor(positions, columns, wide && allowsEights(columns, tiled), gpu.enoughInvocations);
  const blocks = blocksOf(Math.ceil(positions / block.rows), columns, block.quads, tiled);
  const across = tiled ? acrossOf(columns, block.quads) : 0;
  const form = { ...block, size, across, wideIn, wide };
  const others =
    kind === 'layer'
      ? [ending.layer.offset, logScaleOf(ending.layer)]
      : kind === 'masked'
        ? [ending.made]
        : [];
  const sizes =
    kind === 'layer' ? [ending.layer.offsetRows, ending.layer.factor, Number(ending.relu)] : [outputStride];
  gpu.run(
    program(form, kind),
    [images.tensor, tensor, ...others, output],
    [...blocks.groups, 1],
    [...blocks.sizes, ...imageSizes(images), ...sizes],
  );
}
