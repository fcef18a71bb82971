import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Matrix, NotLearnableError } from 'tfjs-flows';
import {
  type AttributeDirection,
  learnableRange,
  type MixedNormalityReport,
  manipulate,
  type Posterior,
  transferDelta,
} from 'tfjs-flows/attributes';
import { type Frame, frameOf, imageSheet, type RangeRow } from 'tfjs-flows/notebook';

/** What is carried over, and to whom. */
export interface Transfer {
  direction: AttributeDirection;
  posterior: Posterior;
  mixing: MixedNormalityReport;
  /** Pictures of the samples behind the posterior, as whole levels [n, h, w, c]. */
  photographs: { data: Float32Array; shape: readonly number[] };
  /** Pictures of latents, as whole levels. */
  decode: (z: Matrix) => Promise<Float32Array>;
  nBits: number;
}

/**
 * Draws the sweep of every sample over the strengths, framed by what is learnable, and asks `transferDelta` for the largest strength.
 *
 * @returns the ranges, for a plot
 */
export async function drawTransfer(
  transfer: Transfer,
  strengths: readonly number[],
  file: string,
): Promise<RangeRow[]> {
  const { decode, direction, posterior, mixing, photographs, nBits } = transfer;
  const { samples } = posterior;
  const sweep = manipulate(samples, direction, strengths);
  const moved = await decode(sweep.z);
  const size = moved.length / sweep.z.rows;
  const columns = strengths.length + 1;
  const cells = new Float32Array(samples.rows * columns * size);
  const frames: Frame[] = [];
  const rows: RangeRow[] = [];
  for (let i = 0; i < samples.rows; i++) {
    const range = learnableRange(posterior, samples.row(i), direction, { mixing });
    cells.set(photographs.data.subarray(i * size, (i + 1) * size), i * columns * size);
    cells.set(
      moved.subarray(i * strengths.length * size, (i + 1) * strengths.length * size),
      (i * columns + 1) * size,
    );
    frames.push('given', ...strengths.map((strength) => frameOf(range, strength)));
    rows.push({
      name: `sample ${i + 1}`,
      prior: range.range ?? [0, 0],
      own: range.own ?? [0, 0],
      applied: largestStrength(direction, posterior, samples.row(i), mixing),
    });
    if (i === 0)
      console.log(`  beyond the own range: ${range.refusal ?? 'vouched for by the other subclasses'}`);
  }
  const shape = [samples.rows * columns, ...photographs.shape.slice(1)];
  const sheet = await imageSheet({ data: cells, shape }, { columns, nBits, frames });
  writeFileSync(file, sheet.content);
  console.log(`  ${file}: photographs, then strengths ${strengths.join(', ')}`);
  return rows;
}

/** What `transferDelta` applies by default; 0 where it refuses any move. */
function largestStrength(
  direction: AttributeDirection,
  posterior: Posterior,
  z: Float64Array,
  mixing: MixedNormalityReport,
): number {
  try {
    return transferDelta(direction, posterior, { z, mixing }).strength;
  } catch (error) {
    if (error instanceof NotLearnableError) return 0;
    throw error;
  }
}

/** Writes a file and says so. */
export function writeText(folder: string, name: string, text: string): void {
  const file = join(folder, name);
  writeFileSync(file, text);
  console.log(`  ${file}`);
}
