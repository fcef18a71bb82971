import type { Activation } from '../layers/networks/activations';
import { activationOf } from './activations';
import { GATES, LAYER_AT, SIGMOID } from './perceptronLayout';
import { type Buffer, type Program, read, write } from './program';
import { FLAT, flatMain, groupMain } from './wgsl';

/*
 * A workgroup takes a few rows through all layers, forward or back; what a row's layers read and give lies in its record. As the weights
 * of a perceptron are more tensors than a program may bind, they are packed into one first: masked, and turned for the way back.
 */

/** Rows of a workgroup. */
export const TILE_ROWS = 8;
/** Columns that it computes at once, each by as many invocations as there are shares of what is summed. */
const COLUMNS = 64;
const SHARES = FLAT / COLUMNS;
/** What is summed over at once. */
const DEPTH = 128;

/** Layers whose weights one program reads, and whose gradients one writes: two tensors of each. */
export const MOST_LAYERS = 3;

/** Numbered buffers: two for each of some layers. */
function ofLayers(count: number, access: () => Buffer): Record<string, Buffer> {
  const names = Array.from({ length: count }, (_, i) => [`kernel${i}`, `bias${i}`]).flat();
  return Object.fromEntries(names.map((name) => [name, access()]));
}

/** What `code` says for each of some layers, `which` being the number of the present one. */
function forLayer(count: number, code: (i: number) => string): string {
  return `switch which {${Array.from({ length: count }, (_, i) => `case ${i}${i === 0 ? ', default' : ''}: { ${code(i)} }`).join(' ')}}`;
}

/** Kernels and biases of some layers, masked, into one buffer, the kernels once more turned where there is `turned`. */
export function packing(count: number, masked: boolean): Program {
  return {
    key: `perceptronPacking ${count} ${masked}`,
    buffers: { ...ofLayers(count, read), constants: read('u32'), packed: write() },
    sizes: ['first: u32', 'turned: u32'],
    code: () => `${LAYER_AT}
${flatMain(`
  var rest = at;
  for (var which = 0u; which < ${count}u; which++) {
    let layer = layerAt(sizes.first + which);
    let weights = layer.inputs * layer.outputs;
    if (rest < weights) {
      var weight = 0f;
      ${forLayer(count, (i) => `weight = kernel${i}[rest];`)}
      ${masked ? 'if (layer.mask != nowhere && constants[layer.mask + rest] == 0u) { weight = 0f; }' : ''}
      packed[layer.kernel + rest] = weight;
      if (sizes.turned != 0u) { packed[layer.turned + rest % layer.outputs * layer.inputs + rest / layer.outputs] = weight; }
      return;
    }
    rest -= weights;
    if (rest < layer.outputs) {
      ${forLayer(count, (i) => `packed[layer.bias + rest] = bias${i}[rest];`)}
      return;
    }
    rest -= layer.outputs;
  }`)}`,
  };
}

/**
 * `multiply(local, base, source, depth, weights, columns, first)`: from records at `base`, the sums of `depth` values at `source` times
 * weights [depth, columns], for the column first + local % 64 and two rows, the first being `rowOf(local)`. To be met by all invocations.
 */
const MULTIPLY = `
var<workgroup> tile: array<vec4f, ${(DEPTH * TILE_ROWS) / 4}>;
var<workgroup> sums: array<vec4f, ${FLAT * 2}>;

fn rowOf(local: u32) -> u32 { return local / ${COLUMNS}u * 2u; }

fn multiply(local: u32, base: u32, source: u32, depth: u32, weights: u32, columns: u32, first: u32) -> vec2f {
  let lane = local % ${COLUMNS}u;
  let share = local / ${COLUMNS}u;
  let column = first + lane;
  var low = vec4f();
  var high = vec4f();
  for (var begin = 0u; begin < depth; begin += ${DEPTH}u) {
    let count = min(${DEPTH}u, depth - begin);
    workgroupBarrier();
    for (var i = local; i < 2u * count; i += ${FLAT}u) {
      let half = u32(i >= count);
      let k = i - half * count;
      let at = base + 4u * half * sizes.record + source + begin + k;
      tile[2u * k + half] = vec4f(records[at], records[at + sizes.record], records[at + 2u * sizes.record], records[at + 3u * sizes.record]);
    }
    workgroupBarrier();
    if (column < columns) {
      var at = weights + (begin + share) * columns + column;
      for (var k = share; k < count; k += ${SHARES}u) {
        let weight = packed[at];
        low += weight * tile[2u * k];
        high += weight * tile[2u * k + 1u];
        at += ${SHARES}u * columns;
      }
    }
  }
  sums[2u * share * ${COLUMNS}u + lane] = low;
  sums[(2u * share + 1u) * ${COLUMNS}u + lane] = high;
  workgroupBarrier();
  let at = share / 2u * ${COLUMNS}u + lane;
  let four = sums[at] + sums[at + ${2 * COLUMNS}u] + sums[at + ${4 * COLUMNS}u] + sums[at + ${6 * COLUMNS}u];
  return select(four.xy, four.zw, share % 2u == 1u);
}`;

