import * as tf from '@tensorflow/tfjs-core';
import { type ImportOptions, importCheckpoint, type NdArray, readNpz, type VectorFlow } from 'tfjs-flows';
import { expect } from 'vitest';
import { fixture } from '../../support/fixture';
import { tensorOf } from '../../support/publishedVectors';

/** What Python gave, a folder of test/fixtures/vector. */
export interface VectorFixture {
  /** The library's results: `x`, `context`, `z64`, `log_prob64`, `u`, `context_u`, `samples64`. */
  io: Readonly<Record<string, NdArray>>;
  bytes(file: 'checkpoint.pt' | 'weights.npz'): Uint8Array;
}

export function vectorFixture(name: string): VectorFixture {
  return {
    io: readNpz(fixture(`vector/${name}/io.npz`)),
    bytes: (file) => fixture(`vector/${name}/${file}`),
  };
}

/** Rows of a fixture, as a user pastes them. */
export function referenceOf({ io }: VectorFixture, rows = 8) {
  const first = ({ shape: [, d = 1], data }: NdArray) =>
    Array.from({ length: rows }, (_, i) => Array.from(data.subarray(i * d, (i + 1) * d)));
  return {
    x: first(io.x),
    ...(io.context && { context: first(io.context) }),
    logProb: Array.from(io.log_prob64.data.subarray(0, rows)),
  };
}

/** Largest difference from a float64 array, in units of max(1, |value|) where `relative`. */
export function furthest(found: tf.Tensor, { data }: NdArray, relative: boolean): number {
  const differences = Array.from(found.dataSync(), (value, i) => {
    return Math.abs(value - data[i]) / (relative ? Math.max(1, Math.abs(data[i])) : 1);
  });
  expect(differences.length).toBe(data.length);
  return differences.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...differences);
}

/**
 * That a file's flow gives the library's own results. Its float32 reaches the float64 arrays within 4e-5 in values, and 7e-6 of log-densities.
 */
export async function expectSame(
  fixtureOf: VectorFixture,
  file: 'checkpoint.pt' | 'weights.npz',
  options: ImportOptions,
): Promise<void> {
  const { io, bytes } = fixtureOf;
  const flow = await importCheckpoint<VectorFlow>(bytes(file), options);
  tf.tidy(() => {
    const given = (part: string) => (io[part] ? { context: tensorOf(io[part]) } : {});
    const [x, u] = [tensorOf(io.x), tensorOf(io.u)];
    expect(furthest(flow.encode(x, given('context')), io.z64, false)).toBeLessThan(1e-4);
    expect(furthest(flow.logProb(x, given('context')), io.log_prob64, true)).toBeLessThan(2e-5);
    expect(furthest(flow.decode(u, given('context_u')), io.samples64, false)).toBeLessThan(1e-4);
  });
  flow.dispose();
}
