import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { LINEAR_ROWS } from '../core/kernelConstants';
import { blockRows } from './products';
import type { KernelCall } from './register';

/** Chunks of the gradient, at most: each has sums of its own. */
const GRADIENT_CHUNKS = 16;

type Weight = 'offset' | 'logScale' | 'matrix';
type Call<Inputs extends string, Attributes = unknown> = KernelCall<
  Inputs | Weight,
  Attributes & { inverse: boolean }
>;

/** Numbers of rows and channels, and the bytes of a line in assembly/scaledLinear.ts. */
function sizes({ shape }: TensorInfo): { rows: number; channels: number; lineBytes: number } {
  const channels = shape[shape.length - 1];
  return { rows: util.sizeFromShape(shape) / channels, channels, lineBytes: Math.ceil(channels / 8) * 32 };
}

/** What maps and its gradient have in common. */
function common({ inputs, attrs, kernels }: Call<'input'>, chunkRows: number, output: TensorInfo) {
  const { rows, channels, lineBytes } = sizes(inputs.input);
  return {
    x: kernels.pointer(inputs.input),
    rows,
    channels,
    width: lineBytes / 4,
    chunkRows,
    offset: kernels.pointer(inputs.offset),
    logScale: kernels.pointer(inputs.logScale),
    matrix: kernels.pointer(inputs.matrix),
    inverse: attrs.inverse,
    output: kernels.pointer(output),
  };
}

/** Value and logDet [n], that of the matrix being given. */
export function scaledLinear(call: Call<'input' | 'logDet'>): TensorInfo[] {
  const { inputs, attrs, backend, kernels } = call;
  const { input, logScale } = inputs;
  const { rows, channels, lineBytes } = sizes(input);
  const [examples] = input.shape;
  const value = backend.makeOutput(input.shape, 'float32');
  const logDet = backend.makeOutput([examples], 'float32');
  const [lines, local] = kernels.scratch(
    (3 + channels) * lineBytes,
    2 * LINEAR_ROWS * lineBytes * kernels.threads,
  );
  const base = common(call, blockRows(rows), value);
  kernels.run('scaledLinear', { base, lines, local, dy: 0, parts: 0, dOffset: 0, dLogScale: 0, dMatrix: 0 });
  const logScales = backend.typedArrayFromHeap(logScale) as Float32Array;
  const ofScales = logScales.reduce((sum, entry) => sum + entry, 0);
  const perPosition = backend.typedArrayFromHeap(inputs.logDet)[0] + ofScales;
  backend.typedArrayFromHeap(logDet).fill((rows / examples) * (attrs.inverse ? -perPosition : perPosition));
  return [value, logDet];
}

/** Gradients in the input, offset, logScale, matrix and the matrix' logDet. */
export function scaledLinearGradient(call: Call<'dy' | 'dLogDet' | 'input'>): TensorInfo[] {
  const { inputs, attrs, backend, kernels } = call;
  const { rows, channels, lineBytes } = sizes(inputs.input);
  const gradients = [inputs.input, inputs.offset, inputs.logScale, inputs.matrix].map(({ shape }) =>
    backend.makeOutput(shape, 'float32'),
  );
  const blocks = Math.max(1, Math.ceil(rows / LINEAR_ROWS));
  const partBytes = (Math.ceil(channels / 4) * 4 + 1) * lineBytes;
  const [lines, local, parts] = kernels.scratch(
    (3 + 2 * channels) * lineBytes,
    2 * LINEAR_ROWS * lineBytes * kernels.threads,
    Math.min(blocks, GRADIENT_CHUNKS) * partBytes,
  );
  if (rows === 0) kernels.clear(parts, partBytes);
  const [ofInput, ...ofWeights] = gradients;
  const [dOffset, dLogScale, dMatrix] = ofWeights.map((tensor) => kernels.pointer(tensor));
  kernels.run('scaledLinearGradient', {
    base: common(call, Math.ceil(blocks / GRADIENT_CHUNKS) * LINEAR_ROWS, ofInput),
    lines,
    local,
    dy: kernels.pointer(inputs.dy),
    parts,
    dOffset,
    dLogScale,
    dMatrix,
  });
  const ofLogDet = backend.makeOutput([], 'float32');
  const given = backend.typedArrayFromHeap(inputs.dLogDet) as Float32Array;
  const positions = (attrs.inverse ? -1 : 1) * (rows / given.length);
  const perPosition = given.length === 0 ? 0 : positions * given.reduce((sum, entry) => sum + entry, 0);
  backend.typedArrayFromHeap(ofLogDet)[0] = perPosition;
  const ofLogScale = backend.typedArrayFromHeap(ofWeights[1]);
  for (let i = 0; i < ofLogScale.length; i++) ofLogScale[i] += perPosition;
  return [...gradients, ofLogDet];
}
