// Compiles assembly/ with and without relaxed SIMD into src/wasm/kernelBinaries.ts, and writes the layout of its argument blocks to
// src/wasm/kernelBlocks.ts. `--check` writes nothing and fails where a committed file is not what the sources give.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { kernelBlocks } from './kernelBlocks.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const options = [
  ['--baseDir', root, '--outFile', 'kernels.wasm'],
  '-O3 --converge --noAssert --runtime stub --enable simd --enable threads'.split(' '),
  // The memory is the backend's: none of our own data may be written to its start, so no segments are allowed.
  '--importMemory --noExportMemory --sharedMemory --initialMemory 1 --maximumMemory 65536'.split(' '),
].flat();

async function compile(features) {
  let binary;
  const { error, stdout, stderr } = await asc.main(['assembly/index.ts', ...options, ...features], {
    writeFile: (_name, contents) => {
      binary = contents;
    },
  });
  if (error !== null) throw new Error(`${stdout}${stderr}`);
  const warnings = stderr.toString();
  if (warnings !== '') throw new Error(warnings);
  return binary;
}

/** A task that other threads cannot look up would trap there, and the thread that opened the region would wait for ever. */
async function checkTasks() {
  const files = (await readdir(`${root}assembly`)).map((name) => readFile(`${root}assembly/${name}`, 'utf8'));
  const text = (await Promise.all(files)).join('\n');
  const named = (pattern) => new Set([...text.matchAll(pattern)].map(([, name]) => name));
  const listed = named(/case idof<(\w+)>\(\): run<\1>\(chunk\)/g);
  const missing = [...named(/\bparallel<([A-Z]\w+)>\(/g)].filter(
    (name) => name !== 'Task' && !listed.has(name),
  );
  if (missing.length > 0) throw new Error(`assembly/threads.ts: no case for ${missing.join(', ')}`);
}

await checkTasks();

function constant(name, description, binary) {
  return `/** ${description} */\nexport const ${name} =\n  '${Buffer.from(binary).toString('base64')}';\n`;
}

const binaries = async () =>
  [
    '// Made by `npm run build:kernels` from assembly/; do not edit.\n',
    constant('plainKernels', 'The kernels as a WebAssembly module, base64.', await compile([])),
    constant(
      'relaxedKernels',
      'The same with fused multiply-add (relaxed SIMD).',
      await compile(['--enable', 'relaxed-simd']),
    ),
  ].join('\n');

for (const [name, make] of [
  ['kernelBlocks', () => kernelBlocks(`${root}assembly`)],
  ['kernelBinaries', binaries],
]) {
  const file = `src/wasm/${name}.ts`;
  const source = await make();
  if (!process.argv.includes('--check')) {
    await writeFile(`${root}${file}`, source);
    console.log(`${file}: ${(source.length / 1024).toFixed(1)} kB`);
  } else if ((await readFile(`${root}${file}`, 'utf8')) !== source) {
    throw new Error(`${file} is out of date: run \`npm run build:kernels\` and commit it.`);
  }
}
