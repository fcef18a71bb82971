import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { type Program, read, remembered, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { flatGroups, groupMain, sumOfGroup } from './wgsl';

/*
 * y = (x + offset) M, M = diag(exp(logScale)) W; inverse: y = x M - offset, M = W diag(exp(-logScale)).
 *
 * Products in tiles of 64 rows and `width` channels. Each invocation computes 4 x 4 values, and channels come in quads.
 */

/** Rows of a tile. */
const ROWS = 64;
/** Places of the inner sum that a tile holds at once. */
const DEPTH = 16;
/** Examples whose log-determinant one workgroup writes. */
const EXAMPLES = 4096;
/** Rows that a part of the gradient's sums is worth. */
const PART_ROWS = 256;
/** Parts of the gradient's sums, at most, and values of all of them. */
const MOST_PARTS = 256;
const MOST_PART_VALUES = 2 ** 20;

type Weight = 'offset' | 'logScale' | 'matrix';
type Call<Inputs extends string> = KernelCall<Record<Inputs | Weight, TensorInfo>, { inverse: boolean }>;

/** What the code of a program depends on. */
interface Form {
  inverse: boolean;
  /** Channels of a tile: 16, 32 or 64. */
  width: number;
  /** Whether rows begin at a whole quad. */
  whole: boolean;
}

function formOf(channels: number, inverse: boolean): Form {
  return { inverse, width: channels <= 16 ? 16 : channels <= 32 ? 32 : 64, whole: channels % 4 === 0 };
}

function keyOf(name: string, { inverse, width, whole }: Form): string {
  return `${name}${inverse ? ' back' : ''} ${width}${whole ? ' whole' : ''}`;
}

/** Type of a buffer of rows. */
function rowsOf({ whole }: Form): string {
  return whole ? 'vec4f' : 'f32';
}

/** Invocations of a workgroup. */
function groupSize({ width }: Form): number {
  return 4 * width;
}

/** `NAMEQuad(row, quad)`: four channels of a row, zeros beyond the last one. The row must be there. */
function readQuad(name: string, { whole }: Form): string {
  const inside = whole
    ? `return ${name}[row * (sizes.channels / 4u) + quad];`
    : `var result = vec4f();
  for (var i = 0u; i < min(4u, sizes.channels - 4u * quad); i++) { result[i] = ${name}[row * sizes.channels + 4u * quad + i]; }
  return result;`;
  return `
fn ${name}Quad(row: u32, quad: u32) -> vec4f {
  if (4u * quad >= sizes.channels) { return vec4f(); }
  ${inside}
}`;
}

/** `NAMEStore(row, quad, four)`: four channels of a row, as far as they are there. */
function storeQuad(name: string, { whole }: Form): string {
  const inside = whole
    ? `${name}[row * (sizes.channels / 4u) + quad] = four;`
    : `for (var i = 0u; i < min(4u, sizes.channels - 4u * quad); i++) { ${name}[row * sizes.channels + 4u * quad + i] = four[i]; }`;
  return `
fn ${name}Store(row: u32, quad: u32, four: vec4f) {
  if (4u * quad >= sizes.channels) { return; }
  ${inside}
}`;
}

/** Four entries of a vector of channels, zeros beyond the last one. */
function channelQuad(name: string): string {
  return `
fn ${name}At(channel: u32) -> f32 {
  if (channel >= sizes.channels) { return 0f; }
  return ${name}[channel];
}
fn ${name}Quad(quad: u32) -> vec4f {
  return vec4f(${[0, 1, 2, 3].map((i) => `${name}At(4u * quad + ${i}u)`).join(', ')});
}`;
}

/** Code for each of four rows, as no compiler is to be trusted to take a loop of them apart. */
function four(line: (i: number) => string): string {
  return [0, 1, 2, 3].map(line).join('\n  ');
}

/** Quads of each of two tiles in a workgroup's memory. */
const TILE = (ROWS * DEPTH) / 4;

const TILES = `
var<workgroup> leftTile: array<vec4f, ${TILE}>;
var<workgroup> rightTile: array<vec4f, ${TILE}>;`;

/**
 * `multiply(firstRow, firstQuad, local)`: a tile of rows times a square matrix.
 *
 * @param left quad `quad` of row `row`
 * @param right writes the matrix' tile from row `k` and quad `firstQuad` on, place `at`
 * @param store takes a sum, quad `quad` of row `row`
 */
function multiply(form: Form, left: string, right: string, store: (sum: string) => string): string {
  const quads = form.width / 4;
  const size = groupSize(form);
  return `
fn multiply(firstRow: u32, firstQuad: u32, local: u32) {
  let column = local % ${quads}u;
  let place = 4u * (local / ${quads}u);
  ${four((i) => `var sum${i} = vec4f();`)}
  for (var k = 0u; k < sizes.channels; k += ${DEPTH}u) {
    workgroupBarrier();
    for (var at = local; at < ${TILE}u; at += ${size}u) {
      let row = firstRow + at / ${DEPTH / 4}u;
      let quad = k / 4u + at % ${DEPTH / 4}u;
      var value = vec4f();
      if (row < sizes.rows) { value = ${left}; }
      leftTile[at] = value;
    }
    for (var at = local; at < ${DEPTH * quads}u; at += ${size}u) {
      ${right}
    }
    workgroupBarrier();
    for (var quad = 0u; quad < ${DEPTH / 4}u; quad++) {
      let at = 4u * quad * ${quads}u + column;
      ${four((i) => `let right${i} = rightTile[at + ${i * quads}u];`)}
      ${four(
        (i) => `let value${i} = leftTile[(place + ${i}u) * ${DEPTH / 4}u + quad];
      sum${i} += value${i}.x * right0 + value${i}.y * right1 + value${i}.z * right2 + value${i}.w * right3;`,
      )}
    }
  }
  let quad = firstQuad + column;
  var row = firstRow + place;
  ${four((i) => `if (row < sizes.rows) { ${store(`sum${i}`)} } row++;`)}
}`;
}

/** Quads of M, by the order of its rows. */
function matrixTile({ inverse, width }: Form): string {
  const quads = width / 4;
  const scale = inverse ? 'exp(-logScaleQuad(quad))' : 'exp(logScale[row])';
  return `let row = k + at / ${quads}u;
      let quad = firstQuad + at % ${quads}u;
      var value = vec4f();
      if (row < sizes.channels) { value = matrixQuad(row, quad) * ${scale}; }
      rightTile[at] = value;`;
}

/** Four entries of a column of W, zeros beyond the last one. */
const COLUMN_QUAD = `
fn entryAt(row: u32, column: u32) -> f32 {
  if (row >= sizes.channels) { return 0f; }
  return matrix[row * sizes.channels + column];
}
fn columnQuad(column: u32, quad: u32) -> vec4f {
  return vec4f(${[0, 1, 2, 3].map((i) => `entryAt(4u * quad + ${i}u, column)`).join(', ')});
}`;

/** Quads of M transposed; invocations beside each other read beside each other. */
function transposedTile({ inverse, width }: Form): string {
  const quads = width / 4;
  const scale = inverse ? 'exp(-logScale[row])' : 'exp(logScaleQuad(quad))';
  return `let row = k + at % ${DEPTH}u;
      let quad = firstQuad + at / ${DEPTH}u;
      var value = vec4f();
      if (row < sizes.channels) { value = columnQuad(row, quad) * ${scale}; }
      rightTile[(at % ${DEPTH}u) * ${quads}u + at / ${DEPTH}u] = value;`;
}

const TILE_SIZES = ['rows: u32', 'channels: u32', 'tiles: u32'];

/** How many workgroups compute tiles of the rows, `across` of them side by side. */
const placeOfTile = ({ width }: Form) => `
  let across = (sizes.channels + ${width - 1}u) / ${width}u;
  let firstRow = thing / across * ${ROWS}u;
  let firstQuad = thing % across * ${width / 4}u;`;

const forward = remembered((form: Form): Program => {
  const rows = rowsOf(form);
  const { inverse } = form;
  return {
    key: keyOf('scaledLinear', form),
    buffers: {
      input: read(rows),
      offset: read(),
      logScale: read(),
      matrix: read(rows),
      ofMatrix: read(),
      value: write(rows),
      logDet: write(),
    },
    sizes: [...TILE_SIZES, 'examples: u32', 'positions: f32'],
    code: () => {
      const left = inverse ? 'inputQuad(row, quad)' : 'inputQuad(row, quad) + offsetQuad(quad)';
      const stored = (sum: string) =>
        `valueStore(row, quad, ${inverse ? `${sum} - offsetQuad(quad)` : sum});`;
      const helpers = ['offset', 'logScale'].map(channelQuad).join('');
      return `${TILES}${sumOfGroup(groupSize(form))}${helpers}
${['input', 'matrix'].map((name) => readQuad(name, form)).join('')}${storeQuad('value', form)}
${multiply(form, left, matrixTile(form), stored)}
${groupMain(
  `
  if (thing < sizes.tiles) {${placeOfTile(form)}
    multiply(firstRow, firstQuad, local);
    return;
  }
  var sum = 0f;
  for (var at = local; at < sizes.channels; at += ${groupSize(form)}u) { sum += logScale[at]; }
  let perExample = ${inverse ? '-' : ''}sizes.positions * (ofMatrix[0] + sumOfGroup(local, sum));
  let first = (thing - sizes.tiles) * ${EXAMPLES}u;
  for (var at = first + local; at < min(first + ${EXAMPLES}u, sizes.examples); at += ${groupSize(form)}u) { logDet[at] = perExample; }`,
  groupSize(form),
)}`;
    },
  };
});

/**
 * The gradient in x, and parts [part, c + 1, c] of sums over the rows: (x + offset)^T dy and behind it the sum of dy, in the inverse
 * dy^T x.
 */
const gradient = remembered((form: Form): Program => {
  const rows = rowsOf(form);
  const { inverse, width } = form;
  const quads = width / 4;
  const slices = 64 / width;
  const atOnce = TILE / quads;
  const x = inverse ? 'inputQuad(row, quad)' : 'inputQuad(row, quad) + offsetQuad(quad)';
  const [left, right] = inverse ? ['dyQuad(row, quad)', x] : [x, 'dyQuad(row, quad)'];
  return {
    key: keyOf('scaledLinearGradient', form),
    buffers: {
      dy: read(rows),
      input: read(rows),
      offset: read(),
      logScale: read(),
      matrix: read(),
      dx: write(rows),
      parts: write(rows),
    },
    sizes: [...TILE_SIZES, 'rowsOfPart: u32'],
    code: () => `${TILES}${COLUMN_QUAD}${['offset', 'logScale'].map(channelQuad).join('')}
${['dy', 'input'].map((name) => readQuad(name, form)).join('')}${['dx', 'parts'].map((name) => storeQuad(name, form)).join('')}
${multiply(form, 'dyQuad(row, quad)', transposedTile(form), (sum) => `dxStore(row, quad, ${sum});`)}
fn sumRows(part: u32, firstLeft: u32, firstRight: u32, local: u32) {
  let slice = local / ${quads * quads}u;
  let leftQuad = local / ${quads}u % ${quads}u;
  let rightQuad = local % ${quads}u;
  let end = min((part + 1u) * sizes.rowsOfPart, sizes.rows);
  ${four((i) => `var sum${i} = vec4f();`)}
  var sumOfDy = vec4f();
  for (var first = part * sizes.rowsOfPart; first < end; first += ${atOnce}u) {
    workgroupBarrier();
    for (var at = local; at < ${TILE}u; at += ${groupSize(form)}u) {
      let row = first + at / ${quads}u;
      leftTile[at] = vec4f();
      rightTile[at] = vec4f();
      if (row < end) {
        var quad = firstLeft + at % ${quads}u;
        leftTile[at] = ${left};
        quad = firstRight + at % ${quads}u;
        rightTile[at] = ${right};
      }
    }
    workgroupBarrier();
    for (var row = slice; row < ${atOnce}u; row += ${slices}u) {
      let value = leftTile[row * ${quads}u + leftQuad];
      let other = rightTile[row * ${quads}u + rightQuad];
      ${four((i) => `sum${i} += value[${i}] * other;`)}
      sumOfDy += ${inverse ? 'value' : 'other'};
    }
  }
  let before = (part * ${slices}u + slice) * (sizes.channels + 1u);
  var row = 4u * (firstLeft + leftQuad);
  ${four((i) => `if (row < sizes.channels) { partsStore(before + row, firstRight + rightQuad, sum${i}); } row++;`)}
  if (${inverse ? 'firstRight + rightQuad' : 'firstLeft + leftQuad'} == 0u) {
    partsStore(before + sizes.channels, ${inverse ? 'firstLeft + leftQuad' : 'firstRight + rightQuad'}, sumOfDy);
  }
}
${groupMain(
  `${placeOfTile(form)}
  if (thing < sizes.tiles) {
    multiply(firstRow, firstQuad, local);
    return;
  }
  let tile = thing - sizes.tiles;
  let part = tile / (across * across);
  if (part * sizes.rowsOfPart >= sizes.rows) { return; }
  sumRows(part, tile / across % across * ${quads}u, tile % across * ${quads}u, local);`,
  groupSize(form),
)}`,
  };
});

/** Gradients of the weights from the parts: one workgroup for each of logScale's. */
const reduction = remembered((form: Form): Program => {
  const { inverse, width } = form;
  const strips = 256 / width;
  return {
    key: keyOf('scaledLinearSums', { ...form, whole: true }),
    buffers: {
      partial: read(),
      logScale: read(),
      matrix: read(),
      dLogDet: read(),
      dOffset: write(),
      dLogScale: write(),
      dMatrix: write(),
      dOfMatrix: write(),
    },
    sizes: ['channels: u32', 'parts: u32', 'examples: u32', 'positions: f32'],
    code: () => `${sumOfGroup(256, 256, 'vec3f')}
var<workgroup> strips: array<vec2f, 256>;
${groupMain(`
  let channels = sizes.channels;
  if (thing >= channels) { return; }
  let factor = exp(${inverse ? '-' : ''}logScale[thing]);
  var ofScale = 0f;
  var ofOffset = 0f;
  for (var first = 0u; first < channels; first += ${width}u) {
    let other = first + local % ${width}u;
    var sum = vec2f();
    if (other < channels) {
      for (var part = local / ${width}u; part < sizes.parts; part += ${strips}u) {
        let before = part * (channels + 1u);
        sum += vec2f(partial[(before + thing) * channels + other], partial[(before + channels) * channels + other]);
      }
    }
    workgroupBarrier();
    strips[local] = sum;
    workgroupBarrier();
    if (local < ${width}u && other < channels) {
      for (var strip = 1u; strip < ${strips}u; strip++) { sum += strips[strip * ${width}u + local]; }
      let at = ${inverse ? 'other * channels + thing' : 'thing * channels + other'};
      dMatrix[at] = factor * sum.x;
      ofScale += matrix[at] * sum.x;
      ofOffset += ${inverse ? 'select(0f, -sum.y, other == thing)' : 'factor * matrix[at] * sum.y'};
    }
  }
  var given = 0f;
  for (var at = local; at < sizes.examples; at += 256u) { given += dLogDet[at]; }
  let sums = sumOfGroup(local, vec3f(ofScale, ofOffset, given));
  if (local > 0u) { return; }
  let ofLogDet = ${inverse ? '-' : ''}sizes.positions * sums.z;
  dOffset[thing] = sums.y;
  dLogScale[thing] = ${inverse ? '-' : ''}factor * sums.x + ofLogDet;
  if (thing == 0u) { dOfMatrix[0] = ofLogDet; }`)}`,
  };
});

/** What the programs count: rows, channels, tiles of the rows, examples and their positions. */
function countsOf({ shape }: TensorInfo, { width }: Form) {
  const channels = shape[shape.length - 1];
  const rows = util.sizeFromShape(shape) / channels;
  const across = Math.ceil(channels / width);
  const [examples] = shape;
  return {
    rows,
    channels,
    across,
    tiles: Math.ceil(rows / ROWS) * across,
    examples,
    positions: examples === 0 ? 0 : rows / examples,
  };
}

function scaledLinear({ inputs, attrs, gpu }: Call<'input' | 'logDet'>): TensorInfo[] {
  const { input, offset, logScale, matrix, logDet: ofMatrix } = inputs;
  const form = formOf(logScale.shape[0], attrs.inverse);
  const { rows, channels, tiles, examples, positions } = countsOf(input, form);
  const outputs = [input.shape, [examples]].map((shape) => gpu.output(shape));
  const groups = flatGroups(tiles + Math.ceil(examples / EXAMPLES), 1);
  const buffers = [input, offset, logScale, matrix, ofMatrix, ...outputs];
  gpu.run(forward(form), buffers, groups, [rows, channels, tiles, examples, positions]);
  return outputs;
}

function scaledLinearGradient(call: Call<'dy' | 'dLogDet' | 'input'>): TensorInfo[] {
  const { inputs, attrs, gpu } = call;
  const { dy, dLogDet, input, offset, logScale, matrix } = inputs;
  const form = formOf(logScale.shape[0], attrs.inverse);
  const { rows, channels, across, tiles, examples, positions } = countsOf(input, form);
  const [dx, ...ofWeights] = [input.shape, offset.shape, logScale.shape, matrix.shape, []].map((shape) =>
    gpu.output(shape),
  );
  const slices = 64 / form.width;
  const valuesOfPart = slices * (channels + 1) * channels;
  const most = Math.max(1, Math.min(MOST_PARTS / slices, Math.floor(MOST_PART_VALUES / valuesOfPart)));
  const rowsOfPart = Math.ceil(Math.max(rows / most, PART_ROWS) / ROWS) * ROWS;
  const parts = Math.ceil(rows / rowsOfPart);
  gpu.withScratch([parts * valuesOfPart], (room) => {
    const groups = flatGroups(tiles + parts * across * across, 1);
    const buffers = [dy, input, offset, logScale, matrix, dx, room];
    gpu.run(gradient(form), buffers, groups, [rows, channels, tiles, rowsOfPart]);
    const counts = [channels, parts * slices, examples, positions];
    gpu.run(
      reduction(form),
      [room, logScale, matrix, dLogDet, ...ofWeights],
      flatGroups(channels, 1),
      counts,
    );
  });
  return [dx, ...ofWeights];
}

/** FlowScaledLinear and its gradient. */
export function registerScaledLinear(): void {
  registerGpuKernel('FlowScaledLinear', scaledLinear);
  registerGpuKernel('FlowScaledLinearGradient', scaledLinearGradient);
}
