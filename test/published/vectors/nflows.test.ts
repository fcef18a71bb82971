import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { VectorSettings } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';
import { expectSame, vectorFixture } from './fixture';

/** What the files of these models do not say, where it is not the library's default. */
const models: [name: string, config: VectorSettings][] = [
  ['nflows_maf_context', {}],
  ['nflows_nsf_coupling', { bound: 3 }],
  ['nflows_nsf_coupling_context', { bound: 4 }],
  ['nflows_realnvp', {}],
  ['nflows_rqs_autoregressive', { bound: 3 }],
  ['nflows_sbi_maf', {}],
  ['nflows_sbi_nsf', {}],
];

describe.each(['cpu', 'wasm'])('flows of nflows and sbi on %s', (backend) => {
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
