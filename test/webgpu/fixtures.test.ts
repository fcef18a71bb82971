import * as tf from '@tensorflow/tfjs-core';
import { type Bijector, importCheckpoint, type NdArray, type VectorFlow } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadReference, names } from '../published/reference';
import { tensorOf, vectorFixture } from '../published/vectors/fixture';
import { relativeDifference } from '../support/agreement';
import { publishedVectors } from '../support/publishedVectors';
import { hasAdapter } from './adapter';
import { activate } from './onBoth';

/** An array of a Glow's fixture, NCHW, as an NHWC tensor. */
function image(array: NdArray): tf.Tensor {
  const x = tensorOf(array);
  return x.rank === 4 ? tf.transpose(x, [0, 2, 3, 1]) : x;
}

async function valuesOf(compute: () => tf.Tensor): Promise<Float32Array> {
  const result = tf.tidy(compute);
  const values = await result.data<'float32'>();
  result.dispose();
  return values as Float32Array;
}

/** Log-density of the model's images, and what comes back of their latents. */
function results(
  bijector: Bijector,
  logProb: (z: tf.Tensor) => tf.Tensor,
  io: Record<string, NdArray>,
  conditioned: boolean,
) {
  const context = conditioned ? image(io.y) : undefined;
  const x = io.noise === undefined ? image(io.x) : tf.add(image(io.x), image(io.noise));
  const { value, logDet } = bijector.forward(x, context);
  const back = bijector.inverse(value, context).value;
  return { x, total: tf.add(logProb(value), logDet), back };
}

// float32 on both sides: log-densities to 2e-5, values to 1e-4.
describe.skipIf(!hasAdapter)('published flows on webgpu', () => {
  beforeAll(() => activate('webgpu'));

  describe.each([undefined, true])('1x1 convolutions as LU: %s', (lu) => {
    it.each(names)('%s', async (name) => {
      const { glow, bijector, io, config } = loadReference(name, 'checkpoint.pt', { lu });
      const of = (part: 'total' | 'x' | 'back') =>
        valuesOf(() => results(bijector, (z) => glow.base.logProb(z), io, config.y_condition)[part]);
      const [, , height, width] = io.x.shape;
      // chaiyujin's objective has the constant -log(256) per position, rosinality's parts come apart.
      const expected =
        io.objective === undefined
          ? Array.from(io.log_p.data, (value, i) => Number(value) + Number(io.logdet.data[i]))
          : Array.from(io.objective.data, (value) => {
              return Number(value) + Math.log(256) * height * width;
            });
      expect(relativeDifference(expected, await of('total'))).toBeLessThan(2e-5);
      expect(relativeDifference(await of('x'), await of('back'))).toBeLessThan(1e-4);
      glow.dispose();
    });
  });

  it.each(Object.entries(publishedVectors))('%s', async (name, config) => {
    const { io, bytes } = vectorFixture(name);
    const flow = importCheckpoint<VectorFlow>(bytes('checkpoint.pt'), { config });
    const given = (part: string) => (io[part] ? { context: tensorOf(io[part]) } : {});
    const logProb = await valuesOf(() => flow.logProb(tensorOf(io.x), given('context')));
    const latents = await valuesOf(() => flow.encode(tensorOf(io.x), given('context')));
    const samples = await valuesOf(() => flow.decode(tensorOf(io.u), given('context_u')));
    expect(relativeDifference(Array.from(io.log_prob64.data, Number), logProb)).toBeLessThan(2e-5);
    expect(relativeDifference(Array.from(io.z64.data, Number), latents)).toBeLessThan(1e-4);
    expect(relativeDifference(Array.from(io.samples64.data, Number), samples)).toBeLessThan(1e-4);
    flow.dispose();
  });
});
