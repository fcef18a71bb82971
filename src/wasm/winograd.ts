import { POINTS, SIDE } from '../core/kernelConstants';
import type { KernelModule } from './kernelModule';
import {
  type Epilogue,
  multiply,
  type Patches,
  patchFields,
  productFields,
  type RightFactor,
  rowBlocks,
} from './products';

/** Tiles of a chunk: not so many that there is nothing for other threads, but never by their number. */
const TILES = 16;
const CHUNKS = 8;

/** A batch of images, as far as a convolution's positions go. */
export interface Grid {
  batch: number;
  height: number;
  width: number;
}

/** Below this many tiles the transforms of the filter take more than the products save. */
const LEAST_TILES = 8;
/** With fewer channels of input the transforms of the outputs do. */
const LEAST_CHANNELS = 4;

/** Whether tiles save time: on small images most of a tile may lie outside. */
function tilesPay({ batch, height, width }: Grid): boolean {
  const tiles = Math.ceil(height / SIDE) * Math.ceil(width / SIDE);
  return batch * tiles >= LEAST_TILES && tiles * POINTS < 0.7 * height * width * 9;
}

/** Lines of tiles per chunk of `convolve`; 0 where the convolution is done directly. */
function chunkLines({ taps, gridSize, channels }: Patches, rows: number): number {
  const [height, width] = gridSize;
  const grid = { batch: rows / (height * width), height, width };
  if (taps[0] !== 3 || taps[1] !== 3 || channels < LEAST_CHANNELS || !tilesPay(grid)) return 0;
  const across = Math.ceil(width / SIDE);
  const tiles = grid.batch * Math.ceil(height / SIDE) * across;
  const wanted = Math.min(TILES, SIDE * Math.ceil(tiles / CHUNKS / SIDE));
  return Math.ceil(wanted / across);
}

/** Chunks of `convolve`: one line of sums each. */
export function convolutionChunks(patches: Patches, rows: number, columns: number): number {
  const lines = chunkLines(patches, rows);
  if (lines === 0) return rowBlocks(rows, columns, patches.taps[0] * patches.taps[1] * patches.channels);
  const [height, width] = patches.gridSize;
  return Math.ceil(((rows / (height * width)) * Math.ceil(height / SIDE)) / lines);
}

/** As `multiply`, for 'same' convolutions of stride 1: with fewer multiplications where that pays. */
export function convolve(
  kernels: KernelModule,
  patches: Patches,
  rows: number,
  right: RightFactor,
  output: number,
  epilogue: Epilogue = {},
): void {
  const lines = chunkLines(patches, rows);
  if (lines === 0) {
    multiply(kernels, patches, rows, right, output, epilogue);
    return;
  }
  const { channels } = patches;
  const tiles = lines * Math.ceil(patches.gridSize[1] / SIDE);
  const localBytes = kernels.exports.winogradLocalBytes(tiles, channels);
  const product = {
    patches: patchFields(kernels, patches, false),
    rows,
    block: { rows, columns: right.columns },
    right,
    depth: POINTS * channels,
    localBytes,
    output,
    epilogue,
  };
  kernels.run('winograd', { base: productFields(kernels, product), lines });
}

/**
 * The filter gradient [3, 3, inputs, outputs] of a 'same' convolution of stride 1; false, and nothing done, where tiles
 * would not save multiplications.
 */
export function convolveGradients(
  kernels: KernelModule,
  grid: Grid,
  input: { at: number; channels: number },
  gradient: { at: number; channels: number },
  output: number,
): boolean {
  if (!tilesPay(grid)) return false;
  const { batch, height, width } = grid;
  const tiles = batch * Math.ceil(height / SIDE) * Math.ceil(width / SIDE);
  const few = Math.min(input.channels, gradient.channels);
  const localBytes = kernels.exports.winogradFilterLocalBytes(few);
  const [narrow, local] = kernels.scratch(
    kernels.exports.narrowBytes(tiles, few),
    localBytes * kernels.threads,
  );
  kernels.run('winogradFilter', {
    batch,
    height,
    width,
    input: input.at,
    inputs: input.channels,
    gradient: gradient.at,
    outputs: gradient.channels,
    output,
    zeros: kernels.zeros(Math.max(input.channels, gradient.channels) * 4 + 64),
    narrow,
    local,
    localBytes,
  });
  return true;
}