/** An entry that goes through all tiles of rows: `base` is where the records of one begin, `first` its first row. */
function tilesMain(body: string): string {
  return `
@compute @workgroup_size(${FLAT})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  for (var number = group.x; number * ${TILE_ROWS}u < sizes.rows; number += groups.x) {
    let first = number * ${TILE_ROWS}u;
    let base = number % sizes.slots * ${TILE_ROWS}u * sizes.record;
    ${body}
  }
}`;
}

/** Goes over `columns` columns of all rows of a tile: `row` within the tile, `column`, and `at` where the row's record begins. */
function overTile(columns: string, body: string): string {
  return `
    for (var i = local; i < ${TILE_ROWS}u * ${columns}; i += ${FLAT}u) {
      let row = i / ${columns};
      let column = i % ${columns};
      let at = base + row * sizes.record;
      ${body}
    }`;
}

/** Goes over two rows of a column of a layer's product, as `multiply` gives them. */
function overSums(layer: Record<'source' | 'depth' | 'weights' | 'columns', string>, body: string): string {
  const { source, depth, weights, columns } = layer;
  return `
      for (var start = 0u; start < ${columns}; start += ${COLUMNS}u) {
        let two = multiply(local, base, ${source}, ${depth}, ${weights}, ${columns}, start);
        let column = start + local % ${COLUMNS}u;
        if (column < ${columns}) {
          for (var r = 0u; r < 2u; r++) {
            let row = rowOf(local) + r;
            let at = base + row * sizes.record;
            var value = two[r];
            ${body}
          }
        }
      }`;
}

const SIZES = [
  'rows: u32',
  'slots: u32',
  'record: u32',
  'layers: u32',
  'columns: u32',
  'values: u32',
  'context: u32',
];

/** What the context is bound as, where there is one. */
const ofContext = (bound: boolean, name: string, buffer: Buffer) => (bound ? { [name]: buffer } : {});

/** What differs between perceptrons in code. */
export interface Variant {
  activation: Activation;
  /** Whether there is a context. */
  context: boolean;
}

/** Tensors that results are dropped by, as many as a program may bind; of more the values lie side by side in one. */
export const MOST_DROPOUTS = 2;

