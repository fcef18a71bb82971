import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { Glow, RandomStream, reversibleGradients, storedGradients } from 'tfjs-flows';

/** What the test in Node calls in the page. */
export interface ReversiblePage {
  /** False where the backend does not start here. */
  useBackend(name: string): Promise<boolean>;
  /** Distance of reversible from stored gradients relative to their size, of the worst weight. */
  distance(): Promise<number>;
  /** Losses of a few steps of fit by either method, and tensors more after it than before. */
  losses(gradients: 'stored' | 'reversible'): Promise<{ losses: number[]; tensors: number }>;
  /** Whether samples, which go through the inverse too, are levels. */
  samples(): Promise<boolean>;
}

const build = () =>
  new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 1, hiddenChannels: 8, nBits: 4, seed: 1 });

function images(): tf.Tensor4D {
  return tf.tidy(() => {
    const coarse = new RandomStream(5).uniform([8, 4, 4, 1], 0, 16) as tf.Tensor4D;
    return tf.floor(tf.image.resizeBilinear(coarse, [8, 8]));
  });
}

/** Reads asynchronously only: webgpu has no other way here. All batches are of one size, so that kernels are compiled once. */
const page: ReversiblePage = {
  useBackend: (name) => tf.setBackend(name).catch(() => false),

  async distance() {
    const glow = build();
    const x = images();
    glow.initializeFrom({ x }, new RandomStream(3));
    // Convolutions that start at zero would hide the gradients of all before them.
    const random = new RandomStream(11);
    for (const variable of glow.trainableWeights) {
      if ((await variable.data()).every((value) => value === 0)) {
        variable.assign(random.normal(variable.shape, 0, 0.05));
      }
    }
    const stored = storedGradients(glow, { x }, new RandomStream(7));
    const reversible = reversibleGradients(glow, { x }, new RandomStream(7), { anchorEvery: 1000 });
    const ratios = stored.gradients.map(async (gradient, i) => {
      if (gradient === null) return 0;
      const [expected, received] = await Promise.all(
        [gradient, reversible.gradients[i] as tf.Tensor].map((tensor) => tensor.data()),
      );
      const gap = Math.hypot(...Array.from(expected, (value, k) => value - received[k]));
      return gap === 0 ? 0 : gap / Math.hypot(...expected);
    });
    const all = await Promise.all(ratios);
    return all.every(Number.isFinite) ? Math.max(...all) : Number.POSITIVE_INFINITY;
  },

  async losses(gradients) {
    const glow = build();
    const x = images();
    const before = tf.memory().numTensors;
    const options = { steps: 2, batchSize: 8, seed: 2, progress: 'none', gradients } as const;
    const { losses } = await glow.fit(x, options);
    return { losses, tensors: tf.memory().numTensors - before };
  },

  async samples() {
    const values = await build().sample(8, { seed: 1 }).data();
    return values.length === 512 && values.every((value) => value >= 0 && value <= 15);
  },
};

Object.assign(globalThis, { page });
