import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  AffineCoupling,
  BackendError,
  Chain,
  ConfigError,
  DataError,
  DisposedError,
  Flow,
  FormatError,
  fit,
  Glow,
  InvConv1x1,
  LearnedPrior,
  loadFlow,
  MultilayerPerceptron,
  MultiScale,
  NonFiniteError,
  Permutation,
  realNvp,
  ShapeError,
  Split,
  Squeeze,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';

const glow = (options = {}) =>
  new Glow({
    imageShape: [4, 4, 1],
    levels: 1,
    stepsPerLevel: 1,
    hiddenChannels: 4,
    nBits: 3,
    seed: 1,
    ...options,
  });

const network = ([d]: readonly number[], [units]: readonly number[]) =>
  new MultilayerPerceptron({ inputShape: [d], units, hiddenUnits: [4], seed: 1 });

const quiet = { progress: 'none' as const, steps: 1, batchSize: 2 };

/** Saves a small flow and returns what was written, for the caller to damage. */
async function artifacts(): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts = {};
  const handler = tf.io.withSaveHandler(async (written) => {
    saved = written;
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
  });
  const flow = glow();
  await flow.save(handler);
  flow.dispose();
  return saved;
}

interface Row {
  name: string;
  run: () => unknown;
  error: new (...args: never[]) => Error;
  message: string;
}