/** Rows through all layers. */
export function forward({ activation, context }: Variant, dropouts: number): Program {
  const joined = dropouts > MOST_DROPOUTS;
  const names = Array.from({ length: joined ? 1 : dropouts }, (_, i) => `dropout${i + 1}`);
  return {
    key: `perceptron ${activation} ${context} ${joined ? 'joined' : dropouts}`,
    buffers: {
      x: read(),
      ...ofContext(context, 'context', read()),
      packed: read(),
      constants: read('u32'),
      ...Object.fromEntries(names.map((name) => [name, read()])),
      records: write(),
      output: write(),
    },
    sizes: SIZES,
    code: () => `${LAYER_AT}${activationOf(activation)}${MULTIPLY}
${tilesMain(`
    ${overTile(
      'sizes.values',
      'records[at + column] = select(0f, x[(first + row) * sizes.columns + column], first + row < sizes.rows);',
    )}
    ${
      context
        ? overTile(
            'sizes.context',
            'records[at + sizes.values + column] = select(0f, context[(first + row) * sizes.context + column], first + row < sizes.rows);',
          )
        : ''
    }
    for (var i = 0u; i < sizes.layers; i++) {
      let layer = layerAt(i);
      storageBarrier();
      ${overSums(
        { source: 'layer.source', depth: 'layer.inputs', weights: 'layer.kernel', columns: 'layer.outputs' },
        `value += packed[layer.bias + column];
            if (layer.contextUse != 0u) {
              let other = records[at + layer.context + column];
              if (layer.contextUse == ${GATES}u) {
                records[at + layer.product + column] = value;
                value *= other;
              } else {
                value += other;
              }
            }
            if (layer.skip != nowhere) { value += records[at + layer.skip + column]; }
            if (layer.result == nowhere) {
              if (first + row < sizes.rows) { output[(first + row) * layer.outputs + column] = value; }
              continue;
            }
            records[at + layer.result + column] = value;
            if (layer.read == nowhere) { continue; }
            if (layer.activation == ${SIGMOID}u) {
              value = sigmoid(value);
            } else if (layer.activation != 0u) {
              value = activate(value);
            }
            ${
              dropouts === 0
                ? ''
                : `if (layer.dropout != 0u) {
              let place = ${joined ? 'layer.dropoutsBefore * sizes.rows + ' : ''}(first + row) * layer.outputs + column;
              var share = 0f;
              ${names.map((name, i) => `if (${joined ? '' : `layer.dropout == ${i + 1}u && `}first + row < sizes.rows) { share = ${name}[place]; }`).join('\n')}
              records[at + layer.share + column] = share;
              value *= share;
            }`
            }
            records[at + layer.read + column] = value;`,
      )}
    }
    workgroupBarrier();`)}`,
  };
}

/** Rows back through all layers: gradients by every product into the records, and those by x and the context. */
export function backward({ activation, context }: Variant, drops: boolean): Program {
  const place = (width: string) => `(first + row) * ${width} + column`;
  return {
    key: `perceptronGradient ${activation} ${context} ${drops}`,
    buffers: {
      dy: read(),
      packed: read(),
      constants: read('u32'),
      records: write(),
      dx: write(),
      ...ofContext(context, 'dContext', write()),
    },
    sizes: [...SIZES, 'inputGradient: u32'],
    code: () => `${LAYER_AT}${activationOf(activation)}${MULTIPLY}
fn slopeOf(activation: u32, x: f32) -> f32 {
  if (activation == 0u) { return 1f; }
  if (activation == ${SIGMOID}u) { return sigmoid(x) * sigmoid(-x); }
  return slopeAt(x);
}
${tilesMain(`
    let last = layerAt(sizes.layers - 1u);
    ${overTile('last.outputs', `records[at + last.gradient + column] = select(0f, dy[${place('last.outputs')}], first + row < sizes.rows);`)}
    ${overTile('(sizes.values + sizes.context)', 'records[at + sizes.inputGradient + column] = 0f;')}
    for (var i = sizes.layers; i > 0u; i--) {
      let layer = layerAt(i - 1u);
      storageBarrier();
      if (layer.skip != nowhere || layer.contextUse != 0u) {
        ${overTile(
          'layer.outputs',
          `var gradient = records[at + layer.gradient + column];
          if (layer.skip != nowhere) {
            let there = at + layer.skipGradient + column;
            if (layer.skipAdds != 0u) { records[there] += gradient; } else { records[there] = gradient; }
          }
          if (layer.contextUse != 0u) {
            var other = gradient;
            if (layer.contextUse == ${GATES}u) {
              other *= records[at + layer.product + column];
              gradient *= records[at + layer.context + column];
              records[at + layer.gradient + column] = gradient;
            }
            records[at + layer.contextGradient + column] = other * slopeOf(layer.contextActivation, records[at + layer.contextResult + column]);
          }`,
        )}
        storageBarrier();
      }
      ${overSums(
        {
          source: 'layer.gradient',
          depth: 'layer.outputs',
          weights: 'layer.turned',
          columns: 'layer.inputs',
        },
        `${drops ? 'if (layer.sourceShare != nowhere) { value *= records[at + layer.sourceShare + column]; }' : ''}
            if (layer.sourceActivation != 0u) { value *= slopeOf(layer.sourceActivation, records[at + layer.sourceResult + column]); }
            let there = at + layer.sourceGradient + column;
            if (layer.sourceAdds != 0u) { value += records[there]; }
            records[there] = value;`,
      )}
    }
    storageBarrier();
    ${overTile(
      'sizes.columns',
      `if (first + row < sizes.rows) {
        dx[${place('sizes.columns')}] = select(0f, records[at + sizes.inputGradient + column], column < sizes.values);
      }`,
    )}
    ${
      context
        ? overTile(
            'sizes.context',
            `if (first + row < sizes.rows) {
        dContext[${place('sizes.context')}] = records[at + sizes.inputGradient + sizes.values + column];
      }`,
          )
        : ''
    }
    workgroupBarrier();`)}`,
  };
}

