import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { inspectCheckpoint, type VectorSettings } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';
import { expectSame, vectorFixture } from './fixture';

/** What the files of these models do not say, where it is not the library's default. */
const models: Record<string, VectorSettings> = {
  nflows_lists: { activation: 'elu' },
  nflows_maf_context: {},
  nflows_nsf_coupling: { bound: 3 },
  nflows_nsf_coupling_context: { bound: 4 },
  nflows_realnvp: {},
  nflows_rqs_autoregressive: { bound: 3 },
  nflows_sbi_maf: {},
  nflows_sbi_nsf: {},
  nflows_sbi_scalar: {},
  normflows_nsf_coupling_lu: {},
  normflows_nsf_autoregressive: {},
  normflows_maf_stock: {},
  normflows_maf_reversed: {},
  normflows_nsf_context: {},
  normflows_realnvp_gmm: {},
  normflows_circular_coupling: {},
  zuko_nsf: {},
  zuko_nsf_coupling_context: {},
  zuko_nsf_residual: { activation: 'elu' },
  zuko_maf_context: {},
  zuko_ncsf: {},
  zuko_realnvp_context: {},
  zuko_gmm_base: {},
};

const libraryOf = (name: string) => (name.includes('sbi') ? 'sbi' : name.split('_')[0]);

it('there are all fixtures', () => {
  const folder = fileURLToPath(new URL('../../fixtures/vector', import.meta.url));
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(models).sort());
});

it.each(Object.keys(models))('%s is recognized', (name) => {
  const { library, leftOut } = inspectCheckpoint(vectorFixture(name).bytes('checkpoint.pt'));
  expect({ library, leftOut }).toEqual({ library: libraryOf(name), leftOut: [] });
});

describe.each(['cpu', 'wasm'])('flows of nflows, sbi, zuko and normflows on %s', (backend) => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
    await tf.setBackend(backend);
  });

  it.each(Object.entries(models))('%s', (name, config) =>
    leavesNoTensors(() => {
      const fixture = vectorFixture(name);
      expectSame(fixture, 'checkpoint.pt', { config });
      expectSame(fixture, 'weights.npz', { config });
    }),
  );
});
