import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { hasAdapter, SOFTWARE } from './adapter';

// Else all the tests of WebGPU would be skipped there, and nobody would know.
it.runIf(process.env.CI !== undefined && existsSync(SOFTWARE))('CI has an adapter for WebGPU', () => {
  expect(hasAdapter, 'libvulkan1 beside chromium').toBe(true);
});
