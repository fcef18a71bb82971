import type { Work } from '../../core/longWork';
import type { Matrix } from '../../linalg';
import { dot } from '../covariance';
import { meanDistanceToNormal } from './energyDistance';

/** Statistics of whitened rows that no affine map changes. */
export interface Invariants {
  /** b1, mean over pairs of (y_i . y_j)^3. */
  skewness: number;
  /** b2, mean of |y_i|^4. */
  kurtosis: number;
  henzeZirkler: number;
  energy: number;
}

/**
 * Mardia's skewness and kurtosis, the Henze-Zirkler and the energy statistic of whitened rows y, [n, p], in one walk over the pairs:
 * n^2 / 2 times p products, a root and an exponential.
 *
 *     HZ = 1/n sum_ij exp(-b^2/2 |y_i - y_j|^2) - 2 (1 + b^2)^(-p/2) sum_i exp(-b^2 |y_i|^2 / (2 (1 + b^2))) + n (1 + 2 b^2)^(-p/2)
 *     E = n (2/n sum_i E|u_i - Z| - E|Z - Z'| - 1/n^2 sum_ij |u_i - u_j|),   u = sqrt((n - 1) / n) y,   Z, Z' standard normal
 *
 * Sources: Mardia (1970), doi:10.1093/biomet/57.3.519; Henze and Zirkler (1990), doi:10.1080/03610929008830400; Szekely and Rizzo (2005),
 * doi:10.1016/j.jmva.2003.12.002.
 *
 * @param bandwidth b^2
 */
export function* invariantsOf(whitened: Matrix, bandwidth: number): Work<Invariants> {
  const { rows: n, cols: p, data } = whitened;
  const squares = Float64Array.from({ length: n }, (_, i) => dot(whitened.row(i), whitened.row(i)));
  const rescale = (n - 1) / n;
  let cubes = 0;
  let fourths = 0;
  let bumps = n;
  let distances = 0;
  let toNormal = 0;
  let toCentre = 0;
  for (let i = 0; i < n; i++) {
    const own = squares[i];
    cubes += own ** 3;
    fourths += own ** 2;
    toCentre += Math.exp((-bandwidth * own) / (2 * (1 + bandwidth)));
    toNormal += meanDistanceToNormal((rescale * own) / 2, p);
    const first = i * p;
    for (let j = 0; j < i; j++) {
      const second = j * p;
      let product = 0;
      for (let k = 0; k < p; k++) product += data[first + k] * data[second + k];
      const squared = Math.max(0, own + squares[j] - 2 * product);
      cubes += 2 * product * product * product;
      bumps += 2 * Math.exp((-bandwidth / 2) * squared);
      distances += 2 * Math.sqrt(squared);
    }
    yield 0;
  }
  return {
    skewness: cubes / (n * n),
    kurtosis: fourths / n,
    henzeZirkler:
      bumps / n - 2 * (1 + bandwidth) ** (-p / 2) * toCentre + n * (1 + 2 * bandwidth) ** (-p / 2),
    energy: 2 * toNormal - n * Math.SQRT2 * meanDistanceToNormal(0, p) - (Math.sqrt(rescale) * distances) / n,
  };
}
