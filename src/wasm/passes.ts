import type { KernelModule } from './kernelModule';

/** Rows per chunk of a pass over channels. */
export const PASS_ROWS = 64;

/** output = input * exp(logScale), dOffset = exp(logScale) * sum input, dLogScale = sum input * weights. */
export function scaleAndSum(
  kernels: KernelModule,
  pass: SumPlaces & {
    input: number;
    weights: number;
    rows: number;
    columns: number;
    /** 0 for a factor of 1. */
    logScale: number;
    output: number;
  },
): void {
  const { columns, rows } = pass;
  const chunks = Math.max(1, Math.ceil(rows / PASS_ROWS));
  const [scale, sums] = kernels.scratch(columns * 4, chunks * 2 * columns * 4);
  kernels.clear(sums, 2 * columns * 4);
  kernels.exports.exponentials(pass.logScale, scale, columns);
  kernels.run('scaleAndSum', {
    input: pass.input,
    rows,
    columns,
    blockRows: PASS_ROWS,
    scale,
    shift: 0,
    output: pass.output,
    weights: pass.weights,
    sums,
  });
  placeSums(kernels, sums, scale, columns, pass);
}

/** Where the gradients of a layer's offset and logScale go; null where there is no such weight. */
export interface SumPlaces {
  dOffset: number | null;
  dLogScale: number | null;
}

/** From the sums [2, columns] of a gradient: d offset = scale * first, d logScale = second. */
export function placeSums(
  kernels: KernelModule,
  sums: number,
  scale: number,
  columns: number,
  { dOffset, dLogScale }: SumPlaces,
): void {
  if (dOffset !== null) kernels.exports.scaleLines(sums, scale, dOffset, 1, columns);
  if (dLogScale !== null) kernels.copy(sums + columns * 4, dLogScale, columns * 4);
}
