import type { Activation } from '../layers/networks/activations';
import { activationOf } from './activations';
import { GATES, LAYER_AT, SIGMOID } from './perceptronLayout';
import { type Buffer, type Program, read, write } from './program';
import { flatMain, groupMain } from './wgsl';

/*
 * A workgroup takes a few rows through all layers, forward or back; what a row's layers read and give lies in its record. As the weights
 * of a perceptron are more tensors than a program may bind, they are packed into one first: masked, and turned for the way back.
 */

/** Rows of a workgroup. */
export const TILE_ROWS = 8;
/** Invocations of a workgroup: so many quads of columns, each by as many of them as there are shares of what is summed. */
const SIZE = 64;
const SHARES = 4;
const QUADS = SIZE / SHARES;
/** What is summed over at once. */
const DEPTH = 128;

/** Quads of a row of so many floats. */
const QUADS_OF = `
fn quadsOf(floats: u32) -> u32 { return (floats + 3u) / 4u; }`;

/** Lines of code for each of the four places of a quad. */
function fourTimes(line: (place: string, i: number) => string): string {
  return ['x', 'y', 'z', 'w'].map(line).join('\n');
}

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
    code: () => `${LAYER_AT}${QUADS_OF}
${flatMain(`
  var rest = at;
  for (var which = 0u; which < ${count}u; which++) {
    let layer = layerAt(sizes.first + which);
    let weights = layer.inputs * layer.outputs;
    if (rest < weights) {
      var weight = 0f;
      ${forLayer(count, (i) => `weight = kernel${i}[rest];`)}
      ${masked ? 'if (layer.mask != nowhere && constants[layer.mask + rest] == 0u) { weight = 0f; }' : ''}
      let input = rest / layer.outputs;
      let output = rest % layer.outputs;
      packed[4u * (layer.kernel + input * quadsOf(layer.outputs)) + output] = weight;
      if (sizes.turned != 0u) { packed[4u * (layer.turned + output * quadsOf(layer.inputs)) + input] = weight; }
      return;
    }
    rest -= weights;
    if (rest < layer.outputs) {
      ${forLayer(count, (i) => `packed[4u * layer.bias + rest] = bias${i}[rest];`)}
      return;
    }
    rest -= layer.outputs;
  }`)}`,
  };
}

/**
 * `multiply(local, base, source, depth, weights, quads, first)`: from records at `base`, the sums of `depth` values at `source` times
 * weights [depth, quads], for the quad first + local % 16 and two rows, the first being `rowOf(local)`. To be met by all invocations.
 */
const MULTIPLY = `
var<workgroup> tile: array<vec4f, ${(DEPTH * TILE_ROWS) / 4}>;
var<workgroup> sums: array<vec4f, ${SIZE * TILE_ROWS}>;

fn rowOf(local: u32) -> u32 { return local / ${QUADS}u * 2u; }

fn sumOfShares(at: u32) -> vec4f {
  return ${[0, 1, 2, 3].map((share) => `sums[at + ${share * TILE_ROWS * QUADS}u]`).join(' + ')};
}

fn multiply(local: u32, base: u32, source: u32, depth: u32, weights: u32, quads: u32, first: u32) -> array<vec4f, 2> {
  let lane = local % ${QUADS}u;
  let share = local / ${QUADS}u;
  let quad = first + lane;
  ${Array.from({ length: TILE_ROWS }, (_, row) => `var sum${row} = vec4f();`).join('\n')}
  for (var begin = 0u; begin < depth; begin += ${DEPTH}u) {
    let count = min(${DEPTH}u, depth - begin);
    let deep = quadsOf(count);
    workgroupBarrier();
    for (var i = local; i < 2u * deep; i += ${SIZE}u) {
      let half = u32(i >= deep);
      let k = i - half * deep;
      let at = base + 4u * half * sizes.record + source + begin / 4u + k;
      let a = records[at];
      let b = records[at + sizes.record];
      let c = records[at + 2u * sizes.record];
      let d = records[at + 3u * sizes.record];
      ${fourTimes((place, i) => `tile[8u * k + ${2 * i}u + half] = vec4f(a.${place}, b.${place}, c.${place}, d.${place});`)}
    }
    workgroupBarrier();
    if (quad < quads) {
      var at = weights + (begin + share) * quads + quad;
      for (var k = share; k < count; k += ${SHARES}u) {
        let weight = packed[at];
        let low = tile[2u * k];
        let high = tile[2u * k + 1u];
        ${fourTimes((place, row) => `sum${row} += low.${place} * weight;\nsum${row + 4} += high.${place} * weight;`)}
        at += ${SHARES}u * quads;
      }
    }
  }
  let to = share * ${TILE_ROWS * QUADS}u + lane;
  ${Array.from({ length: TILE_ROWS }, (_, row) => `sums[to + ${row * QUADS}u] = sum${row};`).join('\n')}
  workgroupBarrier();
  let at = rowOf(local) * ${QUADS}u + lane;
  return array<vec4f, 2>(sumOfShares(at), sumOfShares(at + ${QUADS}u));
}`;

