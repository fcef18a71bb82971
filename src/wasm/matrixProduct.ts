import {
  type _FusedMatMulAttrs,
  type BatchMatMulAttrs,
  broadcast_util,
  broadcastTo,
  matMul,
  type Tensor,
  type TensorInfo,
  tidy,
} from '@tensorflow/tfjs-core';
import { correlate, type Epilogue, multiply, plainMatrix } from './products';
import { type KernelCall, replaceKernel } from './register';

/** Below so many multiplications per matrix a batch of them is left to the stock kernel: calls would cost more. */
const SMALL = 4096;

type Operands = Pick<KernelCall<'a' | 'b', unknown>, 'inputs' | 'backend' | 'kernels'>;

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/**
 * The batch of the result where those of both operands are broadcast ([2, 1] with [1, 3], [2, 3] with [1, 3]); undefined where they are
 * equal or one is a single matrix. The stock kernel takes the larger of two for that of the result, and leaves the rest of it unset.
 */
function broadcastBatch({ a, b }: Record<'a' | 'b', TensorInfo>): number[] | undefined {
  const batches = [a, b].map(({ shape }) => shape.slice(0, -2));
  const batch = broadcast_util.assertAndGetBroadcastShape(batches[0], batches[1]);
  const size = sizeOf(batch);
  return batches.every((own) => sizeOf(own) === size || sizeOf(own) === 1) ? undefined : batch;
}

/** a b, either transposed, over a batch of matrices; null for the cases that the stock kernel keeps. */
function product(
  { inputs: { a, b }, backend, kernels }: Operands,
  transposeA: boolean,
  transposeB: boolean,
  epilogue: Epilogue = {},
): TensorInfo | null {
  if (transposeA && transposeB) return null;
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const [inner, rows] = transposeA ? [rowsA, columnsA] : [columnsA, rowsA];
  const columns = transposeB ? rowsB : columnsB;
  const batchA = sizeOf(a.shape.slice(0, -2));
  const batchB = sizeOf(b.shape.slice(0, -2));
  const batch = Math.max(batchA, batchB);
  const size = rows * inner * columns;
  if (batch > 1 && size > 0 && size < SMALL) return null;

  const batchShape = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const output = backend.makeOutput([...batchShape, rows, columns], 'float32');
  if (sizeOf(output.shape) === 0) return output;
  const atA = kernels.pointer(a);
  const atB = kernels.pointer(b);
  const atOutput = kernels.pointer(output);
  const stepA = batchA === 1 ? 0 : rows * inner * 4;
  const stepB = batchB === 1 ? 0 : inner * columns * 4;
  for (let i = 0; i < batch; i++) {
    const left = atA + i * stepA;
    const right = atB + i * stepB;
    const to = atOutput + i * rows * columns * 4;
    if (transposeA) {
      correlate(kernels, plainMatrix(right, inner, columns), { at: left, columns: rows }, false, inner, to);
    } else {
      const [depthStride, columnStride] = transposeB ? [1, inner] : [columns, 1];
      const factor = { at: right, columns, tapStride: 0, depthStride, columnStride };
      // Sums of no terms are 0, plus what the epilogue adds; the stock kernel would leave what it finds there.
      const none = inner === 0 ? kernels.zeros(Math.max(rows, columns) * 4 + 64) : 0;
      if (none !== 0) factor.at = none;
      multiply(kernels, plainMatrix(none || left, rows, inner || 1), rows, factor, to, epilogue);
    }
  }
  return output;
}

function batchMatMul(call: KernelCall<'a' | 'b', BatchMatMulAttrs>): TensorInfo | null {
  const { transposeA, transposeB } = call.attrs;
  const batch = broadcastBatch(call.inputs);
  if (batch === undefined) return product(call, transposeA, transposeB);
  const repeated = (operand: TensorInfo) =>
    broadcastTo(operand as Tensor, [...batch, ...operand.shape.slice(-2)]);
  return tidy(() => matMul(repeated(call.inputs.a), repeated(call.inputs.b), transposeA, transposeB));
}

function fusedMatMul(
  call: KernelCall<'a' | 'b', _FusedMatMulAttrs, 'bias' | 'preluActivationWeights'>,
): TensorInfo | null {
  const { transposeA, transposeB, activation } = call.attrs;
  const { bias, preluActivationWeights } = call.inputs;
  const plain = bias === undefined && activation === 'linear';
  if (preluActivationWeights !== undefined || !(plain || activation === 'linear' || activation === 'relu')) {
    return null;
  }
  if (transposeA && !plain) return null;
  const columns = call.inputs.b.shape.at(transposeB ? -2 : -1);
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== columns)) return null;
  const shift = bias === undefined ? 0 : call.kernels.pointer(bias);
  return product(call, transposeA, transposeB, { shift, relu: activation === 'relu' });
}

/** Matrix products: plain, with bias and relu, transposed on either side. */
export function registerMatrixProducts(): void {
  replaceKernel('BatchMatMul', batchMatMul);
  replaceKernel('_FusedMatMul', fusedMatMul);
}
