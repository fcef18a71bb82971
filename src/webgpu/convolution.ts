import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Range } from './backend';
import { acrossOf, BLOCK_SIZES, blockFor, blockMain, blocksOf, DOWN } from './blocks';
import { elements, inFours, readsFour, times, writesFour } from './fours';
import type { Gpu } from './gpu';
import { IMAGE_SIZES, type Images, imageSizes, type Layer, logScaleOf } from './images';
import { type Program, read, remembered, write } from './program';
import { allowsEights, DEPTH, fillTile, inTile, inTiles, type Tile, tileRoom } from './tiles';

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
  /** Blocks of columns that share tiles in workgroup memory; 0 where blocks read the buffers. */
  across: number;
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

/** So many positions, and where the pixels lie that a tap sees from them. */
function positionsOf(
  size: number,
  count: number,
  position: (i: number) => string,
): { start: string; seen: string; value: (i: number, value: string, zero: string) => string } {
  const margin = (size - 1) / 2;
  // Those behind the last are computed as the last, and dropped.
  const start = times(count, (i) => `let p${i} = min(${position(i)}, sizes.positions - 1u);`);
  if (size === 1) {
    return {
      start,
      seen: times(count, (i) => `let at${i} = p${i} * sizes.stride;`),
      value: (_, value) => value,
    };
  }
  const places = times(
    count,
    (i) =>
      `let line${i} = i32(p${i}) / sizes.width; let x${i} = i32(p${i}) - line${i} * sizes.width; let y${i} = line${i} % sizes.height;`,
  );
  const seen = `
    let right = i32(tap % ${size}u) - ${margin};
    let below = i32(tap / ${size}u) - ${margin};
    ${times(
      count,
      (i) => `
    let in${i} = u32(x${i} + right) < u32(sizes.width) && u32(y${i} + below) < u32(sizes.height);
    let at${i} = select(0u, u32(i32(p${i}) + below * sizes.width + right) * sizes.stride, in${i});`,
    )}`;
  return { start: start + places, seen, value: (i, value, zero) => `select(${zero}, ${value}, in${i})` };
}

/** How a block's sums are made: what is worked out once, for each tap, and over its channels. */
interface Product {
  declared: string;
  start: string;
  seen: string;
  overChannels: string;
}

/** Four channels of every row times as many rows of filters. */
function addFours(
  { rows, quads }: Form,
  filters: (j: number, q: number) => string,
  patch: (i: number) => string,
): string {
  return `${times(4, (j) => times(quads, (q) => `let b${j}_${q} = ${filters(j, q)};`))}
      ${times(
        rows,
        (i) => `{
        let a = ${patch(i)};
        ${times(quads, (q) => times(4, (j) => `sum${i}_${q} += a[${j}] * b${j}_${q};`))}
      }`,
      )}`;
}

/** Blocks that read the buffers. */
function fromBuffers(form: Form): Product {
  const { size, rows, quads, wideIn } = form;
  const { start, seen, value } = positionsOf(size, rows, (i) => `firstRow + ${i}u`);
  const ofFilters = (row: string, q: number) =>
    `filtersFour(${row} * sizes.columns + column + ${4 * q}u, count)`;
  const overChannels = wideIn
    ? `for (var channel = 0u; channel < sizes.channels; channel += 4u) {
      ${addFours(
        form,
        (j, q) => ofFilters(`(first + channel + ${j}u)`, q),
        (i) => value(i, `images[(at${i} + channel) / 4u]`, 'vec4f()'),
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
  return { declared: '', start, seen, overChannels };
}

/**
 * Blocks that read tiles. That of the patches is [rows, DEPTH], its fours of a row turned around so that neither the invocations that write
 * four of them each nor those that read one of their row meet in a memory bank.
 */
function fromTiles(form: Form): Product {
  const { size, rows, quads, across } = form;
  const fours = DEPTH / 4;
  /** Rows that the workgroup writes at once. */
  const atOnce = (DOWN * across) / fours;
  const passes = Math.ceil((DOWN * rows) / atOnce);
  const tileRow = (i: number) => `(local / ${fours}u + ${i * atOnce}u)`;
  const place = (row: string, four: string) => `${row} * ${fours}u + (${four} ^ (${row} / 2u % ${fours}u))`;
  const { start, seen, value } = positionsOf(size, passes, (i) => `firstBlock * ${rows}u + ${tileRow(i)}`);
  const filters: Tile = { name: 'filterTile', lines: across, quads };
  const fill = (i: number) => {
    const code = `{
      var value = vec4f();
      if (own < sizes.channels) { value = ${value(i, `images[(at${i} + own) / 4u]`, 'vec4f()')}; }
      patchTile[${place(tileRow(i), 'mine')}] = value;
    }`;
    return (i + 1) * atOnce > DOWN * rows ? `if (${tileRow(i)} < ${DOWN * rows}u) ${code}` : code;
  };
  return {
    declared: `
var<workgroup> patchTile: array<vec4f, ${DOWN * rows * fours}>;${tileRoom(filters)}`,
    start: `let mine = local % ${fours}u;
  ${start}`,
    seen,
    overChannels: `for (var begin = 0u; begin < sizes.channels; begin += ${DEPTH}u) {
    let own = begin + 4u * mine;
    ${times(passes, fill)}
    ${fillTile(
      filters,
      across,
      `let at = firstColumn + 4u * four;
      if (begin + term < sizes.channels && at < sizes.columns) { value = filtersFour((first + begin + term) * sizes.columns + at, 4u); }`,
    )}
    workgroupBarrier();
    for (var four = 0u; four < min(${fours}u, (sizes.channels - begin) / 4u); four++) {
      ${addFours(
        form,
        (j, q) => inTile(filters, `(4u * four + ${j}u)`, 'lane', q),
        (i) => `patchTile[${place(`(line + ${DOWN * i}u)`, 'four')}]`,
      )}
    }
    workgroupBarrier();
  }
  `,
  };
}

/** Patches [positions, size * size * channels], which are read in the images, times filters [size * size * channels, columns]. */
const program = remembered((form: Form): Program => {
  const { size, rows, quads, across, wideIn, wide, kind } = form;
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
  const form = { ...block, size, across, wideIn, wide, kind };
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
