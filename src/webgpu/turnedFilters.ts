import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Range } from './backend';
import { times } from './fours';
import type { Gpu } from './gpu';
import { type Layer, logScaleOf } from './images';
import { type Program, read, remembered, write } from './program';
import { flatGroups, flatMain } from './wgsl';

/** So many layers' filters go into one dispatch: a device may allow no more than 8 buffers. */
const MOST_LAYERS = 3;
/** Ranges begin at multiples of 256 bytes. */
const ALIGNMENT = 64;

function floatsOf({ size, inputs, outputs }: Layer): number {
  return size * size * inputs * outputs;
}

/** The layers' filters lie one behind the other in the numbers of invocations. */
const program = remembered((layers: number): Program => {
  const numbers = Array.from({ length: layers }, (_, i) => i);
  const buffers = numbers.flatMap((i) => [
    [`filters${i}`, read()],
    [`logScale${i}`, read()],
  ]);
  return {
    key: `turnedFilters ${layers}`,
    buffers: { ...Object.fromEntries(buffers), turned: write() },
    sizes: numbers.flatMap((i) => [
      `end${i}: u32`,
      `to${i}: u32`,
      `taps${i}: u32`,
      `inputs${i}: u32`,
      `outputs${i}: u32`,
      `factor${i}: f32`,
    ]),
    code: () =>
      flatMain(
        times(
          layers,
          (i) => `
  if (at < sizes.end${i}) {
    let value = at - ${i === 0 ? '0u' : `sizes.end${i - 1}`};
    let input = value % sizes.inputs${i};
    let line = value / sizes.inputs${i};
    let output = line % sizes.outputs${i};
    let tap = sizes.taps${i} - 1u - line / sizes.outputs${i};
    let scale = exp(sizes.factor${i} * logScale${i}[output]);
    turned[sizes.to${i} + value] = filters${i}[(tap * sizes.inputs${i} + input) * sizes.outputs${i} + output] * scale;
    return;
  }`,
        ),
      ),
  };
});

/** Floats of the room that `turnFilters` needs. */
export function turnedFloats(layers: readonly Layer[]): number {
  return layers.reduce((floats, layer) => floats + ALIGNMENT * Math.ceil(floatsOf(layer) / ALIGNMENT), 0);
}

/**
 * Filters for the gradients in the layers' inputs, [size, size, outputs, inputs]: turned around, their channels exchanged, scaled as the
 * outputs are.
 */
export function turnFilters(gpu: Gpu, layers: readonly Layer[], room: TensorInfo): Range[] {
  const ranges: Range[] = [];
  const { buffer, offset } = gpu.rangeOf(room);
  let at = 0;
  for (let first = 0; first < layers.length; first += MOST_LAYERS) {
    const these = layers.slice(first, first + MOST_LAYERS);
    let end = 0;
    const sizes = these.flatMap((layer) => {
      const { size, inputs, outputs, factor } = layer;
      const floats = floatsOf(layer);
      ranges.push({ buffer, offset: offset + 4 * at, size: 4 * floats });
      const from = at;
      at += ALIGNMENT * Math.ceil(floats / ALIGNMENT);
      end += floats;
      return [end, from, size * size, inputs, outputs, factor];
    });
    const read = these.flatMap((layer) => [layer.filter, logScaleOf(layer)]);
    gpu.run(program(these.length), [...read, room], flatGroups(end), sizes);
  }
  return ranges;
}
