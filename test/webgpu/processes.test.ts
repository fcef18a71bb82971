import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../support/bundle';
import { hasAdapter } from './adapter';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Inside the repository, ignored by git. */
const programs = join(root, 'output/webgpuProcesses');

const asks = `
  import { prepareWebGpu } from 'tfjs-flows/webgpu';
  try {
    await prepareWebGpu();
    console.log('prepared');
  } catch (error) {
    console.log(error.name, error.missing, error.message);
  }
  console.log('gpu' in (globalThis.navigator ?? {}), 'GPUBuffer' in globalThis);`;

const trains = (last: string) => `
  import * as tf from '@tensorflow/tfjs-core';
  import { prepareWebGpu } from 'tfjs-flows/webgpu';
  const { backend, release } = await prepareWebGpu();
  const sum = tf.sum(tf.add(tf.ones([2000]), 1));
  console.log(backend, (await sum.data())[0]);
  tf.add(tf.ones([2000]), 2);
  ${last}`;

beforeAll(async () => {
  await mkdir(programs, { recursive: true });
  const texts = {
    asks,
    // What is freed later needs none of the globals that are gone by then.
    releases: trains('await release();\n  sum.dispose();\n  console.log(typeof GPUBuffer);'),
    forgets: trains(''),
    throws: trains("throw new Error('on purpose');"),
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(programs, `${name}.ts`), text);
  await bundle(
    Object.keys(texts).map((name) => join(programs, `${name}.ts`)),
    programs,
  );
});

afterAll(() => rm(programs, { recursive: true }));

/** Runs a program in a process of its own, until that ends by itself. */
const run = (file: string, env: Record<string, string> = {}) =>
  promisify(execFile)(process.execPath, [file], { env: { ...process.env, ...env }, timeout: 30_000 });

describe.skipIf(!hasAdapter)('a process with a GPU ends by itself', () => {
  it.each([
    ['releases', 'webgpu 4000\nundefined\n'],
    ['forgets', 'webgpu 4000\n'],
  ])('where it %s it', async (name, said) => {
    expect((await run(join(programs, `${name}.mjs`))).stdout).toContain(said);
  });

  it('where its work fails', async () => {
    await expect(run(join(programs, 'throws.mjs'))).rejects.toMatchObject({
      killed: false,
      stderr: expect.stringContaining('on purpose'),
    });
  });
});

describe('without a GPU prepareWebGpu says what to install', () => {
  let folder: string;

  /** A project that has the given files as the package webgpu, and none of ours where there are none. */
  async function project(files: Record<string, string>): Promise<string> {
    const inside = await mkdtemp(join(folder, 'project-'));
    await cp(programs, inside, { recursive: true });
    await mkdir(join(inside, 'node_modules/webgpu'), { recursive: true });
    for (const name of ['@tensorflow', 'seedrandom', 'fflate', 'long']) {
      await symlink(join(root, 'node_modules', name), join(inside, 'node_modules', name));
    }
    for (const [name, text] of Object.entries(files))
      await writeFile(join(inside, 'node_modules/webgpu', name), text);
    return join(inside, 'asks.mjs');
  }

  const manifest = (version: string) => JSON.stringify({ version, type: 'module', main: 'index.js' });
  const throwing = (code: string, message: string) => ({
    'package.json': manifest('0.6.2'),
    'index.js': `throw Object.assign(new Error(${JSON.stringify(message)}), { code: '${code}' });`,
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tfjs-flows-webgpu-'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    [
      'no package',
      {},
      /package prepareWebGpu: the packages for WebGPU are not installed\. npm install webgpu @tensorflow\/tfjs-backend-webgpu/,
    ],
    [
      'an old one',
      { 'package.json': manifest('0.5.9') },
      /package .*version 0\.6\.2 or newer, got 0\.5\.9\. npm install webgpu@latest/,
    ],
    [
      'an old system',
      throwing('ERR_DLOPEN_FAILED', "version `GLIBCXX_3.4.30' not found"),
      /package .*libstdc\+\+ of GCC 12.*Ubuntu 22\.04/,
    ],
    [
      'another processor',
      throwing('MODULE_NOT_FOUND', 'Cannot find module dist/linux-riscv64'),
      /package .*has nothing for \w+ on \w+/,
    ],
    [
      'one that is damaged',
      throwing('ERR_DLOPEN_FAILED', 'invalid ELF header'),
      /package .*does not load\. \(invalid ELF header\)/,
    ],
  ] as [string, Record<string, string>, RegExp][])('%s', async (_, files, message) => {
    const { stdout } = await run(await project(files));
    expect(stdout).toMatch(message);
    expect(stdout).toMatch(/^NoGpuError/);
    expect(stdout.trimEnd().endsWith('false false')).toBe(true);
  });

  it('takes newer versions', async () => {
    const files = { 'package.json': manifest('1.0.0'), 'index.js': "throw new Error('newer')" };
    expect((await run(await project(files))).stdout).toContain('does not load. (newer)');
  });

  describe.skipIf(!hasAdapter || process.platform !== 'linux')('on Linux', () => {
    it('with no driver', async () => {
      const { stdout } = await run(join(programs, 'asks.mjs'), {
        VK_ICD_FILENAMES: '/none.json',
        VK_DRIVER_FILES: '/none.json',
      });
      expect(stdout).toMatch(
        /^NoGpuError driver .*Vulkan finds no GPU.*NVIDIA_DRIVER_CAPABILITIES=graphics.*mesa-vulkan-drivers/,
      );
      expect(stdout).toMatch(/false false\n$/);
    });

    it('with no loader', async () => {
      // One that is empty stands before the system's.
      await writeFile(join(folder, 'libvulkan.so.1'), '');
      const { stdout } = await run(join(programs, 'asks.mjs'), { LD_LIBRARY_PATH: folder });
      expect(stdout).toMatch(/^NoGpuError driver .*loader of Vulkan is missing\. apt install libvulkan1/);
    });
  });
});
