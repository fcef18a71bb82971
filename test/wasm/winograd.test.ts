import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { fusedConvolutions } from '../../src/layers/networks/fusedConvolutions';
import { compute, distance, type HostTensor, randomTensor } from './helpers';

/** The transforms cancel, so the error is up to three times that of the direct sum: 5e-6 holds for both. */
const TOLERANCE = 5e-6;

/** 'same' 3x3 convolution and its gradients in input and filter, in float64. */
function reference(x: HostTensor, filter: HostTensor, dy: HostTensor): Float64Array[] {
  const [batch, height, width, inputs] = x.shape;
  const outputs = filter.shape[3];
  const y = new Float64Array(batch * height * width * outputs);
  const dx = new Float64Array(x.values.length);
  const dFilter = new Float64Array(filter.values.length);
  for (let n = 0; n < batch * height * width * 9; n++) {
    const tap = n % 9;
    const position = Math.floor(n / 9);
    const sourceX = (position % width) + (tap % 3) - 1;
    const sourceY = (Math.floor(position / width) % height) + Math.floor(tap / 3) - 1;
    if (sourceX < 0 || sourceX >= width || sourceY < 0 || sourceY >= height) continue;
    const source = position + (Math.floor(tap / 3) - 1) * width + (tap % 3) - 1;
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        const at = (tap * inputs + i) * outputs + o;
        const weight = filter.values[at];
        y[position * outputs + o] += x.values[source * inputs + i] * weight;
        dx[source * inputs + i] += dy.values[position * outputs + o] * weight;
        dFilter[at] += x.values[source * inputs + i] * dy.values[position * outputs + o];
      }
    }
  }
  return [y, dx, dFilter];
}

describe.each([1, 2])('convolutions with fewer multiplications on %i threads', (threads) => {
  beforeAll(async () => {
    await prepareWasm({ threads });
  });

  const random = new RandomStream(4);
  const side = () => 1 + random.integer(16);
  const sizes = Array.from({ length: 25 }, () => {
    const channels = [1 + random.integer(40), 1 + random.integer(40)];
    return [1 + random.integer(4), side(), side(), ...channels];
  });

  it.each([...sizes, [1, 4, 4, 520, 9], [1, 5, 4, 9, 140], [40, 4, 4, 3, 5], [0, 4, 4, 3, 5]])(
    '[%i, %i, %i, %i] -> %i equals float64',
    (batch, height, width, inputs, outputs) => {
      const x = randomTensor(random, [batch, height, width, inputs]);
      const filter = randomTensor(random, [3, 3, inputs, outputs]);
      const dy = randomTensor(random, [batch, height, width, outputs]);
      const references = reference(x, filter, dy);
      const convolve = (a: tf.Tensor, b: tf.Tensor) =>
        fusedConvolutions(a as tf.Tensor4D, [{ filter: b as tf.Tensor4D, offset: tf.zeros([outputs]) }]);
      const results = compute([x, filter, dy], (a, b, d) => [
        convolve(a, b),
        ...tf.grads(convolve)([a, b], d),
      ]);
      references.forEach((expected, i) => {
        expect(distance(expected, results[i])).toBeLessThan(TOLERANCE);
      });
    },
  );
});
