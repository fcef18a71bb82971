import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError, NonFiniteError } from '../../core/errors';
import { inverse, inverseGradient, Matrix, norm1 } from '../../linalg';
import type { Bijector, Conditioning } from '../bijector';
import type { ComputedMatrix, MatrixOfWeights } from '../fusedScaledLinear';
import type { Measure } from '../measures';

/** A matrix in float64 on the host: what it is read from, and how it comes from these values. */
export interface HostMatrix {
  of(): readonly tf.Tensor[];
  matrix(values: readonly ArrayLike<number>[]): Matrix;
}

/** The matrix, where values are read at once: tfjs keeps those of weights on the host once they were read, so later inversions wait for no GPU. */
export function matrixNow({ of, matrix }: HostMatrix): Matrix {
  return matrix(of().map((x) => x.dataSync()));
}

/** How the matrix of a linear layer and its log-determinant come from trained weights. */
export interface LinearForm {
  matrix(): tf.Tensor2D;
  /** The matrix in float64, from the weights themselves. */
  readonly onHost: HostMatrix;
  /** For fused operations: the matrix and its inverse, undefined where the active backend cannot compute them so. */
  ofWeights(): MatrixOfWeights | undefined;
  inverseOfWeights(): MatrixOfWeights | undefined;
  /** The inverse, for the matrix as `matrix` gave it. */
  inverse(matrix: tf.Tensor2D): tf.Tensor2D;
  /** What adds up to log|det|; nothing where that is 0 by construction. */
  logDetTerms(matrix: tf.Tensor2D): tf.Tensor[];
}

/** How forms register what they train. */
export type AddWeight = (name: string, initial: tf.Tensor, trainable?: boolean) => tf.Variable;

/** How forms hold constants. */
export type Hold = (constant: tf.Tensor2D) => tf.Tensor2D;

/** A matrix of weights that has an inverse. */
export interface InvertibleOfWeights extends MatrixOfWeights {
  compute(): ComputedMatrix & Required<Pick<ComputedMatrix, 'inverse'>>;
}

/** The inverse of a matrix. */
export function inverted({ weights, compute }: InvertibleOfWeights): MatrixOfWeights {
  return {
    weights,
    compute() {
      const computed = compute();
      const matrix = computed.inverse();
      return {
        matrix,
        logDet: computed.logDet,
        needed: [matrix, ...computed.needed],
        gradient: (ofMatrix, ofLogDet, [inverse, ...kept]) =>
          computed.gradient(inverseGradient(inverse as tf.Tensor2D, ofMatrix), ofLogDet, kept),
      };
    },
  };
}

/** A matrix that keeps lengths, as ops compute it: its inverse is the transposed one, and its log-determinant 0. */
export function orthogonalForm(matrix: () => tf.Tensor2D): LinearForm {
  return {
    matrix,
    onHost: { of: () => [matrix()], matrix: ([values]) => squareMatrix(values) },
    ofWeights: () => undefined,
    inverseOfWeights: () => undefined,
    inverse: (orthogonal) => tf.transpose(orthogonal),
    logDetTerms: () => [],
  };
}

/** A square matrix of its values. */
export function squareMatrix(values: ArrayLike<number>): Matrix {
  const size = Math.sqrt(values.length);
  return new Matrix(Float64Array.from(values), size, size);
}

/** What `compute` returns; a matrix that has no inverse is a NonFiniteError of this layer. */
export function unlessSingular<T>(layer: Bijector, method: string, hint: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const received = `a singular one in '${layer.name}'`;
    const message = complaint(`${layer.label}.${method}`, 'an invertible matrix', received, hint);
    throw new NonFiniteError(message, layer.name);
  }
}

/** The transposed matrix, for fused operations. */
export function transposed({ weights, compute }: MatrixOfWeights): MatrixOfWeights {
  return {
    weights,
    compute() {
      const { matrix, logDet, needed, inverse, gradient } = compute();
      return {
        matrix: tf.transpose(matrix),
        logDet,
        needed,
        inverse: inverse && (() => tf.transpose(inverse())),
        gradient: (ofMatrix, ofLogDet, kept) => gradient(tf.transpose(ofMatrix), ofLogDet, kept),
      };
    },
  };
}

/** How near a form's matrix is to a singular one. */
export function conditioningOf(
  { onHost }: LinearForm,
  guard: <T>(compute: () => T) => T,
): Conditioning<Measure> {
  const compute = (values: readonly Float32Array[]) =>
    guard(() => {
      const matrix = onHost.matrix(values);
      return norm1(matrix) * norm1(inverse(matrix));
    });
  return { conditionNumber: { of: onHost.of(), compute } };
}
