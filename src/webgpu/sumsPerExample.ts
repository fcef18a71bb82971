import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Gpu } from './gpu';
import { type Program, read, write } from './program';
import { FLAT, flatGroups, groupMain, sumOfGroup } from './wgsl';

/*
 * Programs that go through the values of examples and sum something over each: some invocations side by side take an example, a whole
 * workgroup a large one. One that is larger still is cut into shares, whose sums another program adds: few large examples would leave
 * most of a GPU idle.
 */

/** Values of an example that one invocation goes through, at most. */
const MOST_ROUNDS = 64;

/** How many invocations take an example of so many values: few different numbers, as each is a program of its own. */
export function lanesFor(perExample: number): number {
  if (perExample <= 8) return 1;
  return [8, 64].find((lanes) => perExample <= 16 * lanes) ?? FLAT;
}

/**
 * An entry over the values of each example: `body` adds to `sum` what belongs to the value at `at`, and the sums go to a buffer. With
 * `sumOfGroup(undefined, lanes)`; sizes `examples`, `perExample` and `shares`.
 */
export function perExampleMain(lanes: number, body: string, sums: string): string {
  const perGroup = FLAT / lanes;
  return groupMain(`
  let example = thing / sizes.shares * ${perGroup}u + local / ${lanes}u;
  let share = thing % sizes.shares;
  let lane = local % ${lanes}u;
  let first = example * sizes.perExample;
  var sum = 0f;
  var end = first;
  if (example < sizes.examples) { end += sizes.perExample; }
  for (var at = first + share * ${lanes}u + lane; at < end; at += sizes.shares * ${lanes}u) {
    ${body}
  }
  sum = sumOfGroup(local, sum);
  if (lane == 0u && example < sizes.examples) { ${sums}[example * sizes.shares + share] = sum; }`);
}

/** How examples are shared out: invocations for each, side by side, and invocations of a workgroup. */
export interface Sharing {
  lanes: number;
  size: number;
}

/**
 * Sums [n] of what `compute` writes, a sum for each example, or for each share of one.
 *
 * @param compute given where the sums go, the number of shares, and the workgroups
 */
export function sumsOf(
  gpu: Gpu,
  examples: number,
  perExample: number,
  { lanes, size }: Sharing,
  compute: (sums: TensorInfo, shares: number, groups: [number, number, number]) => void,
): TensorInfo {
  const result = gpu.output([examples]);
  const shares = Math.max(1, Math.ceil(perExample / (MOST_ROUNDS * size)));
  const groups = flatGroups(Math.ceil((examples * lanes) / size) * shares, 1);
  if (shares === 1) {
    compute(result, 1, groups);
    return result;
  }
  gpu.withScratch([examples * shares], (sums) => {
    compute(sums, shares, groups);
    gpu.run(sharesAdded, [sums, result], flatGroups(examples, 1), [examples, shares]);
  });
  return result;
}

const sharesAdded: Program = {
  key: 'sharesOfExamples',
  buffers: { given: read(), result: write() },
  sizes: ['examples: u32', 'shares: u32'],
  code: () => `${sumOfGroup(64)}
${groupMain(
  `
  var sum = 0f;
  for (var at = local; at < sizes.shares; at += 64u) { sum += given[thing * sizes.shares + at]; }
  sum = sumOfGroup(local, sum);
  if (local == 0u && thing < sizes.examples) { result[thing] = sum; }`,
  64,
)}`,
};
