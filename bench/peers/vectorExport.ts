/**
 * Writes flows over vectors for zuko and nflows, with rows and their log-densities, for vectorExport.py to check.
 *
 *     npx tsx bench/peers/vectorExport.ts FOLDER
 *     python3 bench/peers/vectorExport.py FOLDER --zuko SOURCES --nflows SOURCES
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  AffineTransformer,
  exportStateDict,
  type Flow,
  importCheckpoint,
  maskedAutoregressiveFlow,
  NormalMixture,
  neuralSplineFlow,
  RandomStream,
  realNvp,
  writeNpz,
} from 'tfjs-flows';
import { writtenVectors } from '../../test/support/publishedVectors';
import { stir } from '../../test/support/vectorModels';

const folder = process.argv[2] ?? 'peers';
const size = { dimensions: 4, layers: 3, bins: 6 };
const perceptrons = { hiddenUnits: [24, 24] };
const softplus = new AffineTransformer({ scale: 'softplus' });

/** Flows of our recipes, each for the libraries that can express it. */
const own: Record<string, ['zuko' | 'nflows', () => Flow]> = {
  spline_default: ['nflows', () => neuralSplineFlow({ dimensions: 5 })],
  spline_autoregressive_default: [
    'nflows',
    () => neuralSplineFlow({ dimensions: 5, form: 'autoregressive' }),
  ],
  affine_default: ['zuko', () => maskedAutoregressiveFlow({ dimensions: 5 })],
  affine_default_context: ['zuko', () => maskedAutoregressiveFlow({ dimensions: 5, context: 2 })],
  spline_plain_couplings: [
    'nflows',
    () => neuralSplineFlow({ ...size, hiddenUnits: [24, 16, 8], activation: 'tanh', bound: 4 }),
  ],
  spline_couplings: ['nflows', () => neuralSplineFlow({ ...size, hiddenUnits: 16 })],
  spline_couplings_context: ['nflows', () => neuralSplineFlow({ ...size, hiddenUnits: 16, context: 3 })],
  spline_autoregressive: [
    'nflows',
    () => neuralSplineFlow({ ...size, form: 'autoregressive', hiddenUnits: 20 }),
  ],
  spline_one_value: ['nflows', () => neuralSplineFlow({ ...size, dimensions: 1, hiddenUnits: 8 })],
  affine_autoregressive: [
    'nflows',
    () => maskedAutoregressiveFlow({ dimensions: 4, layers: 3, hiddenUnits: 20, transformer: softplus }),
  ],
  splines_by_perceptrons: [
    'zuko',
    () =>
      neuralSplineFlow({ ...size, ...perceptrons, form: 'autoregressive', limits: 'softclip', context: 2 }),
  ],
  affine_by_perceptrons: [
    'zuko',
    () => maskedAutoregressiveFlow({ dimensions: 4, layers: 3, ...perceptrons, activation: 'elu' }),
  ],
  affine_couplings: [
    'zuko',
    () => realNvp({ dimensions: 5, layers: 4, ...perceptrons, scale: 'softclip', context: 2 }),
  ],
  mixture: [
    'zuko',
    () =>
      maskedAutoregressiveFlow({
        dimensions: 3,
        layers: 2,
        ...perceptrons,
        base: new NormalMixture({ eventShape: [3], components: 3, covariance: 'full', seed: 1 }),
      }),
  ],
};

function movedFrom(make: () => Flow): Flow {
  const flow = make();
  stir(flow, 0.05, 2);
  flow.markInitialized();
  return flow;
}

async function write(name: string, library: 'zuko' | 'nflows', flow: Flow): Promise<void> {
  const random = new RandomStream(3);
  const [d] = flow.bijector.inputShape;
  const shape = flow.contextShape as number[] | undefined;
  const [x, context] = [random.normal([64, d]), shape && random.normal([64, ...shape])];
  const array = (tensor: tf.Tensor) => ({ shape: tensor.shape, data: Float32Array.from(tensor.dataSync()) });
  const logProb = flow.logProb(x, context ? { context } : {});
  writeFileSync(join(folder, `${name}.safetensors`), await exportStateDict(flow, library));
  writeFileSync(
    join(folder, `${name}.npz`),
    writeNpz({ x: array(x), log_prob: array(logProb), ...(context && { context: array(context) }) }),
  );
  console.log(`${name}: for ${library}, ${flow.parameterCount} parameters`);
}

await tf.setBackend('cpu');
mkdirSync(folder, { recursive: true });
for (const [name, [library, make]] of Object.entries(own)) await write(name, library, movedFrom(make));
for (const [name, config] of writtenVectors) {
  const path = fileURLToPath(new URL(`../../test/fixtures/vector/${name}/weights.npz`, import.meta.url));
  const flow = await importCheckpoint<Flow>(readFileSync(path), { config });
  await write(name, name.startsWith('zuko') ? 'zuko' : 'nflows', flow);
}