/** Sides of the part of a weight's gradient that a workgroup sums, and rows that it takes at once. */
const SIDE = 16;
const ROWS = 64;

/** Workgroups for a layer's gradients; the bias stands below the weights, as if one more input were 1. */
export function gradientTiles({ inputs, outputs }: { inputs: number; outputs: number }): number {
  return Math.ceil((inputs + 1) / SIDE) * Math.ceil(outputs / SIDE);
}

/** Gradients in kernels and biases of some layers, from the records. */
export function weightGradients(count: number, masked: boolean): Program {
  return {
    key: `perceptronWeightGradients ${count} ${masked}`,
    buffers: { records: read(), constants: read('u32'), ...ofLayers(count, write) },
    sizes: ['rows: u32', 'record: u32', 'first: u32'],
    code: () => `${LAYER_AT}
var<workgroup> left: array<vec2f, ${(SIDE * ROWS) / 2}>;
var<workgroup> right: array<vec2f, ${(SIDE * ROWS) / 2}>;
var<workgroup> sums: array<vec4f, ${FLAT}>;
${groupMain(`
  var which = 0u;
  var tile = thing;
  var layer = layerAt(sizes.first);
  while (which < ${count - 1}u) {
    let tiles = (layer.inputs + ${SIDE}u) / ${SIDE}u * ((layer.outputs + ${SIDE - 1}u) / ${SIDE}u);
    if (tile < tiles) { break; }
    tile -= tiles;
    which++;
    layer = layerAt(sizes.first + which);
  }
  let across = (layer.outputs + ${SIDE - 1}u) / ${SIDE}u;
  let firstInput = tile / across * ${SIDE}u;
  let firstOutput = tile % across * ${SIDE}u;
  let lane = local % 64u;
  let share = local / 64u;
  var four = vec4f();
  for (var begin = 0u; begin < sizes.rows; begin += ${ROWS}u) {
    workgroupBarrier();
    for (var i = local; i < ${(SIDE * ROWS) / 2}u; i += ${FLAT}u) {
      let row = begin + i / ${SIDE / 2}u;
      let at = row * sizes.record;
      let input = firstInput + i % ${SIDE / 2}u * 2u;
      let output = firstOutput + i % ${SIDE / 2}u * 2u;
      var a = vec2f();
      var b = vec2f();
      if (row < sizes.rows) {
        for (var j = 0u; j < 2u; j++) {
          if (input + j < layer.inputs) {
            a[j] = records[at + layer.source + input + j];
          } else if (input + j == layer.inputs) {
            a[j] = 1f;
          }
          if (output + j < layer.outputs) { b[j] = records[at + layer.gradient + output + j]; }
        }
      }
      left[i] = a;
      right[i] = b;
    }
    workgroupBarrier();
    for (var row = share; row < ${ROWS}u; row += 4u) {
      let a = left[row * ${SIDE / 2}u + lane / 8u];
      let b = right[row * ${SIDE / 2}u + lane % 8u];
      four += vec4f(a.x * b, a.y * b);
    }
  }
  sums[local] = four;
  workgroupBarrier();
  if (share == 0u) {
    four = sums[lane] + sums[lane + 64u] + sums[lane + 128u] + sums[lane + 192u];
    for (var j = 0u; j < 4u; j++) {
      let input = firstInput + lane / 8u * 2u + j / 2u;
      let output = firstOutput + lane % 8u * 2u + j % 2u;
      if (input > layer.inputs || output >= layer.outputs) { continue; }
      if (input == layer.inputs) {
        ${forLayer(count, (i) => `bias${i}[output] = four[j];`)}
        continue;
      }
      let at = input * layer.outputs + output;
      var value = four[j];
      ${masked ? 'if (layer.mask != nowhere && constants[layer.mask + at] == 0u) { value = 0f; }' : ''}
      ${forLayer(count, (i) => `kernel${i}[at] = value;`)}
    }
  }`)}`,
  };
}
