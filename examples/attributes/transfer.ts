import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Matrix } from 'tfjs-flows';
import { type MetSubclass, manipulate } from 'tfjs-flows/attributes';
import { type Frame, frameOf, imageSheet, type RangeRow } from 'tfjs-flows/notebook';
import { drawable } from '../drawable';

/** How a subclass that was met is drawn. */
export interface Drawing {
  /** Pictures of the few samples, as whole levels [n, h, w, c]. */
  photographs: { data: Float32Array; shape: readonly number[] };
  /** Pictures of latents, as whole levels. */
  decode: (z: Matrix) => Promise<Float32Array>;
  nBits: number;
}

/**
 * Draws the sweep of every one of the few samples over the strengths, framed by what is learnable.
 *
 * @returns the ranges, for a plot
 */
export async function drawTransfer(
  { posterior, direction, ranges, transfers }: MetSubclass,
  { photographs, decode, nBits }: Drawing,
  strengths: readonly number[],
  file: string,
): Promise<RangeRow[]> {
  const { samples } = posterior;
  const sweep = manipulate(samples, direction, strengths);
  const moved = drawable(await decode(sweep.z));
  const size = moved.length / sweep.z.rows;
  const columns = strengths.length + 1;
  const cells = new Float32Array(samples.rows * columns * size);
  const frames: Frame[] = [];
  ranges.forEach((range, i) => {
    cells.set(photographs.data.subarray(i * size, (i + 1) * size), i * columns * size);
    const own = moved.subarray(i * strengths.length * size, (i + 1) * strengths.length * size);
    cells.set(own, (i * columns + 1) * size);
    frames.push('given', ...strengths.map((strength) => frameOf(range, strength)));
  });
  const shape = [samples.rows * columns, ...photographs.shape.slice(1)];
  const sheet = await imageSheet({ data: cells, shape }, { columns, nBits, frames });
  writeFileSync(file, sheet.content);
  console.log(`  ${file}: photographs, then strengths ${strengths.join(', ')}`);
  return ranges.map((range, i) => ({
    name: `sample ${i + 1}`,
    prior: range.range ?? [0, 0],
    own: range.own ?? [0, 0],
    applied: transfers[i]?.strength ?? 0,
  }));
}

/** Writes a file and says so. */
export function writeText(folder: string, name: string, text: string): void {
  const file = join(folder, name);
  writeFileSync(file, text);
  console.log(`  ${file}`);
}