const rows: Row[] = [
  {
    name: 'wrong rank',
    run: () => new ActNorm({ inputShape: [2, 2, 4] }).forward(tf.zeros([2, 4])),
    error: ShapeError,
    message: 'ActNorm.forward: expected [batch, 2, 2, 4], got [2, 4].',
  },
  {
    name: 'a forgotten squeeze',
    run: () => new InvConv1x1({ inputShape: [8, 8, 12] }).forward(tf.zeros([8, 16, 16, 3])),
    error: ShapeError,
    message: 'InvConv1x1.forward: expected [batch, 8, 8, 12], got [8, 16, 16, 3]. Did you forget Squeeze?',
  },
  {
    name: 'an image of another size',
    run: () => glow().logProb(tf.zeros([1, 8, 8, 1])),
    error: ShapeError,
    message: 'Glow.logProb: expected [batch, 4, 4, 1], got [1, 8, 8, 1].',
  },
  {
    name: 'latents of another length',
    run: () => glow().decode(tf.zeros([1, 15])),
    error: ShapeError,
    message: 'Glow.decode: expected [batch, 16], got [1, 15]. Latents come from encode.',
  },
  {
    name: 'odd channels in a coupling',
    run: () => new AffineCoupling({ inputShape: [3], network }),
    error: ConfigError,
    message:
      'AffineCoupling: expected an even number of channels, got 3. Squeeze images first, or say which channels pass with `passthrough`.',
  },
  {
    name: 'odd channels in a split',
    run: () => new Split({ inputShape: [2, 2, 5] }),
    error: ConfigError,
    message: 'Split: expected an even number of channels, got 5.',
  },
  {
    name: 'a network of other shapes',
    run: () =>
      new AffineCoupling({
        inputShape: [4],
        network: new MultilayerPerceptron({ inputShape: [2], units: 2 }),
      }),
    error: ConfigError,
    message: 'AffineCoupling: expected a network [2] -> [4], got [2] -> [2].',
  },
  {
    name: 'sizes not divisible by 2^levels',
    run: () => new Glow({ imageShape: [28, 28, 1], levels: 3 }),
    error: ConfigError,
    message:
      'Glow: expected height and width divisible by 2^levels = 8, got [28, 28, 1]. Pad or crop the images to a multiple of 8, or use fewer levels.',
  },
  {
    name: 'an odd size in Squeeze',
    run: () => new Squeeze({ inputShape: [7, 8, 1] }),
    error: ConfigError,
    message: 'Squeeze: expected an even height and width, got [7, 8, 1].',
  },
  {
    name: 'an order that is no permutation',
    run: () => new Permutation({ inputShape: [3], order: [0, 1, 1] }),
    error: ConfigError,
    message: 'Permutation: expected order',
  },
  {
    name: 'a chain whose joints do not fit',
    run: () =>
      new Chain({ bijectors: [new ActNorm({ inputShape: [4] }), new Permutation({ inputShape: [3] })] }),
    error: ShapeError,
    message: "Chain: expected 'permutation' to take what 'actnorm' returns, [4], got [3].",
  },
  {
    name: 'two members of one name',
    run: () => new Chain({ bijectors: [new ActNorm({ inputShape: [4] }), new ActNorm({ inputShape: [4] })] }),
    error: ConfigError,
    message: "Chain: expected members with different names, got 'actnorm' twice.",
  },
  {
    name: 'levels that do not fit',
    run: () =>
      new MultiScale({
        levels: [new ActNorm({ inputShape: [2, 2, 4] }), new ActNorm({ inputShape: [2, 2, 4], name: 'b' })],
      }),
    error: ShapeError,
    message: 'MultiScale: expected level 1 to take [2, 2, 2], half of what level 0 returns, got [2, 2, 4].',
  },
  {
    name: 'missing labels',
    run: () => new LearnedPrior({ inputShape: [4], classes: 3 }).forward(tf.zeros([1, 4])),
    error: ShapeError,
    message: 'LearnedPrior.forward: expected a context [3] for 1 example, got none.',
  },
  {
    name: 'a class that does not exist',
    run: () => glow({ classes: 3 }).sample(1, { context: 3 }),
    error: DataError,
    message: 'Glow.sample: expected classes 0 .. 2, got 3.',
  },
  {
    name: 'a class for a Glow without classes',
    run: () => glow().sample(1, { context: 3 }),
    error: ConfigError,
    message:
      'Glow.sample: expected no context, got one. Declare it where the flow is built: `context`, or the `classes` of a Glow.',
  },
  {
    name: 'NaN in vectors',
    run: () => realNvp({ dimensions: 2, layers: 1 }).logProb(tf.tensor2d([[0, Number.NaN]])),
    error: DataError,
    message: 'VectorFlow.logProb: expected finite values in column 1, got NaN in row 0.',
  },
  {
    name: 'infinity in training data',
    run: () =>
      realNvp({ dimensions: 2, layers: 1 }).fit(
        tf.tensor2d([
          [0, 1],
          [Infinity, 2],
        ]),
        quiet,
      ),
    error: DataError,
    message: 'expected finite',
  },
  {
    name: 'NaN in images',
    run: () => glow().bitsPerDim(tf.fill([1, 4, 4, 1], Number.NaN)),
    error: DataError,
    message: 'The data hold NaN or infinity.',
  },
  {
    name: 'values outside the declared bits',
    run: () => glow().logProb(tf.fill([1, 4, 4, 1], 200)),
    error: DataError,
    message:
      'Glow.logProb: expected whole numbers 0 .. 7 (nBits 3), got values from 200 to 200, 100.0 % of them outside. 8-bit images? reduceBits(x, 8, 3) brings them to 3 bits.',
  },
  {
    name: 'images scaled to [0, 1]',
    run: () => glow().fit(tf.fill([4, 4, 4, 1], 0.5), quiet),
    error: DataError,
    message: 'Values in [0, 1]? Multiply by 7 and round.',
  },
  {
    name: 'an empty data set',
    run: () => glow().fit(tf.zeros([0, 4, 4, 1]), quiet),
    error: DataError,
    message: 'empty',
  },
  {
    name: 'an empty batch',
    run: () => glow().encode(tf.zeros([0, 4, 4, 1])),
    error: DataError,
    message: 'Glow.encode: expected [batch, 4, 4, 1], got an empty batch.',
  },
  {
    name: 'a damaged file',
    run: async () => {
      const saved = await artifacts();
      const bytes = new Uint8Array(saved.weightData as ArrayBuffer);
      bytes[17] ^= 0xff;
      return loadFlow(tf.io.fromMemory(saved));
    },
    error: FormatError,
    message: 'damaged',
  },
  {
    name: 'a truncated file',
    run: async () => {
      const saved = await artifacts();
      saved.weightData = (saved.weightData as ArrayBuffer).slice(0, 100);
      return loadFlow(tf.io.fromMemory(saved));
    },
    error: FormatError,
    message: 'bytes',
  },
  {
    name: 'a file of another version',
    run: async () => {
      const saved = await artifacts();
      (saved.modelTopology as { version: number }).version = 99;
      return loadFlow(tf.io.fromMemory(saved));
    },
    error: FormatError,
    message: 'expected format version 1, got version 99.',
  },
  {
    name: 'a file of something else',
    run: () => loadFlow(tf.io.fromMemory({ modelTopology: {}, format: 'layers-model' })),
    error: FormatError,
    message: 'expected a file of tfjs-flows',
  },
  {
    name: 'use after dispose',
    run: () => {
      const flow = glow();
      flow.dispose();
      return flow.sample(1);
    },
    error: DisposedError,
    message: "Glow.sample: 'glow' was disposed. Build or load it again.",
  },
  {
    name: 'fit after dispose',
    run: () => {
      const flow = glow();
      flow.dispose();
      return flow.fit(tf.zeros([1, 4, 4, 1]), quiet);
    },
    error: DisposedError,
    message: 'was disposed',
  },
  {
    name: 'a layer disposed under its flow',
    run: () => {
      const actnorm = new ActNorm({ inputShape: [2] });
      const flow = new Flow({ bijector: actnorm });
      actnorm.dispose();
      return flow.logProb(tf.zeros([1, 2]));
    },
    error: DisposedError,
    message: "ActNorm.forward: 'actnorm' was disposed.",
  },
  {
    name: 'a backend without a needed kernel',
    run: async () => {
      const kernel = tf.getKernel('Conv2DBackpropFilter', 'cpu');
      tf.unregisterKernel('Conv2DBackpropFilter', 'cpu');
      try {
        return await glow().fit(tf.zeros([2, 4, 4, 1]), quiet);
      } finally {
        tf.registerKernel(kernel as tf.KernelConfig);
      }
    },
    error: BackendError,
    message: "fit: expected backend 'cpu' to have the kernels Conv2DBackpropFilter",
  },
  {
    name: 'weights that are not finite',
    run: () => {
      const flow = glow();
      flow.markInitialized();
      const target = flow.weights.find(({ name }) => name.endsWith('step0/actnorm/logScale'));
      target?.variable.assign(tf.fill(target.variable.shape, Number.NaN));
      return fit(flow, tf.zeros([2, 4, 4, 1]), quiet);
    },
    error: NonFiniteError,
    message: 'multiscale/level0/step0/actnorm',
  },
];

describe('wrong input gets a clear error', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it.each(rows)('$name', async ({ run, error, message }) => {
    let caught: unknown;
    try {
      await run();
    } catch (thrown) {
      caught = thrown;
    }
    expect(caught).toBeInstanceOf(error);
    expect((caught as Error).message).toContain(message);
  });
});
