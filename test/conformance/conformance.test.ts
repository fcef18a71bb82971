import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { bijectorChecks, checkBijector } from 'tfjs-flows/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { registry } from './registry';

describe.each(['cpu', 'wasm'])('conformance on %s', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true);
  });

  describe.each(Object.keys(registry))('%s', (name) => {
    it.each(bijectorChecks)('%s', async (check) => {
      await checkBijector(registry[name], [check]);
    });
  });
});
