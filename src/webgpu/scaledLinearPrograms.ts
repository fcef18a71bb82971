import { type Program, read, remembered, write } from './program';
import {
  COLUMN_QUAD,
  channelQuad,
  type Form,
  four,
  groupSize,
  keyOf,
  matrixTile,
  multiply,
  placeOfTile,
  readQuad,
  rowsOf,
  storeQuad,
  TILE,
  TILE_SIZES,
  TILES,
  transposedTile,
} from './scaledLinearTiles';
import { groupMain, sumOfGroup } from './wgsl';

/*
 * y = (x + offset) M, M = diag(exp(logScale)) W; inverse: y = x M - offset, M = W diag(exp(-logScale)).
 */

/** Examples whose log-determinant one workgroup writes. */
export const EXAMPLES = 4096;
export const forward = remembered((form: Form): Program => {
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
export const gradient = remembered((form: Form): Program => {
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
export const reduction = remembered((form: Form): Program => {
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
