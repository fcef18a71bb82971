import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { importCheckpoint, type NdArray, readNpz, writeNpz } from 'tfjs-flows';
import { beforeAll, expect, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';
import { tensorOf } from '../../support/publishedVectors';
import { vectorFixture } from './fixture';

beforeAll(() => tf.setBackend('cpu'));

const { io, bytes } = vectorFixture('nflows_sbi_maf');
const linear = 'net._transform._transforms.1.autoregressive_net.blocks.0.linear';

/** Log-densities where some entries of an array are 0. */
async function withZeros(array: string, isZero: (i: number) => boolean): Promise<Float32Array> {
  const arrays: Record<string, NdArray> = { ...readNpz(bytes('weights.npz')) };
  const { shape, data } = arrays[`${linear}.${array}`];
  arrays[`${linear}.${array}`] = {
    shape,
    data: Float32Array.from(data, (value, i) => (isZero(i) ? 0 : value)),
  };
  const flow = await importCheckpoint(writeNpz(arrays), { library: 'sbi' });
  const values = tf.tidy(() => flow.logProb(tensorOf(io.x), { context: tensorOf(io.context) }).dataSync());
  flow.dispose();
  return values as Float32Array;
}

// Every unit still depends on the same values, by the other weights: our masks, which follow from that, would let these weights through.
it('a weight that the mask of the file leaves out counts as 0', () =>
  leavesNoTensors(async () => {
    const few = (i: number) => i < 20 * 20 && i % 7 === 0;
    const masked = await withZeros('mask', few);
    expect(masked).toEqual(await withZeros('weight', few));
    expect(masked).not.toEqual(await withZeros('weight', () => false));
  }));
