import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';
import { type Arrays, readVectorFixture } from './arrays';
import { publishedFlow } from './flow';

const folder = fileURLToPath(new URL('../../fixtures/vector', import.meta.url));
const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

const tensor = (io: Arrays, name: string) => {
  const { shape, values } = io.get(name);
  return tf.tensor(values, shape, 'float32');
};
/** Largest difference from a float64 array, in units of max(1, |value|) where `relative`. */
const furthest = (found: tf.Tensor, io: Arrays, name: string, relative: boolean): number => {
  const expected = io.values(name);
  const differences = Array.from(found.dataSync(), (value, i) => {
    return Math.abs(value - expected[i]) / (relative ? Math.max(1, Math.abs(expected[i])) : 1);
  });
  expect(differences.length).toBe(expected.length);
  return differences.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...differences);
};

it('there are all fixtures', () => {
  expect(names.length).toBe(21);
});

// The float64 results of the libraries, which in float32 reach them within 4e-5 and, in log-densities, 7e-6 themselves.
describe.each(['cpu', 'wasm'])('flows of nflows, zuko and normflows on %s', (backend) => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
    await tf.setBackend(backend);
  });

  it.each(names)('%s', (name) =>
    leavesNoTensors(() => {
      const { config, weights, io } = readVectorFixture(name);
      const flow = publishedFlow(config, weights);
      tf.tidy(() => {
        const contextOf = (part: string) =>
          config.context_features > 0 ? { context: tensor(io, part) } : {};
        const given = contextOf('context');
        const x = tensor(io, 'x');
        expect(furthest(flow.encode(x, given), io, 'z64', false)).toBeLessThan(1e-4);
        expect(furthest(flow.logProb(x, given), io, 'log_prob64', true)).toBeLessThan(2e-5);
        const u = tensor(io, 'u');
        expect(furthest(flow.decode(u, contextOf('context_u')), io, 'samples64', false)).toBeLessThan(1e-4);
      });
      flow.dispose();
    }),
  );
});
