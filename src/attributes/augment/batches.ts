import { Matrix } from '../../linalg';
import { selectRows } from '../../statistics/rows';

/** Synthetic samples of a subclass. */
export interface SyntheticSamples {
  /** [count, d] */
  z: Matrix;
  /** Row of the few samples that every result came from; -1 for plain draws from the posterior. */
  source: Int32Array;
  /** Strength along every direction, [count, directions]; null for other methods. */
  strengths: Matrix | null;
  /** Predictive log-density of every result under the posterior, in nats, [count]. Not the same as keeping the label. */
  logProb: Float64Array;
}

/** No samples of d values. */
export function noSamples(d: number): SyntheticSamples {
  return {
    z: Matrix.zeros(0, d),
    source: new Int32Array(0),
    strengths: null,
    logProb: new Float64Array(0),
  };
}

/** The given rows of what was made. */
export function pickSamples(
  { z, source, strengths, logProb }: SyntheticSamples,
  rows: readonly number[],
): SyntheticSamples {
  return {
    z: selectRows(z, rows),
    source: Int32Array.from(rows, (i) => source[i]),
    strengths: strengths && selectRows(strengths, rows),
    logProb: Float64Array.from(rows, (i) => logProb[i]),
  };
}

/** Several batches as one. */
export function joinSamples(parts: readonly SyntheticSamples[]): SyntheticSamples {
  const stack = (matrices: readonly Matrix[]) => {
    const rows = matrices.reduce((sum, matrix) => sum + matrix.rows, 0);
    return new Matrix(
      Float64Array.from(matrices.flatMap((matrix) => Array.from(matrix.data))),
      rows,
      matrices[0].cols,
    );
  };
  return {
    z: stack(parts.map((part) => part.z)),
    source: Int32Array.from(parts.flatMap((part) => Array.from(part.source))),
    strengths: parts[0].strengths && stack(parts.map((part) => part.strengths as Matrix)),
    logProb: Float64Array.from(parts.flatMap((part) => Array.from(part.logProb))),
  };
}
