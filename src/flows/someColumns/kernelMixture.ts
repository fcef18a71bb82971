import type { RandomStream } from '../../core/random';
import { cholesky, choleskyLogDet, Matrix, solveLower } from '../../linalg';
import { logGamma } from '../../statistics/special/gamma';
import type { Points } from './points';

/** Points around which kernels stand, all of one shape. */
export interface KernelGroup {
  centres: Points;
  /** Scale matrix of the kernels. */
  scale: Matrix;
  /** Their degrees of freedom. */
  freedom: number;
  /** Share of the whole mixture. */
  share: number;
}

/** A kernel keeps the category of its centre with this probability, and else draws it by the frequencies. */
const KEPT = 0.8;

interface Group {
  centres: Points;
  lower: Matrix;
  /** Centres in units of the kernel. */
  whitened: Float64Array;
  share: number;
  freedom: number;
  logScale: number;
}

/**
 * A mixture of Student-t kernels on lines, with categories beside them: what importance sampling draws from.
 *
 *     q(v, k) = sum_i s_i t(v; v_i, S_i, f_i) prod_j (0.8 [k_j = k_ij] + 0.2 f_j(k_j))
 */
export class KernelMixture {
  private readonly groups: Group[];

  /**
   * @param lines number c of lines
   * @param frequencies of the categories of each categorical column, none of them 0
   */
  constructor(
    groups: readonly KernelGroup[],
    private readonly lines: number,
    private readonly frequencies: readonly Float64Array[],
  ) {
    this.groups = groups.map(({ centres, scale, share, freedom }) => {
      const lower = cholesky(scale);
      const constant =
        logGamma((freedom + lines) / 2) -
        logGamma(freedom / 2) -
        (lines / 2) * Math.log(freedom * Math.PI) -
        choleskyLogDet(lower) / 2;
      const logScale = constant + Math.log(share / centres.count);
      return { centres, lower, whitened: whiten(lower, centres), share, freedom, logScale };
    });
  }

  sample(n: number, random: RandomStream): Points {
    const { lines, frequencies } = this;
    const m = frequencies.length;
    const shares = Float64Array.from(this.groups, ({ share }) => share);
    const line = new Float64Array(n * lines);
    const categories = new Int32Array(n * m);
    for (let i = 0; i < n; i++) {
      const { centres, lower, freedom } = this.groups[drawn(shares, random)];
      const centre = random.integer(centres.count);
      const noise = random.normalArray(lines);
      const spread = Math.sqrt(freedom / chiSquare(freedom, random));
      for (let j = 0; j < lines; j++) {
        let moved = 0;
        for (let k = 0; k <= j; k++) moved += lower.at(j, k) * noise[k];
        line[i * lines + j] = centres.line[centre * lines + j] + spread * moved;
      }
      for (let j = 0; j < m; j++) {
        const kept = random.uniformNumber() < KEPT;
        categories[i * m + j] = kept ? centres.categories[centre * m + j] : drawn(frequencies[j], random);
      }
    }
    return { count: n, line, categories };
  }

  /** log q, one per point. */
  logDensity(points: Points): Float64Array {
    const terms = this.groups.map((group) => ({ ...group, points: whiten(group.lower, points) }));
    const logs = new Float64Array(this.groups.reduce((sum, { centres }) => sum + centres.count, 0));
    const result = new Float64Array(points.count);
    for (let i = 0; i < points.count; i++) {
      const factors = this.categoryFactors(points, i);
      let at = 0;
      let highest = Number.NEGATIVE_INFINITY;
      for (const group of terms) {
        for (let k = 0; k < group.centres.count; k++, at++) {
          logs[at] =
            group.logScale +
            logKernel(group.points, i, group.whitened, k, this.lines, group.freedom) +
            this.logCategories(points, i, group.centres, k, factors);
          if (logs[at] > highest) highest = logs[at];
        }
      }
      let sum = 0;
      for (const value of logs) sum += Math.exp(value - highest);
      result[i] = highest + Math.log(sum);
    }
    return result;
  }

  /** Logarithms of what each category of a point weighs where the centre has another, and where it has the same. */
  private categoryFactors({ categories }: Points, i: number): { other: number; same: number }[] {
    const m = this.frequencies.length;
    return this.frequencies.map((frequencies, j) => {
      const free = (1 - KEPT) * frequencies[categories[i * m + j]];
      return { other: Math.log(free), same: Math.log(free + KEPT) };
    });
  }

  private logCategories(
    points: Points,
    i: number,
    centres: Points,
    k: number,
    factors: readonly { other: number; same: number }[],
  ): number {
    const m = factors.length;
    let sum = 0;
    for (let j = 0; j < m; j++) {
      const same = points.categories[i * m + j] === centres.categories[k * m + j];
      sum += same ? factors[j].same : factors[j].other;
    }
    return sum;
  }
}

/** Scale of kernels around n points of a covariance (Silverman 1986, section 4.3.2). */
export function narrowed(covariance: Matrix, n: number): Matrix {
  const c = covariance.rows;
  const squared = ((4 / (c + 2)) ** (1 / (c + 4)) * n ** (-1 / (c + 4))) ** 2;
  return new Matrix(
    covariance.data.map((value) => value * squared),
    c,
    c,
  );
}

function whiten(lower: Matrix, { count, line }: Points): Float64Array {
  const c = lower.rows;
  const result = new Float64Array(count * c);
  for (let i = 0; i < count; i++) result.set(solveLower(lower, line.subarray(i * c, (i + 1) * c)), i * c);
  return result;
}

/** Log of the t kernel, but for its constant. */
function logKernel(
  points: Float64Array,
  i: number,
  centres: Float64Array,
  k: number,
  c: number,
  freedom: number,
): number {
  let squares = 0;
  for (let j = 0; j < c; j++) {
    const distance = points[i * c + j] - centres[k * c + j];
    squares += distance * distance;
  }
  return -0.5 * (freedom + c) * Math.log1p(squares / freedom);
}

function chiSquare(freedom: number, random: RandomStream): number {
  let sum = 0;
  for (let i = 0; i < freedom; i++) sum += random.normalNumber() ** 2;
  return sum;
}

/** A place, drawn by the share of each. */
function drawn(shares: Float64Array, random: RandomStream): number {
  let rest = random.uniformNumber();
  for (let place = 0; place < shares.length; place++) {
    rest -= shares[place];
    if (rest < 0) return place;
  }
  return shares.length - 1;
}
