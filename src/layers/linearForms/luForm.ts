import * as tf from '@tensorflow/tfjs-core';
import { capabilities } from '../../engine/capabilities';
import {
  deviceInverse,
  hasLuInverse,
  inverseMatrix,
  type LuFactors,
  lowerInverse,
  luInverse,
  luProduct,
  toDevice,
} from '../../linalg';
import { fusedLuMatrix, hasFusedLuMatrix, type LuWeights } from '../fusedLuMatrix';
import { matrixTensor } from '../fusedScaledLinear';
import {
  type Hold,
  type HostMatrix,
  type InvertibleOfWeights,
  inverted,
  type LinearForm,
  matrixNow,
} from './linearForm';

/** P L (U + diag(sign * exp(logScale))): its log-determinant is a sum, with no read-back. */
export function luForm(factors: LuWeights, hold: Hold): LinearForm {
  const { permutation, lower, upper, sign, logScale } = factors;
  const [n] = logScale.shape;
  const mask = (inside: (i: number, j: number) => boolean) =>
    hold(squareOf(n, (i, j) => Number(inside(i, j))));
  const identity = mask((i, j) => i === j);
  const strictlyBelow = mask((i, j) => i > j);
  const strictlyAbove = mask((i, j) => i < j);
  const onHost: HostMatrix = {
    of: () => [permutation, lower, upper, sign, logScale],
    matrix: (values) => luProduct(hostFactors(values)),
  };
  const now = () => matrixNow(onHost);
  const { weights, compute } = fusedLuMatrix(factors);
  const ofWeights: InvertibleOfWeights = {
    weights,
    compute() {
      const computed = compute();
      const [both] = computed.needed;
      const inverse = () =>
        capabilities().readsAtOnce ? toDevice(deviceInverse(now())) : luInverse(permutation, both);
      return { ...computed, inverse };
    },
  };
  const order = permutation as tf.Tensor2D;
  const left = (): tf.Tensor2D => tf.add(tf.mul(lower, strictlyBelow), identity);
  const right = (): tf.Tensor2D => {
    const scales = tf.mul(identity, tf.mul(sign, tf.exp(logScale)));
    return tf.add(tf.mul(upper, strictlyAbove), scales);
  };
  const composed = () => tf.matMul(order, tf.matMul(left(), right())) as tf.Tensor2D;
  /** (U + diag(s))^-1 L^-1 P^T, without reading a value. */
  const composedInverse = () => {
    const ofRight = tf.transpose(lowerInverse(tf.transpose(right()))) as tf.Tensor2D;
    return tf.matMul(tf.matMul(ofRight, lowerInverse(left())), order, false, true) as tf.Tensor2D;
  };
  const inverseOfWeights = inverted(ofWeights);
  const hasInverse = () => hasFusedLuMatrix() && (capabilities().readsAtOnce || hasLuInverse());
  return {
    matrix: () => (hasFusedLuMatrix() ? matrixTensor(ofWeights) : composed()),
    onHost,
    ofWeights: () => (hasFusedLuMatrix() ? ofWeights : undefined),
    inverseOfWeights: () => (hasInverse() ? inverseOfWeights : undefined),
    inverse: (matrix) => {
      if (capabilities().readsAtOnce) return inverseMatrix(matrix, now);
      return hasInverse() ? matrixTensor(inverseOfWeights) : composedInverse();
    },
    logDetTerms: () => [logScale],
  };
}

/** A tensor [n, n] by its entries. */
export function squareOf(n: number, entry: (i: number, j: number) => number): tf.Tensor2D {
  return tf.tensor2d(
    Float32Array.from({ length: n * n }, (_, at) => entry(Math.floor(at / n), at % n)),
    [n, n],
  );
}

function hostFactors([ones, below, above, signs, logs]: readonly ArrayLike<number>[]): LuFactors {
  const n = logs.length;
  const rows = new Int32Array(n);
  for (let at = 0; at < n * n; at++) if (ones[at] === 1) rows[at % n] = Math.floor(at / n);
  const withScales = Float64Array.from(above);
  for (let i = 0; i < n; i++) withScales[i * n + i] = signs[i] * Math.exp(logs[i]);
  return { rows, lower: below, upper: withScales };
}
