import { bijectorChecks, checkBijector } from 'tfjs-flows/testing';
import { beforeAll, describe, it } from 'vitest';
import { registry } from '../conformance/registry';
import { freshBackend } from './heap';

describe.each([1, 2])('conformance on prepared wasm, %i threads', (threads) => {
  beforeAll(async () => {
    await freshBackend(threads);
  });

  describe.each(Object.keys(registry))('%s', (name) => {
    it.each(bijectorChecks)('%s', async (check) => {
      await checkBijector(registry[name], [check]);
    });
  });
});