/** An entry that goes through all tiles of rows: `base` is where the records of one begin, `first` its first row. */
function tilesMain(body: string): string {
  return `
@compute @workgroup_size(${SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  for (var number = group.x; number * ${TILE_ROWS}u < sizes.rows; number += groups.x) {
    let first = number * ${TILE_ROWS}u;
    let base = number % sizes.slots * ${TILE_ROWS}u * sizes.record;
    ${body}
  }
}`;
}

/** Goes over `count` columns or quads of all rows of a tile: `row` within the tile, `i`, and `at` where the row's record begins. */
function overTile(count: string, body: string): string {
  return `
    for (var item = local; item < ${TILE_ROWS}u * ${count}; item += ${SIZE}u) {
      let row = item / ${count};
      let i = item % ${count};
      let at = base + row * sizes.record;
      ${body}
    }`;
}

/** Goes over a quad of two rows of a layer's product, as `multiply` gives them. */
function overSums(layer: Record<'source' | 'depth' | 'weights' | 'columns', string>, body: string): string {
  const { source, depth, weights, columns } = layer;
  return `
      for (var start = 0u; start < quadsOf(${columns}); start += ${QUADS}u) {
        let two = multiply(local, base, ${source}, ${depth}, ${weights}, quadsOf(${columns}), start);
        let quad = start + local % ${QUADS}u;
        if (quad < quadsOf(${columns})) {
          for (var r = 0u; r < 2u; r++) {
            let row = rowOf(local) + r;
            let at = base + row * sizes.record;
            var value = select(two[1], two[0], r == 0u);
            ${body}
          }
        }
      }`;
}

