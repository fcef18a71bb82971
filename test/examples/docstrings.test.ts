import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readExports } from './docstrings';
import { keepIndexedDbInMemory } from './indexedDb';
import { runExample, type Scope } from './run';
import { makeScope } from './scope';

const entries = ['', 'attributes/', 'testing/', 'node/', 'wasm/'].map((folder) => `src/${folder}index.ts`);
const { examples, without } = readExports(entries, 'tsconfig.json');

describe('examples in docstrings', () => {
  const project = process.cwd();
  let scope: Scope;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tfjs-flows-examples-'));
    process.chdir(folder);
    keepIndexedDbInMemory();
    await tf.setBackend('cpu');
    scope = await makeScope();
  });

  afterAll(async () => {
    process.chdir(project);
    await rm(folder, { recursive: true });
  });

  it('stand at every exported function and class', () => {
    expect(without).toEqual([]);
  });

  it.each(examples)('$name runs', async ({ code }) => {
    await runExample(code, scope);
    await tf.setBackend('cpu');
  });
});
