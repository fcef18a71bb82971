import { sizeOf } from '../core/shapes';
import type { NdArray } from '../data';
import { Matrix } from '../linalg';

/** Weights on the host: mapping them needs no backend and loses no bit. */
export type Values = NdArray<Float32Array>;

export function zeros(shape: readonly number[]): Values {
  return { shape: [...shape], data: new Float32Array(sizeOf(shape)) };
}

export function toValues(array: NdArray): Values {
  return { shape: array.shape, data: Float32Array.from(array.data) };
}

export function reshape(array: Values, shape: readonly number[]): Values {
  return { shape: [...shape], data: array.data };
}

/** Entry by entry. */
export function map(array: Values, change: (value: number, index: number) => number): Values {
  return { shape: array.shape, data: array.data.map(change) };
}

/** Axes in a new order: axis i of the result is axis order[i] of the array. */
export function transpose(array: Values, order: readonly number[]): Values {
  const shape = order.map((axis) => array.shape[axis]);
  const strides = order.map((axis) => sizeOf(array.shape.slice(axis + 1)));
  const result = zeros(shape);
  const index = shape.map(() => 0);
  for (let i = 0, from = 0; i < result.data.length; i++) {
    result.data[i] = array.data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}

/** Entries of the last axis in a new order: result[..., j] = array[..., order[j]]. */
export function reorderLast(array: Values, order: readonly number[]): Values {
  const channels = order.length;
  return map(array, (_, i) => array.data[i - (i % channels) + order[i % channels]]);
}

/** Scales entry j of the last axis by factors[j], rounded once. */
export function scaleLast(array: Values, factors: ArrayLike<number>): Values {
  return map(array, (value, i) => value * factors[i % factors.length]);
}

/** exp(3 logs): the factor that follows a zero-initialized layer in all published Glows. */
export function outputScale(logs: Values): Float64Array {
  return Float64Array.from(logs.data, (log) => Math.exp(3 * log));
}

export function toMatrix(array: Values, n: number): Matrix {
  return new Matrix(Float64Array.from(array.data), n, n);
}

export function fromMatrix(matrix: Matrix): Values {
  return { shape: [matrix.rows, matrix.cols], data: Float32Array.from(matrix.data) };
}

/** One number for all of so many values. */
export function spread({ data }: Values, size: number): Values {
  return { shape: [size], data: new Float32Array(size).fill(data[0]) };
}
