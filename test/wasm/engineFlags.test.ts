import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundle } from '../support/bundle';

/** Inside the repository, ignored by git. */
const folder = fileURLToPath(new URL('../../output/engineFlags/', import.meta.url));

/** V8 derives the tag from all of its flags: what prints it finds out whether any is not what it was. */
const program = `
  import v8 from 'node:v8';
  import { prepareWasm } from 'tfjs-flows/wasm';
  for (const flag of process.argv.slice(2)) v8.setFlagsFromString(flag);
  const before = v8.cachedDataVersionTag();
  // Node 24 does not wait for the backend's own module where that compiles at once.
  const waiting = setInterval(() => {}, 1000);
  const { fusedMultiplyAdd } = await prepareWasm({ threads: 1 });
  clearInterval(waiting);
  console.log(JSON.stringify({ kept: v8.cachedDataVersionTag() === before, fusedMultiplyAdd }));`;

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'flags.ts'), program);
  await bundle([join(folder, 'flags.ts')], folder);
});

afterAll(() => rm(folder, { recursive: true }));

/** The flag of the instructions that this engine hides, if it has it. */
const built = (process.config.variables as Record<string, unknown>).v8_enable_wasm_simd256_revec === 1;
const relaxed = process.versions.v8.startsWith('11.') ? ['--experimental-wasm-relaxed-simd'] : [];
const hidden = built ? ['--experimental-wasm-revectorize'] : relaxed;

it.each([
  { atStart: [], later: [] },
  { atStart: ['--no-liftoff'], later: [] },
  { atStart: ['--no-wasm-lazy-compilation', ...hidden], later: [] },
  { atStart: [], later: ['--no-liftoff', '--no-wasm-lazy-compilation', ...hidden] },
])('flags of V8 are after prepareWasm what they were before: %j', ({ atStart, later }) => {
  const output = execFileSync(process.execPath, [...atStart, join(folder, 'flags.mjs'), ...later]);
  expect(JSON.parse(output.toString())).toEqual({ kept: true, fusedMultiplyAdd: true });
});
