import '@tensorflow/tfjs-layers';
import { type Matrix, RandomStream } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { measureAugmentation } from '../../bench/attributes/augmentOnDigits';
import { loadDigits, rowsOf, splitHalves } from '../../bench/attributes/digits';
import { trainDigitsFlow } from '../../bench/attributes/digitsFlow';
import { keptFarOut, monotone, moveDigits } from '../../bench/attributes/directionsOnDigits';
import { mean, randomSplit } from '../../bench/attributes/episodes';
import { gapClosed, measurePrior, PIXELS, reduction } from '../../bench/attributes/priorOnDigits';

const digits = loadDigits();

// The bars of the full reports (npm run bench:attributes), at fewer splits, episodes and training steps.
describe('bars on the pixels of digits', () => {
  it('fitPrior: five samples and a prior beat five samples alone', () => {
    const figures = measurePrior(digits.pixels, digits.label, 5, 6, 2, 1, PIXELS);
    expect(figures.hierarchical - figures.own).toBeGreaterThan(0.47);
    expect(gapClosed(figures)).toBeGreaterThan(0.55);
    expect(reduction(figures)).toBeGreaterThan(0.15);
  });

  it('augment: automatic choice costs at most .01 of accuracy', async () => {
    const space = { z: digits.pixels, toPixels: async (z: Matrix) => z };
    const gains: number[] = [];
    for (const seed of [1, 2]) {
      const split = randomSplit(new RandomStream(seed));
      const { gain } = await measureAugmentation(digits, space, split, { method: 'auto' }, 3, seed);
      gains.push(gain);
    }
    expect(mean(gains)).toBeGreaterThanOrEqual(-0.01);
  });
});

describe('bars in the latents of a flow', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
  });

  it('fitPrior: a flow of the general class lowers the squared error of the mean by 40 %', async () => {
    const [trained, held] = splitHalves(digits.label, new RandomStream(1));
    const flow = await trainDigitsFlow(digits.pixels, trained, 1, 300);
    const z = await flow.encode(rowsOf(digits.pixels, held), 2);
    flow.dispose();
    const label = held.map((i) => digits.label[i]);
    expect(reduction(measurePrior(z, label, 5, 3, 4, 1))).toBeGreaterThan(0.4);
  });

  it('zDelta: directions move what they name, and within-class ones keep more labels', async () => {
    const { stratified, plain } = await moveDigits(digits, 1, 300, 60);
    expect(mean(stratified.map(keptFarOut)) - mean(plain.map(keptFarOut))).toBeGreaterThan(0.02);
    expect(mean(stratified.map(monotone))).toBeGreaterThan(0.9);
  });
});
