import type { TensorInfo } from '@tensorflow/tfjs-core';
import { append, largest } from '../core/lists';
import { type SweepAttributes, sortByLevel } from '../layers/fusedSweep';
import type { FusedTransformer } from '../layers/transformers/fusedTransformer';
import { activationOf } from './activations';
import { AFFINE_SIZES, affineSizes } from './affineEvents';
import type { Range } from './backend';
import type { Gpu } from './gpu';
import { logScaleOfTransformer } from './logScales';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { rowsOf } from './splineEvents';
import { SPLINE_SIZES, splineMap, splineSizes } from './splineMap';
import { withoutRepeats } from './wgsl';

/** Rows that a workgroup takes through all levels, and its invocations. */
const TILE_ROWS = 8;
const SIZE = 64;
/** Workgroups that keep a GPU busy; each takes one tile of rows after another. */
const BUSY = 1024;

/** How values are found from parameters: `found(given, at)`, with the parameters at `at` of the records, `parameter(at, k)`. */
interface Map {
  key: string;
  sizes: readonly string[];
  values: readonly number[];
  /** Values that are found at once. */
  lanes: number;
  code: string;
}

function mapOf(form: FusedTransformer): Map {
  if (form.kind === 'affine') {
    return {
      key: form.scale,
      sizes: AFFINE_SIZES,
      values: affineSizes(form),
      lanes: SIZE,
      code: `${logScaleOfTransformer(form.scale)}
fn found(local: u32, given: f32, at: u32) -> vec2f {
  let logScale = logScaleOf(records[at + ${TILE_ROWS}u]);
  return vec2f((given - records[at]) * exp(-logScale), -logScale);
}`,
    };
  }
  const { parameters, stride, size } = rowsOf(form);
  return {
    key: `${form.bins} ${form.tails}`,
    sizes: SPLINE_SIZES,
    values: splineSizes(form),
    lanes: size,
    code: `
var<workgroup> room: array<f32, ${size * stride}>;
${splineMap(form, true)}
fn found(local: u32, given: f32, at: u32) -> vec2f {
  let row = local * ${stride}u;
  for (var i = 0u; i < ${parameters}u; i++) { room[row + i] = records[at + i * ${TILE_ROWS}u]; }
  return mapped(given, row);
}`,
  };
}

/** What the program knows of a layer: places of its tensors in the joined ones, of tables in the tables, of results in the records. */
const FIELDS = [
  'units',
  'kernel',
  'offset',
  'offsetPerRow',
  'gate',
  'order',
  'begins',
  'sourceOrder',
  'sourceKnown',
  'source',
  'result',
  'read',
  'skip',
] as const;
type Layer = Record<(typeof FIELDS)[number], number>;
const NOWHERE = 0xffffffff;

/** Places of the records are for all rows of a tile, those of one value side by side. */
function program({ activation }: SweepAttributes, map: Map, kind: string): Program {
  const key = `sweep ${activation} ${kind} ${map.key}`;
  return {
    key,
    buffers: {
      y: read(),
      joined: read(),
      tables: read('u32'),
      records: write(),
      value: write(),
      logDet: write(),
    },
    sizes: [
      'rows: u32',
      'values: u32',
      'levels: u32',
      'layers: u32',
      'parameters: u32',
      'record: u32',
      ...map.sizes,
    ],
    code: () => `
struct Layer { ${FIELDS.map((field) => `${field}: u32`).join(', ')} };
fn layerAt(i: u32) -> Layer {
  let at = i * ${FIELDS.length}u;
  return Layer(${FIELDS.map((_, i) => `tables[at + ${i}u]`).join(', ')});
}
const nowhere = ${NOWHERE}u;
${withoutRepeats(activationOf(activation), map.code)}

@compute @workgroup_size(${SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let base = group.x * sizes.record;
  let row = local % ${TILE_ROWS}u;
  let here = base + row;
  let last = layerAt(sizes.layers - 1u);
  for (var first = group.x * ${TILE_ROWS}u; first < sizes.rows; first += groups.x * ${TILE_ROWS}u) {
    let example = min(first + row, sizes.rows - 1u);
    var sum = 0f;
    for (var level = 0u; level < sizes.levels; level++) {
      for (var i = 0u; i < sizes.layers; i++) {
        let layer = layerAt(i);
        let end = tables[layer.begins + level + 1u];
        let known = tables[layer.sourceKnown + level];
        storageBarrier();
        for (var u = tables[layer.begins + level] + local / ${TILE_ROWS}u; u < end; u += ${SIZE / TILE_ROWS}u) {
          let unit = tables[layer.order + u];
          var result = 0f;
          for (var k = 0u; k < known; k++) {
            let other = tables[layer.sourceOrder + k];
            result += joined[layer.kernel + other * layer.units + unit] * records[here + (layer.source + other) * ${TILE_ROWS}u];
          }
          let place = example * layer.units + unit;
          if (layer.gate != nowhere) { result *= joined[layer.gate + place]; }
          result += joined[layer.offset + select(unit, place, layer.offsetPerRow != 0u)];
          if (layer.skip != nowhere) { result += records[here + (layer.skip + unit) * ${TILE_ROWS}u]; }
          records[here + (layer.result + unit) * ${TILE_ROWS}u] = result;
          if (layer.read != nowhere) { records[here + (layer.read + unit) * ${TILE_ROWS}u] = activate(result); }
        }
      }
      storageBarrier();
      // The outputs of a level are those of its values, side by side.
      let begin = tables[last.begins + level] / sizes.parameters;
      let count = (tables[last.begins + level + 1u] / sizes.parameters - begin) * ${TILE_ROWS}u;
      for (var item = local; item < count; item += ${map.lanes}u) {
        if (local >= ${map.lanes}u) { break; }
        let index = begin + item / ${TILE_ROWS}u;
        let place = tables[last.order + index * sizes.parameters] / sizes.parameters;
        let at = base + item % ${TILE_ROWS}u;
        let ofItem = first + item % ${TILE_ROWS}u;
        let result = found(local, y[min(ofItem, sizes.rows - 1u) * sizes.values + place], at + (last.result + place * sizes.parameters) * ${TILE_ROWS}u);
        records[at + place * ${TILE_ROWS}u] = result.x;
        records[at + (sizes.values + place) * ${TILE_ROWS}u] = result.y;
        if (ofItem < sizes.rows) { value[ofItem * sizes.values + place] = result.x; }
      }
    }
    storageBarrier();
    if (local < ${TILE_ROWS}u && first + local < sizes.rows) {
      for (var i = 0u; i < sizes.values; i++) { sum += records[here + (sizes.values + i) * ${TILE_ROWS}u]; }
      logDet[first + local] = sum;
    }
    workgroupBarrier();
  }
}`,
  };
}

