import { existsSync } from 'node:fs';
import { decodeLatents, encodeLatents, Glow, loadFlow, Matrix } from 'tfjs-flows';
import { fileSystem } from 'tfjs-flows/node';
import type { DigitsFlow } from './digitsFlow';
import type { Drawings } from './mnist';

const FOLDER = 'output/transfer/mnist';
const N_BITS = 4;
const LEVELS = 2 ** N_BITS;
const STEPS = 2000;

/** A Glow of 28 x 28 drawings with the way from grey levels to its input and back; that of an earlier run, or trained now. */
export async function mnistFlow({ pixels, side }: Drawings): Promise<DigitsFlow & { flow: Glow }> {
  const known = existsSync(FOLDER);
  const flow = known
    ? await loadFlow<Glow>(fileSystem(FOLDER))
    : new Glow({
        imageShape: [side, side, 1],
        levels: 2,
        stepsPerLevel: 8,
        hiddenChannels: 64,
        nBits: N_BITS,
        seed: 1,
      });
  const toLevels = (images: Matrix) => ({
    data: Float32Array.from(images.data, (value) =>
      Math.min(LEVELS - 1, Math.floor((255 * value) / (256 / LEVELS))),
    ),
    shape: [images.rows, side, side, 1],
  });
  if (!known) {
    const { data, shape } = toLevels(pixels);
    await flow.fit(
      { x: data, shape: shape.slice(1) },
      {
        steps: STEPS,
        stepsPerEpoch: 50,
        batchSize: 32,
        learningRate: 2e-3,
        schedule: { kind: 'cosine', steps: STEPS, warmupSteps: 50, floor: 0.05 },
        clipNorm: 100,
        average: 0.98,
        seed: 1,
      },
    );
    await flow.save(fileSystem(FOLDER));
  }
  return {
    flow,
    encode: (images) => encodeLatents(flow, toLevels(images)),
    async decode(z) {
      const levels = await decodeLatents(flow, z);
      const values = Float64Array.from(await levels.data(), (level) => level / (LEVELS - 1));
      levels.dispose();
      return new Matrix(values, z.rows, side * side);
    },
    dispose: () => {
      flow.dispose();
    },
  };
}
