/*
 * Products in tiles of 64 rows and `width` channels. Each invocation computes 4 x 4 values, and channels come in quads.
 */

/** Rows of a tile. */
export const ROWS = 64;
/** Places of the inner sum that a tile holds at once. */
const DEPTH = 16;
/** What the code of a program depends on. */
export interface Form {
  inverse: boolean;
  /** Channels of a tile: 16, 32 or 64. */
  width: number;
  /** Whether rows begin at a whole quad. */
  whole: boolean;
}

export function formOf(channels: number, inverse: boolean): Form {
  return { inverse, width: channels <= 16 ? 16 : channels <= 32 ? 32 : 64, whole: channels % 4 === 0 };
}

export function keyOf(name: string, { inverse, width, whole }: Form): string {
  return `${name}${inverse ? ' back' : ''} ${width}${whole ? ' whole' : ''}`;
}

/** Type of a buffer of rows. */
export function rowsOf({ whole }: Form): string {
  return whole ? 'vec4f' : 'f32';
}

/** Invocations of a workgroup. */
export function groupSize({ width }: Form): number {
  return 4 * width;
}

/** `NAMEQuad(row, quad)`: four channels of a row, zeros beyond the last one. The row must be there. */
export function readQuad(name: string, { whole }: Form): string {
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
export function storeQuad(name: string, { whole }: Form): string {
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
export function channelQuad(name: string): string {
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
export function four(line: (i: number) => string): string {
  return [0, 1, 2, 3].map(line).join('\n  ');
}

/** Quads of each of two tiles in a workgroup's memory. */
export const TILE = (ROWS * DEPTH) / 4;

export const TILES = `
var<workgroup> leftTile: array<vec4f, ${TILE}>;
var<workgroup> rightTile: array<vec4f, ${TILE}>;`;

/**
 * `multiply(firstRow, firstQuad, local)`: a tile of rows times a square matrix.
 *
 * @param left quad `quad` of row `row`
 * @param right writes the matrix' tile from row `k` and quad `firstQuad` on, place `at`
 * @param store takes a sum, quad `quad` of row `row`
 */
export function multiply(form: Form, left: string, right: string, store: (sum: string) => string): string {
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
export function matrixTile({ inverse, width }: Form): string {
  const quads = width / 4;
  const scale = inverse ? 'exp(-logScaleQuad(quad))' : 'exp(logScale[row])';
  return `let row = k + at / ${quads}u;
      let quad = firstQuad + at % ${quads}u;
      var value = vec4f();
      if (row < sizes.channels) { value = matrixQuad(row, quad) * ${scale}; }
      rightTile[at] = value;`;
}

/** Four entries of a column of W, zeros beyond the last one. */
export const COLUMN_QUAD = `
fn entryAt(row: u32, column: u32) -> f32 {
  if (row >= sizes.channels) { return 0f; }
  return matrix[row * sizes.channels + column];
}
fn columnQuad(column: u32, quad: u32) -> vec4f {
  return vec4f(${[0, 1, 2, 3].map((i) => `entryAt(4u * quad + ${i}u, column)`).join(', ')});
}`;

/** Quads of M transposed; invocations beside each other read beside each other. */
export function transposedTile({ inverse, width }: Form): string {
  const quads = width / 4;
  const scale = inverse ? 'exp(-logScale[row])' : 'exp(logScaleQuad(quad))';
  return `let row = k + at % ${DEPTH}u;
      let quad = firstQuad + at / ${DEPTH}u;
      var value = vec4f();
      if (row < sizes.channels) { value = columnQuad(row, quad) * ${scale}; }
      rightTile[(at % ${DEPTH}u) * ${quads}u + at / ${DEPTH}u] = value;`;
}

export const TILE_SIZES = ['rows: u32', 'channels: u32', 'tiles: u32'];

/** How many workgroups compute tiles of the rows, `across` of them side by side. */
export const placeOfTile = ({ width }: Form) => `
  let across = (sizes.channels + ${width - 1}u) / ${width}u;
  let firstRow = thing / across * ${ROWS}u;
  let firstQuad = thing % across * ${width / 4}u;`;
