import type { NdArray } from '../data';

/** A tensor of a file: its type and shape, and its values once they are asked for. */
export interface StoredTensor {
  /** Name of the type of its values, as in safetensors: F32, BF16, I64, ... */
  dtype: ElementType;
  shape: number[];
  /** Reads the values, row-major. */
  read(): NdArray;
}

/** Types of values that tensor files hold, in the names of safetensors. */
export type ElementType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL';

/** Tensors of a file by name, in the file's order. */
export type StoredTensors = Map<string, StoredTensor>;

/** Whether a value of a file is a tensor. */
export function isTensor(value: unknown): value is StoredTensor {
  const { dtype, read } = (value ?? {}) as Partial<StoredTensor>;
  return typeof dtype === 'string' && typeof read === 'function';
}
