import { complaint, DataError, ShapeError } from '../../core/errors';
import { printable, someOf } from '../../core/printable';
import type { RandomStream } from '../../core/random';
import { recognizable } from '../../core/recognizable';
import type { Matrix } from '../../linalg';
import { toVector } from '../inputs';

/** How a covariance is stored. */
export type CovarianceKind = 'full' | 'diagonal' | 'lowRank' | 'blocks';

/** A covariance as plain JSON; read back by `covarianceFromJSON`. */
export interface SerializedCovariance {
  kind: CovarianceKind;
  [field: string]: unknown;
}

/**
 * A positive definite covariance matrix of d dimensions, in one of several forms; a d x d matrix exists only where the form is full.
 *
 * @example
 * const covariance = new LowRankCovariance(Float64Array.of(1, 1, 1), Matrix.fromRows([[2, 0, 0]])); // diag(5, 1, 1)
 * covariance.variance([1, 0, 0]); // 5
 */
export abstract class Covariance {
  abstract readonly kind: CovarianceKind;

  constructor(
    /** Number of dimensions d. */
    readonly dimension: number,
  ) {}

  /** log det, natural log. */
  abstract readonly logDet: number;

  /** The variances, [d]. */
  abstract diagonal(): Float64Array;

  /** S v, [d]. */
  abstract multiply(v: ArrayLike<number>): Float64Array;

  /** S^-1 v, [d]. */
  abstract solve(v: ArrayLike<number>): Float64Array;

  /** factor * S for factor > 0. */
  abstract scaled(factor: number): Covariance;

  /** diag(factors) S diag(factors) for factors > 0: the covariance of coordinates in other units. */
  abstract stretched(factors: Float64Array): Covariance;

  /** S + R^T R for rows R [k, d]: a scatter is added. A diagonal form adds the diagonal of R^T R. */
  abstract plusScatter(rows: Matrix): Covariance;

  /** S + other, of the same form. */
  abstract plus(other: Covariance): Covariance;

  /** S^1/2 times standard normal noise: one draw from N(0, S), [d]. */
  abstract draw(random: RandomStream): Float64Array;

  /** The coordinates [offset, offset + size) on their own. */
  abstract block(offset: number, size: number): Covariance;

  /** The d x d matrix; meant for small d. */
  abstract toMatrix(): Matrix;

  abstract toJSON(): SerializedCovariance;

  /** Sum of the variances. */
  get trace(): number {
    return this.diagonal().reduce((sum, value) => sum + value, 0);
  }

  /** v^T S v: the variance along v times the squared length of v. */
  variance(v: ArrayLike<number>): number {
    const vector = this.vector('variance', v);
    return dot(vector, this.multiply(vector));
  }

  /** v^T S^-1 v: squared Mahalanobis distance of v from 0. */
  mahalanobis(v: ArrayLike<number>): number {
    const vector = this.vector('mahalanobis', v);
    return dot(vector, this.solve(vector));
  }

  /** log N(v; 0, S) in nats. */
  logDensity(v: ArrayLike<number>): number {
    return -0.5 * (this.dimension * Math.log(2 * Math.PI) + this.logDet + this.mahalanobis(v));
  }

  /** A vector from outside in float64; a Float64Array of the right length is taken as it is. */
  protected vector(where: string, v: ArrayLike<number>): Float64Array {
    if (v instanceof Float64Array && v.length === this.dimension) return v;
    return toVector(`Covariance.${where}`, v, this.dimension);
  }

  protected checkPartner(other: Covariance): void {
    if (other.kind !== this.kind || other.dimension !== this.dimension) {
      throw new ShapeError(
        complaint(
          'Covariance.plus',
          `${this.kind} with ${this.dimension} dimensions`,
          `${other.kind} with ${other.dimension}`,
        ),
      );
    }
  }
}

recognizable(Covariance, 'Covariance');

printable(Covariance.prototype, (covariance) => [
  `Covariance (${covariance.kind}) of ${covariance.dimension} dimensions, variances ${someOf(covariance.diagonal())}`,
]);

/** Throws a DataError unless every variance is positive and finite. */
export function checkVariances(where: string, variances: ArrayLike<number>): void {
  for (let j = 0; j < variances.length; j++) {
    if (!(variances[j] > 0 && Number.isFinite(variances[j]))) {
      throw new DataError(
        complaint(
          where,
          'positive variances',
          `${variances[j]} in coordinate ${j}`,
          'Is that coordinate constant?',
        ),
      );
    }
  }
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += a[j] * b[j];
  return sum;
}
