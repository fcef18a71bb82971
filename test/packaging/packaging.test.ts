import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../browser/chromium';
import { smallStudy, writeOwnImages } from '../cli/ownImages';
import { readBlocks } from '../examples/guides';
import { hasAdapter } from '../webgpu/adapter';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const htmlBlocks = (await readBlocks()).filter(
  ({ language, mark }) => language === 'html' && mark === 'page',
);
const entries: string[] = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');

function run(command: string, args: string[], cwd: string): Promise<{ stdout: string }> {
  return promisify(execFile)(command, args, { cwd, maxBuffer: 2 ** 26 });
}

/** Programs of a user: the same text is run as ESM, as CommonJS, in a page and, with types, by the compiler. */
const program = readFileSync(join(root, 'test/packaging/program.ts'), 'utf8');
const wasmProgram = readFileSync(join(root, 'test/packaging/wasmProgram.ts'), 'utf8');
const webgpuProgram = readFileSync(join(root, 'test/packaging/webgpuProgram.ts'), 'utf8');
const filesProgram = readFileSync(join(root, 'test/packaging/filesProgram.ts'), 'utf8');

function asCommonJs(text: string): string {
  const required = text
    .replace(/import \* as (\w+) from ('[^']+')/g, 'const $1 = require($2)')
    .replace(/import (\{[^}]+\}) from ('[^']+')/g, 'const $1 = require($2)')
    .replace(/import ('[^']+')/g, 'require($1)');
  return `(async () => {\n${required}\n})();\n`;
}

/** What `npm install webgpu @tensorflow/tfjs-backend-webgpu` adds, as far as Node reads it; 50 MB less to fetch. */
async function installWebGpu(project: string): Promise<void> {
  const name = '@tensorflow/tfjs-backend-webgpu';
  const files = ['package.json', 'dist/tf-backend-webgpu.node.js'];
  for (const file of files) {
    await cp(join(root, 'node_modules', name, file), join(project, 'node_modules', name, file));
  }
  await symlink(join(root, 'node_modules/webgpu'), join(project, 'node_modules/webgpu')).catch(() => {});
}

describe('the packed package', () => {
  let project: string;

  beforeAll(async () => {
    expect(existsSync(join(root, 'dist/index.js')), 'dist, by npm run build').toBe(true);
    project = await mkdtemp(join(tmpdir(), 'tfjs-flows-packaging-'));
    const { stdout } = await run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', project],
      root,
    );
    const [{ filename }] = JSON.parse(stdout);
    await writeFile(join(project, 'package.json'), '{ "private": true }');
    await cp(join(root, 'test/fixtures/pictures'), join(project, 'pictures'), { recursive: true });
    // Nothing but the package: npm brings its peers along.
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`], project);
  });

  afterAll(() => rm(project, { recursive: true, force: true }));

  it('ships its licence, changelog and notices, and no sources or tests', async () => {
    const files = await readdir(join(project, 'node_modules/tfjs-flows'));
    expect(files.sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD_PARTY_NOTICES.md', 'dist', 'package.json'].sort(),
    );
  });

  it('names every package that the browser build contains in its notices', async () => {
    const { sources } = JSON.parse(await readFile(join(root, 'dist/index.global.js.map'), 'utf8'));
    const packages = sources.flatMap(
      (source: string) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? [],
    );
    const notices = await readFile(join(root, 'THIRD_PARTY_NOTICES.md'), 'utf8');
    expect(packages.length).toBeGreaterThan(0);
    for (const name of new Set(packages)) expect(notices).toContain(`[${name}]`);
  });

  it.each([
    ['ES module', 'program.mjs', program],
    ['CommonJS', 'program.cjs', asCommonJs(program)],
    ['ES module, wasm backend and files', 'wasm.mjs', wasmProgram],
    ['CommonJS, wasm backend and files', 'wasm.cjs', asCommonJs(wasmProgram)],
    ['ES module, image files on threads', 'files.mjs', filesProgram],
    ['CommonJS, image files on threads', 'files.cjs', asCommonJs(filesProgram)],
  ])('runs as %s', async (_, file, text) => {
    await writeFile(join(project, file), text);
    expect((await run('node', [file], project)).stdout).toContain('done');
  });

  it.skipIf(!hasAdapter).each([
    ['ES module', 'webgpu.mjs', webgpuProgram],
    ['CommonJS', 'webgpu.cjs', asCommonJs(webgpuProgram)],
  ])('runs on WebGPU as %s, with the optional packages', async (_, file, text) => {
    await installWebGpu(project);
    await writeFile(join(project, file), text);
    expect((await run('node', [file], project)).stdout).toContain('done');
  });

  it('has a command that runs: a published checkpoint, converted and sampled', async () => {
    const checkpoint = join(root, 'test/fixtures/glow/chaiyujin_affine_lu_top/checkpoint.pt');
    const command = (...words: string[]) => run('npx', ['--no-install', 'tfjs-flows', ...words], project);
    expect((await command('--help')).stdout).toContain('Usage: tfjs-flows <command>');
    await command('convert', checkpoint, 'glow.safetensors', '--threads', '1');
    const { stdout } = await command(
      'sample',
      'glow.safetensors',
      '--count',
      '2',
      '--json',
      '--threads',
      '1',
    );
    expect(JSON.parse(stdout)).toEqual({ count: 2, output: 'samples.png' });
    expect((await readFile(join(project, 'samples.png'))).subarray(1, 4).toString()).toBe('PNG');
  });

  describe('beside images of a user', () => {
    beforeAll(() => writeOwnImages(join(project, 'own'), { anna: 24, bob: 24, carl: 5 }));

    it('studies them by one command and one config', async () => {
      const config = { ...smallStudy, data: { csv: 'own/table.csv' }, output: 'found' };
      await writeFile(join(project, 'study.json'), JSON.stringify(config));
      const { stdout } = await run('npx', ['--no-install', 'tfjs-flows', 'study', 'study.json'], project);
      expect(stdout).toContain('done after 24 steps');
      const report = await readFile(join(project, 'found/report.md'), 'utf8');
      expect(report).toContain('### carl: 5 images');
    });

    it.each(['own', 'own/table.csv'])('runs the 60 lines to copy on %s', async (data) => {
      const text = await readFile(join(root, 'examples/train-your-own/train.mjs'), 'utf8');
      expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(60);
      await writeFile(join(project, 'train.mjs'), text);
      const output = `trained-${data.replaceAll(/\W/g, '-')}`;
      const { stdout } = await run('node', ['train.mjs', data, '2', output], project);
      expect(stdout).toContain(`${output}/moved.png: six held-out images`);
      expect((await readdir(join(project, output))).sort()).toEqual(['glow', 'moved.png', 'samples.png']);
    });
  });

  it('has declarations that a strict compiler accepts', async () => {
    await writeFile(join(project, 'program.ts'), program);
    await writeFile(join(project, 'wasmProgram.ts'), wasmProgram);
    await writeFile(join(project, 'webgpuProgram.ts'), webgpuProgram);
    const options = {
      module: 'nodenext',
      target: 'es2022',
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      types: [],
    };
    const config = {
      compilerOptions: { ...options, lib: ['es2022', 'dom'] },
      files: ['program.ts', 'wasmProgram.ts', 'webgpuProgram.ts'],
    };
    await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify(config));
    const { stdout } = await run(join(root, 'node_modules/.bin/tsc'), ['-p', project], project).catch(
      (e) => e,
    );
    expect(stdout).toBe('');
  });

  it.each(entries)('opens %s from both module systems', async (entry) => {
    const name = entry.replace('.', 'tfjs-flows');
    const count = 'console.log(Object.keys(m).filter((key) => key !== "default").length)';
    const imported = await run(
      'node',
      ['--input-type=module', '-e', `import * as m from '${name}'; ${count}`],
      project,
    );
    const required = await run(
      'node',
      ['--input-type=commonjs', '-e', `const m = require('${name}'); ${count}`],
      project,
    );
    expect(Number(imported.stdout)).toBeGreaterThan(0);
    expect(required.stdout).toBe(imported.stdout);
  });

  it.skipIf(!hasChromium).each(htmlBlocks)('runs as $guide:$line has it', async ({ code }) => {
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const said: string[] = [];
      page.on('pageerror', (error) => said.push(String(error)));
      page.on('console', (message) => said.push(message.text()));
      const local = {
        'https://cdn.jsdelivr.net/npm/@tensorflow/tfjs@4.22.0/dist/tf.min.js': join(
          root,
          'node_modules/@tensorflow/tfjs/dist/tf.min.js',
        ),
        'https://cdn.jsdelivr.net/npm/tfjs-flows': join(
          project,
          'node_modules/tfjs-flows',
          manifest.jsdelivr,
        ),
      };
      for (const [address, path] of Object.entries(local)) {
        await page.route(address, (route) => route.fulfill({ path, contentType: 'text/javascript' }));
      }
      // Readers train longer than a test can.
      const short = code.replace('steps: 300', 'steps: 3');
      const html = short.replace(/<\/script>\s*$/, "console.log('the end');</script>");
      await page.route('http://guide/', (route) => route.fulfill({ body: html, contentType: 'text/html' }));
      await page.goto('http://guide/');
      await expect.poll(() => said.at(-1), { timeout: 50_000 }).toBe('the end');
      expect(said.filter((text) => text.includes('Error'))).toEqual([]);
      expect(await page.evaluate(() => typeof (globalThis as Record<string, unknown>).tfjsFlows)).toBe(
        'object',
      );
      if (code.includes('console.log')) expect(said).toHaveLength(2);
    } finally {
      await browser.close();
    }
  });

  it.skipIf(!hasChromium)('runs in a page beside tf.min.js', async () => {
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      await page.addScriptTag({ path: join(root, 'node_modules/@tensorflow/tfjs/dist/tf.min.js') });
      await page.addScriptTag({ path: join(project, 'node_modules/tfjs-flows', manifest.unpkg) });
      const globals = program
        .replace(/import (\{[^}]+\}) from 'tfjs-flows';/, 'const $1 = tfjsFlows;')
        .replace(/import .*\n/g, '')
        .replace(/console\.log\('done'\)/, "return 'done'");
      const result = await page.evaluate(`(async () => {\n${globals}\n})()`);
      expect(errors).toEqual([]);
      expect(result).toBe('done');
    } finally {
      await browser.close();
    }
  });
});
