import type { NdArray } from 'tfjs-flows';

/**
 * Bits per dimension of the best model that knows nothing but how often each level occurs at each pixel:
 * histograms of the training images with one pseudo-count spread over the levels, scored on the held-out images.
 */
export function histogramBitsPerDim(training: NdArray, held: NdArray, nBits: number): number {
  const levels = 2 ** nBits;
  const pixels = training.shape.slice(1).reduce((product, length) => product * length, 1);
  const counts = new Float64Array(pixels * levels).fill(1 / levels);
  for (let i = 0; i < training.data.length; i++) counts[(i % pixels) * levels + training.data[i]] += 1;
  const total = training.shape[0] + 1;
  let bits = 0;
  for (let i = 0; i < held.data.length; i++) {
    bits -= Math.log2(counts[(i % pixels) * levels + held.data[i]] / total);
  }
  return bits / held.data.length;
}
