import * as tf from '@tensorflow/tfjs-core';
import {
  type Flow,
  maskedAutoregressiveFlow,
  neuralSplineFlow,
  RandomStream,
  realNvp,
  storedGradients,
} from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { hasAdapter } from './adapter';
import { activate } from './onBoth';

/** Ops that are names for what is there already, or values that the host makes. */
const FREE = ['Identity', 'Reshape', 'Fill'];

/** How often each kernel runs in the gradients of a training step. */
async function kernelsOf(build: () => Flow): Promise<Map<string, number>> {
  const flow = build();
  flow.markInitialized();
  const random = new RandomStream(1);
  const x = random.normal([6, 4]);
  const context = random.normal([6, 2]);
  const counts = new Map<string, number>();
  const { kernels } = await tf.profile(() => {
    tf.tidy(() => void storedGradients(flow, { x, context }, random));
  });
  for (const { name } of kernels) {
    if (!FREE.includes(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  tf.dispose([x, context]);
  flow.dispose();
  return counts;
}

/** What one more layer takes. */
async function perLayer(build: (layers: number) => Flow): Promise<Record<string, number>> {
  const [few, more] = [await kernelsOf(() => build(2)), await kernelsOf(() => build(3))];
  const added = [...more].map(([name, count]) => [name, count - (few.get(name) ?? 0)] as const);
  return Object.fromEntries(added.filter(([, count]) => count !== 0));
}

/** A fused operation forward and back. */
const bothWays = (...names: string[]) =>
  Object.fromEntries(names.flatMap((name) => [name, `${name}Gradient`]).map((name) => [name, 1]));

describe.skipIf(!hasAdapter)('a layer of vectors on webgpu, with dropout and a context', () => {
  const options = { dimensions: 4, context: 2, dropout: 0.2, seed: 1 };

  it('of splines takes fused operations, and a sum of gradients', async () => {
    await activate('webgpu');
    const taken = await perLayer((layers) => neuralSplineFlow({ ...options, layers }));
    expect(taken).toEqual({ ...bothWays('FlowLuLinear', 'FlowPerceptron', 'FlowSplinesOfAll'), Add: 1 });
  });

  it('of autoregressive maps, too', async () => {
    await activate('webgpu');
    const taken = await perLayer((layers) => maskedAutoregressiveFlow({ ...options, layers }));
    expect(taken).toEqual({ ...bothWays('FlowLuLinear', 'FlowPerceptron', 'FlowAffine'), Add: 1 });
  });

  it('of affine couplings takes fused operations alone', async () => {
    await activate('webgpu');
    const taken = await perLayer((layers) => realNvp({ ...options, linear: true, layers }));
    expect(taken).toEqual(bothWays('FlowActNorm', 'FlowLuLinear', 'FlowPerceptronCoupling'));
  });
});
