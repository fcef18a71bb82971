import { bijectorChecks, checkBijector } from 'tfjs-flows/testing';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, it } from 'vitest';
import { registry } from '../conformance/registry';

describe('conformance on prepared wasm', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 2 });
  });

  describe.each(Object.keys(registry))('%s', (name) => {
    it.each(bijectorChecks)('%s', async (check) => {
      await checkBijector(registry[name], [check]);
    });
  });
});
