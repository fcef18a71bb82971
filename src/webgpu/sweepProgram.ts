import type { SweepAttributes } from '../layers/fusedSweep';
import type { FusedTransformer } from '../layers/transformers/fusedTransformer';
import { activationOf } from './activations';
import { AFFINE_SIZES, affineSizes } from './affineEvents';
import { layerTable } from './layerTable';
import { logScaleOfTransformer } from './logScales';
import { type Program, read, write } from './program';
import { rowsOf } from './splineEventsPrograms';
import { SPLINE_SIZES, splineMap, splineSizes } from './splineMap';
import { FIELDS } from './sweepTables';
import { withoutRepeats } from './wgsl';

/** Rows that a workgroup takes through all levels, and its invocations. */
export const TILE_ROWS = 8;
const SIZE = 64;

/** How values are found from parameters: `found(given, at)`, with the parameters at `at` of the records, `parameter(at, k)`. */
interface ValueMap {
  key: string;
  sizes: readonly string[];
  values: readonly number[];
  /** Values that are found at once. */
  lanes: number;
  code: string;
}

export function mapOf(form: FusedTransformer): ValueMap {
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

/** Places of the records are for all rows of a tile, those of one value side by side. */
export function sweepProgram({ activation }: SweepAttributes, map: ValueMap, kind: string): Program {
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
    code: () => `${layerTable(FIELDS, 'tables')}
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
