import '@tensorflow/tfjs-backend-cpu';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCelebALike } from '../cli/celebALike';
import { fixture } from '../support/fixture';
import { pretendTslab } from '../support/tslab';
import { hasAdapter } from '../webgpu/adapter';
import { readExports } from './docstrings';
import { makeGuideScope } from './guideScope';
import { readBlocks } from './guides';
import { keepIndexedDbInMemory } from './indexedDb';
import { runExample, type Scope } from './run';
import { makeScope } from './scope';

const entries = ['', 'attributes/', 'testing/', 'node/', 'wasm/', 'webgpu/', 'notebook/'].map(
  (folder) => `src/${folder}index.ts`,
);
const inGuides = (await readBlocks()).filter(({ mark }) => mark === 'example');
const { examples, without, undocumented } = readExports(entries, 'tsconfig.json');

describe('examples in docstrings', () => {
  const project = process.cwd();
  let scope: Scope;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tfjs-flows-examples-'));
    process.chdir(folder);
    keepIndexedDbInMemory();
    pretendTslab();
    await tf.setBackend('cpu');
    // A checkpoint where the example of importCheckpointFile has one.
    await mkdir('results/celeba', { recursive: true });
    await writeFile('results/celeba/trained.pkg', fixture('glow/chaiyujin_affine_lu_top/checkpoint.pt'));
    writeCelebALike('celeba', 2);
    scope = await makeScope();
  });

  afterAll(async () => {
    process.chdir(project);
    await rm(folder, { recursive: true });
  });

  it('stand at every exported function, class and constant', () => {
    expect(without).toEqual([]);
  });

  it('belong to docstrings, which every exported name has', () => {
    expect(undocumented).toEqual([]);
  });

  describe('and in guides, with data that stand for the reader’s', () => {
    let given: Scope;

    beforeAll(() => {
      given = makeGuideScope(scope);
    });

    it.for(inGuides)('$guide:$line runs', async ({ code }, { skip }) => {
      skip(!hasAdapter && /webgpu/i.test(code), 'there is no WebGPU adapter');
      await runExample(code, given);
      await tf.setBackend('cpu');
    });
  });

  it.for(examples)('$name runs', async ({ code }, { skip }) => {
    skip(!hasAdapter && /webgpu/i.test(code), 'there is no WebGPU adapter');
    await runExample(code, scope);
    await tf.setBackend('cpu');
  });
});