/** Tables of a sweep as the program reads them, and floats of a row's record. */
function tablesOf(
  tensors: readonly TensorInfo[],
  places: readonly number[],
  { levels, layers }: SweepAttributes,
) {
  const count = largest(levels) + 1;
  const values = sortByLevel(levels, count);
  const tables = new Array<number>(layers.length * FIELDS.length).fill(0);
  const add = (table: readonly number[]) => {
    const at = tables.length;
    append(tables, table);
    return at;
  };
  // Values and their log-derivatives come first.
  let floats = 2 * levels.length;
  const take = (number: number) => {
    floats += number;
    return floats - number;
  };
  let before = { order: add(values.order), known: add(values.begins), source: 0 };
  let next = 0;
  const results: number[] = [];
  layers.forEach(({ levels: ofUnits, gated, skip }, i) => {
    const sorted = sortByLevel(ofUnits, count);
    const units = ofUnits.length;
    const [kernel, offset] = [next++, next++];
    const order = add(sorted.order);
    const begins = add(sorted.begins);
    const result = take(units);
    const activated = layers[i + 1]?.activated === true;
    const layer: Layer = {
      units,
      kernel: places[kernel],
      offset: places[offset],
      offsetPerRow: Number(tensors[offset].shape.length > 1),
      gate: gated ? places[next++] : NOWHERE,
      order,
      begins,
      sourceOrder: before.order,
      sourceKnown: before.known,
      source: before.source,
      result,
      read: activated ? take(units) : NOWHERE,
      skip: skip === undefined ? NOWHERE : results[skip],
    };
    results.push(result);
    for (const [k, field] of FIELDS.entries()) tables[i * FIELDS.length + k] = layer[field];
    // Units of this level are known to the next layer, values are not.
    before = { order, known: begins + 1, source: activated ? layer.read : result };
  });
  return { words: Uint32Array.from(tables), floats, levels: count };
}

/** Tables on the GPU, by the levels of the units that they are of. */
const written = new WeakMap<object, { gpu: Gpu; words: Uint32Array; range: Range }>();

function rangeOfTables(gpu: Gpu, owner: object, words: Uint32Array<ArrayBuffer>): Range {
  const known = written.get(owner);
  if (
    known?.gpu === gpu &&
    known.words.length === words.length &&
    words.every((word, i) => word === known.words[i])
  ) {
    return known.range;
  }
  const range = gpu.constant(words);
  written.set(owner, { gpu, words, range });
  return range;
}

/** [y, ...kernel, offset and gate of each layer] -> value, logDet. */
function sweep({ inputs, attrs, gpu }: KernelCall<TensorInfo[], SweepAttributes>): TensorInfo[] {
  const [y, ...tensors] = inputs;
  const [rows, columns] = y.shape;
  const { transformer, layers, outputsPerValue } = attrs;
  const value = gpu.output(y.shape);
  const logDet = gpu.output([rows]);
  gpu.withJoined(tensors, (joined, places) => {
    const { words, floats, levels } = tablesOf(tensors, places, attrs);
    const tables = rangeOfTables(gpu, layers[layers.length - 1].levels, words);
    const map = mapOf(transformer);
    const groups = Math.min(Math.ceil(rows / TILE_ROWS), BUSY);
    const record = floats * TILE_ROWS;
    gpu.withScratch([groups * record], (records) => {
      const sizes = [rows, columns, levels, layers.length, outputsPerValue, record, ...map.values];
      const buffers = [y, joined, tables, records, value, logDet];
      gpu.run(program(attrs, map, transformer.kind), buffers, [groups, 1, 1], sizes);
    });
  });
  return [value, logDet];
}

/** FlowSweep. */
export function registerSweep(): void {
  registerGpuKernel('FlowSweep', sweep);
}
