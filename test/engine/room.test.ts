import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** Ways to what TensorFlow.js does not document: its engine, and fields of optimizers and of backends. */
const PRIVATE =
  /\bengine\(\)|\.activeTape\b|\.gradientDepth\b|\.kernelDepth\b|\.registeredVariables\b|\.refCount\(|\.incRef\(|\biterations_\b/;
/** The one room for them, and doors, each to a backend whose inside it knows. */
const ALLOWED = /^(engine|wasm|webgpu)\//;
/** Names of backends are for doors, and for who chooses one. */
const BACKEND_NAMES = /getBackend\(\)\s*[!=]==?|[!=]==?\s*(tf\.)?getBackend\(\)|tf\.getKernel\(/;

const root = new URL('../../src/', import.meta.url);
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts') && !ALLOWED.test(name));

it.each([
  ['private fields of TensorFlow.js are known to engine/ and the doors of backends alone', PRIVATE],
  ['no code compares the names of backends', BACKEND_NAMES],
])('%s', (_, pattern) => {
  const found = files.flatMap((name) =>
    readFileSync(new URL(name, root), 'utf8')
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${name}:${i + 1}: ${line.trim()}`] : [])),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});
