import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { VectorSettings } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';
import { expectSame, vectorFixture } from './fixture';

/** What the files of these models do not say, where it is not the library's default. */
const models: [name: string, config: VectorSettings][] = [
  ['normflows_nsf_coupling_lu', {}],
  ['normflows_nsf_autoregressive', {}],
  ['normflows_maf_stock', {}],
  ['normflows_maf_reversed', {}],
  ['normflows_nsf_context', {}],
  ['normflows_realnvp_gmm', {}],
  ['normflows_circular_coupling', {}],
];

describe.each(['cpu', 'wasm'])('flows of normflows on %s', (backend) => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
    await tf.setBackend(backend);
  });

  it.each(models)('%s', (name, config) =>
    leavesNoTensors(() => {
      const fixture = vectorFixture(name);
      expectSame(fixture, 'checkpoint.pt', { config });
      expectSame(fixture, 'weights.npz', { config });
    }),
  );
});