/** `NAMEQuad(row, quad, columns, begin)`: four values of a row of a tensor that begins somewhere, zeros beyond the row's end. */
function quadIn(name: string): string {
  return `
fn ${name}Quad(row: u32, quad: u32, columns: u32, begin: u32) -> vec4f {
  var four = vec4f();
  if (row >= sizes.rows) { return four; }
  let at = begin + row * columns + 4u * quad;
  ${fourTimes((place, i) => `if (4u * quad + ${i}u < columns) { four.${place} = ${name}[at + ${i}u]; }`)}
  return four;
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
  'joined: u32',
  'contextAt: u32',
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
  const shares = joined
    ? 'share = dropout1Quad(first + row, quad, layer.outputs, layer.dropoutsBefore * sizes.rows);'
    : names
        .map(
          (name, i) =>
            `if (layer.dropout == ${i + 1}u) { share = ${name}Quad(first + row, quad, layer.outputs, 0u); }`,
        )
        .join('\n');
  return {
    key: `perceptron ${activation} ${context} ${joined ? 'joined' : dropouts}`,
    buffers: {
      x: read(),
      ...ofContext(context, 'context', read()),
      packed: read('vec4f'),
      constants: read('u32'),
      ...Object.fromEntries(names.map((name) => [name, read()])),
      records: write('vec4f'),
      output: write(),
    },
    sizes: SIZES,
    code: () => `${LAYER_AT}${QUADS_OF}${activationOf(activation, 'vec4f')}${MULTIPLY}
${[...(context ? ['context'] : []), ...names].map(quadIn).join('')}
fn inputAt(row: u32, column: u32) -> f32 {
  if (row >= sizes.rows) { return 0f; }
  if (column < sizes.values) { return x[row * sizes.columns + column]; }
  ${context ? 'if (column < sizes.values + sizes.joined) { return context[row * sizes.context + column - sizes.values]; }' : ''}
  return 0f;
}
${tilesMain(`
    ${overTile(
      'quadsOf(sizes.values + sizes.joined)',
      `records[at + i] = vec4f(${[0, 1, 2, 3].map((k) => `inputAt(first + row, 4u * i + ${k}u)`).join(', ')});`,
    )}
    ${
      context
        ? `if (sizes.contextAt != nowhere) {${overTile(
            'quadsOf(sizes.context)',
            'records[at + sizes.contextAt + i] = contextQuad(first + row, i, sizes.context, 0u);',
          )}}`
        : ''
    }
    for (var i = 0u; i < sizes.layers; i++) {
      let layer = layerAt(i);
      storageBarrier();
      ${overSums(
        { source: 'layer.source', depth: 'layer.inputs', weights: 'layer.kernel', columns: 'layer.outputs' },
        `value += packed[layer.bias + quad];
            if (layer.contextUse != 0u) {
              let other = records[at + layer.context + quad];
              if (layer.contextUse == ${GATES}u) {
                records[at + layer.product + quad] = value;
                value *= other;
              } else {
                value += other;
              }
            }
            if (layer.skip != nowhere) { value += records[at + layer.skip + quad]; }
            if (layer.result == nowhere) {
              if (first + row >= sizes.rows) { continue; }
              let place = (first + row) * layer.outputs + 4u * quad;
              ${fourTimes((k, i) => `if (4u * quad + ${i}u < layer.outputs) { output[place + ${i}u] = value.${k}; }`)}
              continue;
            }
            records[at + layer.result + quad] = value;
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
              var share = vec4f();
              ${shares}
              records[at + layer.share + quad] = share;
              value *= share;
            }`
            }
            records[at + layer.read + quad] = value;`,
      )}
    }
    workgroupBarrier();`)}`,
  };
}

