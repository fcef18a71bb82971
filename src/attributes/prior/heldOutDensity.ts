import { type Matrix, principalComponents } from '../../linalg';
import { meanOfRows, subtractFromRows } from '../../statistics/rows';

/** Samples along orthonormal directions; all directions that are not listed are alike. */
interface Spectrum {
  /** Sum of squares of the few, less their mean, along every direction. */
  scatter: Float64Array;
  /** Mean square of the held-out samples along every direction. */
  squares: Float64Array;
  /** How many directions are not listed, and the mean square of the held-out samples in all of them together. */
  others: number;
  otherSquares: number;
}

/**
 * Mean log-density of held-out samples where the covariance is (nu0 I + scatter of the few) / (nu0 + n - 1), as a function of nu0; without
 * the constant -d / 2 log(2 pi).
 *
 * Only the mean squares of the held-out samples along the directions of the scatter count, so further values of nu0 cost next to nothing.
 *
 * @param few samples in coordinates where W is the identity, [n, d]
 * @param heldOut as deviations from their true mean, [m, d]
 */
export function heldOutLogDensity(
  few: Matrix,
  heldOut: Matrix,
  form: 'full' | 'diagonal',
): (withinWeight: number) => number {
  const centred = subtractFromRows(few, meanOfRows('fitPrior', few));
  const spectrum = form === 'full' ? fullSpectrum(centred, heldOut) : diagonalSpectrum(centred, heldOut);
  return (withinWeight) => {
    const weight = withinWeight + few.rows - 1;
    const rest = withinWeight / weight;
    let sum = spectrum.others * Math.log(rest) + spectrum.otherSquares / rest;
    spectrum.scatter.forEach((scatter, k) => {
      const variance = (withinWeight + scatter) / weight;
      sum += Math.log(variance) + spectrum.squares[k] / variance;
    });
    return -sum / 2;
  };
}

function diagonalSpectrum(centred: Matrix, heldOut: Matrix): Spectrum {
  const scatter = meanSquares(centred).map((value) => value * centred.rows);
  return { scatter, squares: meanSquares(heldOut), others: 0, otherSquares: 0 };
}

function fullSpectrum(centred: Matrix, heldOut: Matrix): Spectrum {
  const { variances, directions } = principalComponents(centred);
  const squares = meanSquares(heldOut.multiply(directions.transpose()));
  return {
    scatter: variances.map((value) => value * centred.rows),
    squares,
    others: heldOut.cols - directions.rows,
    otherSquares: Math.max(0, sumOf(meanSquares(heldOut)) - sumOf(squares)),
  };
}

/** Mean square of every column, [d]. */
function meanSquares(rows: Matrix): Float64Array {
  const result = new Float64Array(rows.cols);
  for (let i = 0; i < rows.data.length; i++) result[i % rows.cols] += rows.data[i] ** 2 / rows.rows;
  return result;
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
