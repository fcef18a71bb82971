import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** Reference results; see test/fixtures/README.md. */
export const golden = JSON.parse(
  readFileSync(fileURLToPath(new URL('../fixtures/normality_golden.json', import.meta.url)), 'utf8'),
);

/** |actual - expected| within `relative` of |expected|, or within `absolute`. */
export function expectClose(actual: number | null, expected: number, relative: number, absolute = 0): void {
  expect(actual).not.toBeNull();
  const tolerance = Math.max(relative * Math.abs(expected), absolute);
  const distance = actual === expected ? 0 : Math.abs((actual as number) - expected);
  expect(distance <= tolerance, `${actual} should be ${expected} within ${tolerance}`).toBe(true);
}
