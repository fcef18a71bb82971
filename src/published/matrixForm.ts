import { luDecompose, Matrix } from '../linalg';
import { fromMatrix, reshape, toMatrix, type Values } from './arrays';

/** One way in which a square matrix is kept as weights. */
export interface MatrixForm {
  /** Names and shapes of the weights. */
  entries: Record<string, readonly number[]>;
  toMatrix(arrays: Values[]): Matrix;
  fromMatrix(matrix: Matrix): Values[];
}

/** The matrix itself. */
export function fullForm(name: string, shape: readonly number[]): MatrixForm {
  const n = shape[0];
  return {
    entries: { [name]: shape },
    toMatrix: ([array]) => toMatrix(array, n),
    fromMatrix: (matrix) => [reshape(fromMatrix(matrix), shape)],
  };
}

/** Names of the five weights of P L (U + diag(sign * exp(logScale))). */
export interface LuNames {
  permutation: string;
  lower: string;
  upper: string;
  sign: string;
  logScale: string;
}

/** The LU form; product and decomposition run in float64. */
export function luForm(names: LuNames, n: number): MatrixForm {
  const { permutation, lower, upper, sign, logScale } = names;
  const square = [n, n];
  const vector = [n];
  return {
    entries: {
      [permutation]: square,
      [lower]: square,
      [upper]: square,
      [sign]: vector,
      [logScale]: vector,
    },
    toMatrix: ([p, l, u, signs, logs]) => {
      const left = build(n, (i, j) => (i > j ? l.data[i * n + j] : i === j ? 1 : 0));
      const right = build(n, (i, j) =>
        i < j ? u.data[i * n + j] : i === j ? signs.data[i] * Math.exp(logs.data[i]) : 0,
      );
      return toMatrix(p, n).multiply(left).multiply(right);
    },
    fromMatrix: (matrix) => {
      const { packed, pivots } = luDecompose(matrix);
      const diagonal = Array.from({ length: n }, (_, i) => packed.at(i, i));
      return [
        fromMatrix(build(n, (i, j) => (pivots[j] === i ? 1 : 0))),
        fromMatrix(build(n, (i, j) => (i > j ? packed.at(i, j) : 0))),
        fromMatrix(build(n, (i, j) => (i < j ? packed.at(i, j) : 0))),
        { shape: vector, data: Float32Array.from(diagonal, Math.sign) },
        { shape: vector, data: Float32Array.from(diagonal, (entry) => Math.log(Math.abs(entry))) },
      ];
    },
  };
}

/** The form that our InvConv1x1 keeps. */
export function ourForm(prefix: string, lu: boolean, n: number): MatrixForm {
  if (!lu) return fullForm(`${prefix}/kernel`, [n, n]);
  const named = (part: string) => `${prefix}/${part}`;
  return luForm(
    {
      permutation: named('permutation'),
      lower: named('lower'),
      upper: named('upper'),
      sign: named('sign'),
      logScale: named('logScale'),
    },
    n,
  );
}

function build(n: number, entry: (i: number, j: number) => number): Matrix {
  const matrix = Matrix.zeros(n, n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) matrix.data[i * n + j] = entry(i, j);
  return matrix;
}
