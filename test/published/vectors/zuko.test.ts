import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { VectorSettings } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';
import { expectSame, vectorFixture } from './fixture';

/** What the files of these models do not say, where it is not the library's default. */
const models: [name: string, config: VectorSettings][] = [
  ['zuko_nsf', {}],
  ['zuko_nsf_coupling_context', {}],
  ['zuko_nsf_residual', { activation: 'elu' }],
  ['zuko_maf_context', {}],
  ['zuko_ncsf', {}],
  ['zuko_realnvp_context', {}],
  ['zuko_gmm_base', {}],
];

describe.each(['cpu', 'wasm'])('flows of zuko on %s', (backend) => {
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
