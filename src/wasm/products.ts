import { PACK_ROWS, PANEL_COLUMNS, PRODUCT_ROWS } from '../core/kernelConstants';
import type { Fields } from './blocks';
import type { KernelModule } from './kernelModule';

/** How rows of patches are read from images; the fields are explained in assembly/patches.ts. */
export interface Patches {
  source: number;
  channels: number;
  /** Source height and width. */
  sourceSize: [number, number];
  /** Height and width of the grid of positions; with the batch their product is the number of rows. */
  gridSize: [number, number];
  taps: [number, number];
  multiply: [number, number];
  base: [number, number];
  step: [number, number];
  divide: [number, number];
}

/** The right factor of a product, read as [taps, channels, columns] with these distances in floats. */
export interface RightFactor {
  at: number;
  columns: number;
  tapStride: number;
  depthStride: number;
  columnStride: number;
}

/** What happens to each block of a product while it is in the cache; pointers, 0 or absent for none. */
export interface Epilogue {
  /** Factor per column. */
  scale?: number;
  /** Summand per column; row r takes line r % shiftRows. */
  shift?: number;
  /** Default 1. */
  shiftRows?: number;
  relu?: boolean;
  /** [rows, columns]: results are cleared where it is not above 0. */
  mask?: number;
  /** Room for [chunks, 2, columns]: column sums of the masked result, plain and times the mask. */
  sums?: number;
}

/** Up to this many channels rows are copied together; beyond, their taps are read in place. */
const UNFOLDED_CHANNELS = 32;
/** Chunks that a product is cut into, at least, if it can be. */
const CHUNKS = 16;
/** Bytes of the packed right factor that all rows go by: about half a second-level cache. */
const CACHED_BYTES = 1 << 18;
/** Columns of a chunk, at least. */
const LEAST_COLUMNS = 32;
/** Bytes that the panels of a correlation may take: about a second-level cache. */
const PANEL_BYTES = 1 << 20;

/** A plain matrix [rows, channels] as patches. */
export function plainMatrix(source: number, rows: number, channels: number): Patches {
  const one: [number, number] = [1, 1];
  return {
    source,
    channels,
    sourceSize: [rows, 1],
    gridSize: [rows, 1],
    taps: one,
    multiply: one,
    base: [0, 0],
    step: one,
    divide: one,
  };
}

function isPointwise({ taps, multiply, base, divide }: Patches): boolean {
  return [...taps, ...multiply, ...divide].every((n) => n === 1) && base.every((n) => n === 0);
}

/** The fields of a kernel's patches. */
export function patchFields(kernels: KernelModule, p: Patches, unfolded: boolean): Fields<'Patches'> {
  return {
    source: p.source,
    channels: p.channels,
    sourceHeight: p.sourceSize[0],
    sourceWidth: p.sourceSize[1],
    height: p.gridSize[0],
    width: p.gridSize[1],
    tapsHigh: p.taps[0],
    tapsWide: p.taps[1],
    multiplyY: p.multiply[0],
    multiplyX: p.multiply[1],
    baseY: p.base[0],
    baseX: p.base[1],
    stepY: p.step[0],
    stepX: p.step[1],
    divideY: p.divide[0],
    divideX: p.divide[1],
    zeros: kernels.zeros(p.channels * 4 + 64),
    unfolded,
  };
}

/** The part of a product that is one chunk: smaller where there would not be work for several threads, but never by their number. */
interface Block {
  rows: number;
  columns: number;
}

/** Rows per block where `parts` chunks share each row. */
export function blockRows(rows: number, parts = 1): number {
  return Math.max(4, Math.min(PRODUCT_ROWS, Math.ceil((rows * parts) / CHUNKS / 4) * 4));
}

/** Blocks of a product of so many terms. */
function blockOf(rows: number, columns: number, depth: number): Block {
  const rowBlocks = Math.ceil(rows / PRODUCT_ROWS);
  const cached = CACHED_BYTES / 4 / depth;
  const wanted = Math.min(columns / Math.ceil(CHUNKS / rowBlocks), cached);
  const width = Math.max(LEAST_COLUMNS, Math.ceil(wanted / PANEL_COLUMNS) * PANEL_COLUMNS);
  const columnBlocks = Math.ceil(columns / width);
  return { rows: blockRows(rows, columnBlocks), columns: Math.max(1, Math.min(width, columns)) };
}

/** Blocks of rows of a product: one line of sums each. */
export function rowBlocks(rows: number, columns: number, depth: number): number {
  return Math.max(1, Math.ceil(rows / blockOf(rows, columns, depth).rows));
}

