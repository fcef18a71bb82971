import type { TensorInfo } from '@tensorflow/tfjs-core';
import { acrossOf, BLOCK_SIZES, blockMain, blocksOf, DOWN } from './blocks';
import { fromBuffers, fromTiles, type GradientForm, inColumns } from './filterGradientProducts';
import { elements, inFours, readsFour, times, writesFour } from './fours';
import type { Gpu } from './gpu';
import { IMAGE_SIZES, type Images, imageSizes, type Layer, logScaleOf } from './images';
import { type Program, read, remembered, write } from './program';
import { allowsEights, inTiles } from './tiles';

/**
 * Parts of the gradients in filter, offset and logScale, each of some lines of the images (of positions where filters have size 1): sums of
 * patch times dy, of dy, and of dy times output. The last blocks of rows take the latter two, with tiles the last workgroups.
 */
const program = remembered((form: GradientForm): Program => {
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

function formOf(gpu: Gpu, { size, outputs }: Layer, { channels, stride }: Images): GradientForm {
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

function rowBlocksOf({ size }: Layer, { channels }: Images, { channelQuads, across }: GradientForm): number {
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
