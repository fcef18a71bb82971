import { activationOf } from './activations';
import {
  forLayer,
  fourTimes,
  MULTIPLY,
  ofContext,
  ofLayers,
  overSums,
  overTile,
  QUADS_OF,
  quadIn,
  SIZE,
  SIZES,
  tilesMain,
  type Variant,
} from './perceptronCode';
import { GATES, LAYER_AT, SIGMOID } from './perceptronPlaces';
import { type Program, read, remembered, write } from './program';
import { groupMain } from './wgsl';

/** Rows back through all layers: gradients by every product into the records, and those by x and the context; `adds`: to `direct`. */
export const backward = remembered(
  ({ activation, context }: Variant, drops: boolean, adds: boolean): Program => {
    return {
      key: `perceptronGradient ${activation} ${context} ${drops} ${adds}`,
      buffers: {
        dy: read(),
        packed: read('vec4f'),
        constants: read('u32'),
        ...(adds && { direct: read() }),
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
        let to = (first + row) * sizes.columns + i;
        var value = ${adds ? 'direct[to]' : '0f'};
        if (i < sizes.values) { value += records[at + sizes.inputGradient + i / 4u][i % 4u]; }
        dx[to] = value;
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
  },
);

/** Sides of the part of a weight's gradient that a workgroup sums, and rows that it takes at once. */
const SIDE = 16;
const ROWS = 64;

/** Workgroups for a layer's gradients; the bias stands below the weights, as if one more input were 1. */
export function gradientTiles({ inputs, outputs }: { inputs: number; outputs: number }): number {
  return Math.ceil((inputs + 1) / SIDE) * Math.ceil(outputs / SIDE);
}

/** Gradients in kernels and biases of some layers, from the records. */
export const weightGradients = remembered((count: number, masked: boolean): Program => {
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
});
