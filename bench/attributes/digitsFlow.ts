import * as tf from '@tensorflow/tfjs-core';
import { decodeLatents, encodeLatents, type Flow, Matrix, RandomStream, realNvp } from 'tfjs-flows';
import { selectRows } from '../../src/statistics/rows';

/** Distance that the logit keeps from 0 and 1. */
const MARGIN = 0.02;

/** A Real NVP of 8 x 8 digits, with the way from grey levels to its input and back. */
export interface DigitsFlow {
  flow: Flow;
  /** Latents of pixels 0 .. 1 [n, 64], dequantized by seeded noise. */
  encode(pixels: Matrix, seed: number): Promise<Matrix>;
  /** Pixels 0 .. 1 of latents. */
  decode(z: Matrix): Promise<Matrix>;
  dispose(): void;
}

/** Trained on the given rows, with early stopping on a tenth of them: 8 couplings with two hidden layers of 96. */
export async function trainDigitsFlow(
  pixels: Matrix,
  rows: ArrayLike<number>,
  seed: number,
  steps: number,
): Promise<DigitsFlow> {
  const random = new RandomStream(seed);
  const order = random.permutation(rows.length);
  const training = selectRows(
    pixels,
    Array.from(order, (k) => rows[k]),
  );
  const { data, shape } = toInput(training, random);
  const x = tf.tensor2d(data, shape);
  const flow = realNvp({ dimensions: 64, layers: 8, permutation: 'shuffle', hiddenUnits: [96, 96], seed });
  await flow.fit(x, {
    steps,
    stepsPerEpoch: 50,
    batchSize: 64,
    learningRate: 2e-3,
    schedule: { kind: 'cosine', steps, warmupSteps: 50 },
    clipNorm: 50,
    validationSplit: 0.1,
    earlyStopping: { patience: 4 },
    progress: 'none',
    seed,
  });
  x.dispose();
  return {
    flow,
    encode: (images, noise) =>
      encodeLatents(flow, toInput(images, new RandomStream(noise)), { batchSize: 512 }),
    async decode(z) {
      const values = await decodeLatents(flow, z, { batchSize: 512 });
      const levels = Float64Array.from(await values.data(), fromInput);
      values.dispose();
      return new Matrix(levels, z.rows, z.cols);
    },
    dispose: () => {
      flow.dispose();
    },
  };
}

/** logit of (level + u) / 17, squeezed into the margin. */
function toInput(pixels: Matrix, random: RandomStream): { data: Float32Array; shape: [number, number] } {
  const data = Float32Array.from(pixels.data, (value) => {
    const inside = MARGIN + ((1 - 2 * MARGIN) * (16 * value + random.uniformNumber())) / 17;
    return Math.log(inside / (1 - inside));
  });
  return { data, shape: [pixels.rows, pixels.cols] };
}

function fromInput(value: number): number {
  const inside = 1 / (1 + Math.exp(-value));
  const level = (17 * (inside - MARGIN)) / (1 - 2 * MARGIN) - 0.5;
  return Math.min(1, Math.max(0, level / 16));
}
