import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelCall } from './register';

/** Rows of a block in assembly/scaledLinear.ts. */
const BLOCK_ROWS = 32;
/** Chunks, at least if there are so many rows, and in the gradient at most: there each has sums of its own. */
const CHUNKS = 16;

type Weight = 'offset' | 'logScale' | 'matrix';
type Call<Inputs extends string> = KernelCall<Inputs | Weight, { inverse: boolean }>;

/** Numbers of rows and channels, and the bytes of a line in assembly/scaledLinear.ts. */
function sizes({ shape }: TensorInfo): { rows: number; channels: number; lineBytes: number } {
  const channels = shape[shape.length - 1];
  return { rows: util.sizeFromShape(shape) / channels, channels, lineBytes: Math.ceil(channels / 8) * 32 };
}

/** The fields of ScaledLinear in assembly/scaledLinear.ts up to its output. */
function words({ inputs, attrs, kernels }: Call<'input'>, chunkRows: number, output: TensorInfo): number[] {
  const { rows, channels, lineBytes } = sizes(inputs.input);
  return [
    kernels.pointer(inputs.input),
    rows,
    channels,
    lineBytes / 4,
    chunkRows,
    kernels.pointer(inputs.offset),
    kernels.pointer(inputs.logScale),
    kernels.pointer(inputs.matrix),
    attrs.inverse ? 1 : 0,
    kernels.pointer(output),
  ];
}

export function scaledLinear(call: Call<'input'>): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const { rows, channels, lineBytes } = sizes(inputs.input);
  const output = backend.makeOutput(inputs.input.shape, 'float32');
  const rooms = kernels.scratch((3 + channels) * lineBytes, 2 * BLOCK_ROWS * lineBytes * kernels.threads);
  const chunkRows = Math.max(4, Math.min(BLOCK_ROWS, Math.ceil(rows / CHUNKS / 4) * 4));
  kernels.run('scaledLinear', [...words(call, chunkRows, output), ...rooms, 0]);
  return [output];
}

/** Gradients in the input, offset, logScale and matrix. */
export function scaledLinearGradient(call: Call<'dy' | 'input'>): TensorInfo[] {
  const { inputs, backend, kernels } = call;
  const { rows, channels, lineBytes } = sizes(inputs.input);
  const gradients = [inputs.input, inputs.offset, inputs.logScale, inputs.matrix].map(({ shape }) =>
    backend.makeOutput(shape, 'float32'),
  );
  const blocks = Math.max(1, Math.ceil(rows / BLOCK_ROWS));
  const partBytes = (Math.ceil(channels / 4) * 4 + 1) * lineBytes;
  const [lines, local, parts] = kernels.scratch(
    (3 + 2 * channels) * lineBytes,
    2 * BLOCK_ROWS * lineBytes * kernels.threads,
    Math.min(blocks, CHUNKS) * partBytes,
  );
  if (rows === 0) kernels.clear(parts, partBytes);
  const [ofInput, ...ofWeights] = gradients;
  kernels.run('scaledLinearGradient', [
    ...words(call, Math.ceil(blocks / CHUNKS) * BLOCK_ROWS, ofInput),
    lines,
    local,
    kernels.pointer(inputs.dy),
    parts,
    ...ofWeights.map((tensor) => kernels.pointer(tensor)),
  ]);
  return gradients;
}
