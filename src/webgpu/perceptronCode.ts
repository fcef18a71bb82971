import type { Activation } from '../layers/networks/activations';
import type { Buffer } from './program';

/*
 * A workgroup takes a few rows through all layers, forward or back; what a row's layers read and give lies in its record. As the weights
 * of a perceptron are more tensors than a program may bind, they are packed into one first: masked, and turned for the way back.
 */

/** Rows of a workgroup. */
export const TILE_ROWS = 8;
/** Invocations of a workgroup: so many quads of columns, each by as many of them as there are shares of what is summed. */
export const SIZE = 64;
const SHARES = 4;
const QUADS = SIZE / SHARES;
/** What is summed over at once. */
const DEPTH = 128;

/** Quads of a row of so many floats. */
export const QUADS_OF = `
fn quadsOf(floats: u32) -> u32 { return (floats + 3u) / 4u; }`;

/** Lines of code for each of the four places of a quad. */
export function fourTimes(line: (place: string, i: number) => string): string {
  return ['x', 'y', 'z', 'w'].map(line).join('\n');
}

/** Layers whose weights one program reads, and whose gradients one writes: two tensors of each. */
export const MOST_LAYERS = 3;

/** Numbered buffers: two for each of some layers. */
export function ofLayers(count: number, access: () => Buffer): Record<string, Buffer> {
  const names = Array.from({ length: count }, (_, i) => [`kernel${i}`, `bias${i}`]).flat();
  return Object.fromEntries(names.map((name) => [name, access()]));
}

/** What `code` says for each of some layers, `which` being the number of the present one. */
export function forLayer(count: number, code: (i: number) => string): string {
  return `switch which {${Array.from({ length: count }, (_, i) => `case ${i}${i === 0 ? ', default' : ''}: { ${code(i)} }`).join(' ')}}`;
}

/**
 * `multiply(local, base, source, depth, weights, quads, first)`: from records at `base`, the sums of `depth` values at `source` times
 * weights [depth, quads], for the quad first + local % 16 and two rows, the first being `rowOf(local)`. To be met by all invocations.
 */
export const MULTIPLY = `
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
export function tilesMain(body: string): string {
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
export function overTile(count: string, body: string): string {
  return `
    for (var item = local; item < ${TILE_ROWS}u * ${count}; item += ${SIZE}u) {
      let row = item / ${count};
      let i = item % ${count};
      let at = base + row * sizes.record;
      ${body}
    }`;
}

/** Goes over a quad of two rows of a layer's product, as `multiply` gives them. */
export function overSums(
  layer: Record<'source' | 'depth' | 'weights' | 'columns', string>,
  body: string,
): string {
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
export function quadIn(name: string): string {
  return `
fn ${name}Quad(row: u32, quad: u32, columns: u32, begin: u32) -> vec4f {
  var four = vec4f();
  if (row >= sizes.rows) { return four; }
  let at = begin + row * columns + 4u * quad;
  ${fourTimes((place, i) => `if (4u * quad + ${i}u < columns) { four.${place} = ${name}[at + ${i}u]; }`)}
  return four;
}`;
}

export const SIZES = [
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
export const ofContext = (bound: boolean, name: string, buffer: Buffer) => (bound ? { [name]: buffer } : {});

/** What differs between perceptrons in code. */
export interface Variant {
  activation: Activation;
  /** Whether there is a context. */
  context: boolean;
}