/** Rows back through all layers: gradients by every product into the records, and those by x and the context. */
export function backward({ activation, context }: Variant, drops: boolean): Program {
  return {
    key: `perceptronGradient ${activation} ${context} ${drops}`,
    buffers: {
      dy: read(),
      packed: read('vec4f'),
      constants: read('u32'),
      records: write('vec4f'),
      dx: write(),
      ...ofContext(context, 'dContext', write()),
    },
    sizes: [...SIZES, 'inputGradient: u32', 'contextGradient: u32'],
    code: () => `${LAYER_AT}${QUADS_OF}${activationOf(activation, 'vec4f')}${MULTIPLY}${quadIn('dy')}
fn slopeOf(activation: u32, x: vec4f) -> vec4f {
  if (activation == 0u) { return vec4f(1); }
  if (activation == ${SIGMOID}u) { return sigmoid(x) * sigmoid(-x); }
  return slopeAt(x);
}
${tilesMain(`
    let last = layerAt(sizes.layers - 1u);
    let inputs = quadsOf(sizes.values + sizes.joined) + select(0u, quadsOf(sizes.context), sizes.contextAt != nowhere);
    ${overTile('quadsOf(last.outputs)', 'records[at + last.gradient + i] = dyQuad(first + row, i, last.outputs, 0u);')}
    ${overTile('inputs', 'records[at + sizes.inputGradient + i] = vec4f();')}
    for (var number = sizes.layers; number > 0u; number--) {
      let layer = layerAt(number - 1u);
      storageBarrier();
      if (layer.skip != nowhere || layer.contextUse != 0u) {
        ${overTile(
          'quadsOf(layer.outputs)',
          `var gradient = records[at + layer.gradient + i];
          if (layer.skip != nowhere) {
            let there = at + layer.skipGradient + i;
            if (layer.skipAdds != 0u) { records[there] += gradient; } else { records[there] = gradient; }
          }
          if (layer.contextUse != 0u) {
            var other = gradient;
            if (layer.contextUse == ${GATES}u) {
              other *= records[at + layer.product + i];
              gradient *= records[at + layer.context + i];
              records[at + layer.gradient + i] = gradient;
            }
            records[at + layer.contextGradient + i] = other * slopeOf(layer.contextActivation, records[at + layer.contextResult + i]);
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
        `${drops ? 'if (layer.sourceShare != nowhere) { value *= records[at + layer.sourceShare + quad]; }' : ''}
            if (layer.sourceActivation != 0u) { value *= slopeOf(layer.sourceActivation, records[at + layer.sourceResult + quad]); }
            let there = at + layer.sourceGradient + quad;
            if (layer.sourceAdds != 0u) { value += records[there]; }
            records[there] = value;`,
      )}
    }
    storageBarrier();
    ${overTile(
      'sizes.columns',
      `if (first + row < sizes.rows) {
        var value = 0f;
        if (i < sizes.values) { value = records[at + sizes.inputGradient + i / 4u][i % 4u]; }
        dx[(first + row) * sizes.columns + i] = value;
      }`,
    )}
    ${
      context
        ? overTile(
            'sizes.context',
            `if (first + row < sizes.rows) {
        let behind = sizes.values + i;
        var value = 0f;
        if (sizes.joined != 0u) { value = records[at + sizes.inputGradient + behind / 4u][behind % 4u]; }
        if (sizes.contextAt != nowhere) { value += records[at + sizes.contextGradient + i / 4u][i % 4u]; }
        dContext[(first + row) * sizes.context + i] = value;
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
    buffers: { records: read('vec4f'), constants: read('u32'), ...ofLayers(count, write) },
    sizes: ['rows: u32', 'record: u32', 'first: u32'],
    code: () => `${LAYER_AT}
var<workgroup> left: array<vec4f, ${(SIDE * ROWS) / 4}>;
var<workgroup> right: array<vec4f, ${(SIDE * ROWS) / 4}>;
var<workgroup> sums: array<vec4f, ${4 * SIZE}>;
${groupMain(
  `
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
  let lane = local % 16u;
  let share = local / 16u;
  ${fourTimes((place) => `var sum${place} = vec4f();`)}
  for (var begin = 0u; begin < sizes.rows; begin += ${ROWS}u) {
    workgroupBarrier();
    for (var i = local; i < ${(SIDE * ROWS) / 4}u; i += ${SIZE}u) {
      let row = begin + i / 4u;
      let at = row * sizes.record + i % 4u;
      let inputs = firstInput + 4u * (i % 4u) + vec4u(0, 1, 2, 3);
      var a = vec4f();
      var b = vec4f();
      if (row < sizes.rows) {
        if (inputs.x < layer.inputs) { a = records[at + layer.source + firstInput / 4u]; }
        // What stands behind the inputs in their last quad is anything.
        a = select(a, vec4f(1), inputs == vec4u(layer.inputs));
        a = select(a, vec4f(), inputs > vec4u(layer.inputs));
        if (firstOutput + 4u * (i % 4u) < layer.outputs) { b = records[at + layer.gradient + firstOutput / 4u]; }
      }
      left[i] = a;
      right[i] = b;
    }
    workgroupBarrier();
    for (var row = share; row < ${ROWS}u; row += 4u) {
      let a = left[4u * row + lane / 4u];
      let b = right[4u * row + lane % 4u];
      ${fourTimes((place) => `sum${place} += a.${place} * b;`)}
    }
  }
  ${fourTimes((place, i) => `sums[4u * local + ${i}u] = sum${place};`)}
  workgroupBarrier();
  // Each share takes one of the four inputs of a lane.
  let at = 4u * lane + share;
  let four = sums[at] + sums[at + 64u] + sums[at + 128u] + sums[at + 192u];
  let input = firstInput + lane / 4u * 4u + share;
  for (var j = 0u; j < 4u; j++) {
    let output = firstOutput + lane % 4u * 4u + j;
    if (input > layer.inputs || output >= layer.outputs) { continue; }
    if (input == layer.inputs) {
      ${forLayer(count, (i) => `bias${i}[output] = four[j];`)}
      continue;
    }
    let to = input * layer.outputs + output;
    var value = four[j];
    ${masked ? 'if (layer.mask != nowhere && constants[layer.mask + to] == 0u) { value = 0f; }' : ''}
    ${forLayer(count, (i) => `kernel${i}[to] = value;`)}
  }`,
  SIZE,
)}`,
  };
}