/** output[rows, columns] = epilogue(patches[rows, taps * channels] right[taps * channels, columns]). */
export function multiply(
  kernels: KernelModule,
  patches: Patches,
  rows: number,
  right: RightFactor,
  output: number,
  epilogue: Epilogue = {},
): void {
  const taps = patches.taps[0] * patches.taps[1];
  const unfolded = taps > 1 && patches.channels <= UNFOLDED_CHANNELS;
  const depth = unfolded ? taps * patches.channels : patches.channels;
  const localBytes = kernels.exports.productLocalBytes(unfolded ? 1 : taps, depth, unfolded ? 1 : 0);
  const product = {
    patches: patchFields(kernels, patches, unfolded),
    rows,
    block: blockOf(rows, right.columns, taps * patches.channels),
    right,
    depth: taps * patches.channels,
    localBytes,
    output,
    epilogue,
  };
  kernels.run('product', productFields(kernels, product));
}

/** What the fields of a product come from. */
interface ProductCall {
  patches: Fields<'Patches'>;
  rows: number;
  block: Block;
  right: RightFactor;
  /** Floats per column of the packed right factor. */
  depth: number;
  localBytes: number;
  output: number;
  epilogue: Epilogue;
}

/** The fields of a product; takes scratch. */
export function productFields(kernels: KernelModule, call: ProductCall): Fields<'Product'> {
  const { patches, rows, block, right, depth, localBytes, output, epilogue } = call;
  const packedColumns = Math.ceil(right.columns / PANEL_COLUMNS) * PANEL_COLUMNS;
  const [packed, local] = kernels.scratch(depth * packedColumns * 4, localBytes * kernels.threads);
  return {
    base: patches,
    rows,
    blockRows: block.rows,
    blockColumns: block.columns,
    columns: right.columns,
    right: right.at,
    rightTap: right.tapStride,
    rightDepth: right.depthStride,
    rightColumn: right.columnStride,
    packed,
    output,
    local,
    localBytes,
    scale: epilogue.scale ?? 0,
    shift: epilogue.shift ?? 0,
    shiftRows: epilogue.shiftRows ?? 1,
    relu: epilogue.relu ?? false,
    mask: epilogue.mask ?? 0,
    sums: epilogue.sums ?? 0,
  };
}

/** output = left[rows, .]^T right[rows, .], one side patches (or a plain matrix), the other a plain matrix. */
export function correlate(
  kernels: KernelModule,
  patches: Patches,
  plain: { at: number; columns: number },
  patchesLeft: boolean,
  rows: number,
  output: number,
): void {
  correlateInto(kernels, patches, plain, patchesLeft, rows, () => output);
}

/**
 * output[taps, plain columns, channels] = plain[rows, .]^T patches[rows, .], the patches' taps being in reverse order.
 *
 * The filter gradient where the output gradient has fewer channels than the input: unfolding it is less work.
 */
export function correlateReversed(
  kernels: KernelModule,
  patches: Patches,
  plain: { at: number; columns: number },
  rows: number,
  output: number,
): void {
  const taps = patches.taps[0] * patches.taps[1];
  const mixed = correlateInto(kernels, patches, plain, false, rows, (spare) => spare);
  kernels.exports.tapsFirst(mixed, output, plain.columns, taps, patches.channels);
}

function correlateInto(
  kernels: KernelModule,
  patches: Patches,
  plain: { at: number; columns: number },
  patchesLeft: boolean,
  rows: number,
  place: (spare: number) => number,
): number {
  const unfolded = !isPointwise(patches);
  const patchColumns = patches.taps[0] * patches.taps[1] * patches.channels;
  const [left, right] = patchesLeft ? [patchColumns, plain.columns] : [plain.columns, patchColumns];
  const bytesPerRow = 4 * (Math.ceil(left / 4) * 4 + Math.ceil(right / PANEL_COLUMNS) * PANEL_COLUMNS);
  const fitting = Math.floor(PANEL_BYTES / bytesPerRow / PACK_ROWS) * PACK_ROWS;
  const packRows = Math.max(PACK_ROWS * 4, Math.min(fitting, Math.ceil(rows / PACK_ROWS) * PACK_ROWS));
  const localBytes = kernels.exports.correlationLocalBytes(patchColumns);
  const fields = patchFields(kernels, patches, unfolded);
  const [leftPanels, rightPanels, local, spare] = kernels.scratch(
    kernels.exports.correlationPanelBytes(packRows, left, 4),
    kernels.exports.correlationPanelBytes(packRows, Math.ceil(right / PANEL_COLUMNS) * PANEL_COLUMNS, 8),
    localBytes * kernels.threads,
    left * right * 4,
  );
  const output = place(spare);
  if (rows === 0) kernels.clear(output, left * right * 4);
  kernels.run('correlate', {
    base: fields,
    rows,
    plain: plain.at,
    plainColumns: plain.columns,
    patchesLeft,
    output,
    packRows,
    leftPanels,
    rightPanels,
    local,
    localBytes,
    firstRow: 0,
  });
  return output;
}
