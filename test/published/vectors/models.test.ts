import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { inspectCheckpoint } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';
import { publishedVectors as models } from '../../support/publishedVectors';
import { expectSame, vectorFixture } from './fixture';

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
    leavesNoTensors(async () => {
      const fixture = vectorFixture(name);
      await expectSame(fixture, 'checkpoint.pt', { config });
      await expectSame(fixture, 'weights.npz', { config });
    }),
  );
});
