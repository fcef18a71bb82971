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
  SIZES,
  tilesMain,
  type Variant,
} from './perceptronCode';
import { GATES, LAYER_AT, SIGMOID } from './perceptronPlaces';
import { type Program, read, remembered, write } from './program';
import { flatMain } from './wgsl';

/** Kernels and biases of some layers, masked, into one buffer, the kernels once more turned where there is `turned`. */
export const packing = remembered((count: number, masked: boolean): Program => {
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
});

/** What dropout makes of four columns whose bits begin somewhere; those beyond a row's end are anything. */
const SHARE_QUAD = `
fn shareQuad(bit: u32) -> vec4f {
  let bits = vec4u(bit) + vec4u(0, 1, 2, 3);
  // Rows beyond the last one read within the buffer.
  let last = arrayLength(&dropped) - 1u;
  var words = vec4u();
  for (var i = 0u; i < 4u; i++) { words[i] = dropped[min(bits[i] / 32u, last)]; }
  return select(vec4f(), vec4f(sizes.share), ((words >> (bits % 32u)) & vec4u(1)) == vec4u(1));
}`;

/** Rows through all layers; `drops`: by bits, 1 for what is left in. */
export const forward = remembered(({ activation, context }: Variant, drops: boolean): Program => {
  return {
    key: `perceptron ${activation} ${context} ${drops}`,
    buffers: {
      x: read(),
      ...ofContext(context, 'context', read()),
      packed: read('vec4f'),
      constants: read('u32'),
      ...(drops && { dropped: read('u32') }),
      records: write('vec4f'),
      output: write(),
    },
    sizes: drops ? [...SIZES, 'share: f32'] : SIZES,
    code: () => `${LAYER_AT}${QUADS_OF}${activationOf(activation, 'vec4f')}${MULTIPLY}
${context ? quadIn('context') : ''}${drops ? SHARE_QUAD : ''}
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
              !drops
                ? ''
                : `if (layer.drops != 0u) {
              let share = shareQuad(layer.dropoutsBefore * sizes.rows + (first + row) * layer.outputs + 4u * quad);
              records[at + layer.share + quad] = share;
              value *= share;
            }`
            }
            records[at + layer.read + quad] = value;`,
      )}
    }
    workgroupBarrier();`)}`,
  };
});
