import type { Matrix } from '../../linalg';
import { BlockCovariance, type Covariance } from '../../statistics/covariance';
import { chiSquaredSf } from '../../statistics/special';
import { type BetweenRatios, functionOf, rescale, shrinkOffset } from './between';
import { type NoveltyJudgement, SIGNIFICANT } from './novelty';

/** Neighbouring coordinates that share one pair of covariances. */
export interface PriorBlock {
  within: Covariance;
  between: BetweenRatios;
}

/** W of all coordinates. */
export function withinOf(blocks: readonly PriorBlock[]): Covariance {
  return joined(blocks.map(({ within }) => within));
}

/** f(T W^-1) W of all coordinates: f = 1 gives W, f(t) = t gives T. */
export function functionOfBlocks(blocks: readonly PriorBlock[], f: (ratio: number) => number): Covariance {
  return joined(blocks.map(({ within, between }) => functionOf(between, within, f)));
}

/** W -> lambda W and T -> tauSquared T. */
export function inflate(
  blocks: readonly PriorBlock[],
  { lambda, tauSquared }: { lambda: number; tauSquared: number },
): PriorBlock[] {
  return blocks.map(({ within, between }) => ({
    within: within.scaled(lambda),
    between: rescale(between, lambda, tauSquared),
  }));
}

/** T (T + W / n)^-1 offset, and offset^T (T + W / n)^-1 offset. */
export function shrinkToMean(
  blocks: readonly PriorBlock[],
  offset: Float64Array,
  n: number,
): { shrunk: Float64Array; distance: number } {
  const shrunk = new Float64Array(offset.length);
  let distance = 0;
  let first = 0;
  for (const { within, between } of blocks) {
    const part = shrinkOffset(between, within, offset.slice(first, first + within.dimension), n);
    shrunk.set(part.shrunk, first);
    distance += part.distance;
    first += within.dimension;
  }
  return { shrunk, distance };
}

/** Judges few samples where T and W are known, so that chi-squared is the law of distances. */
export function judgeByKnown(
  blocks: readonly PriorBlock[],
  offset: Float64Array,
  residuals: Matrix,
): NoveltyJudgement {
  const { rows: n, cols: d } = residuals;
  const within = withinOf(blocks);
  let squares = 0;
  for (let i = 0; i < n; i++) squares += within.mahalanobis(residuals.row(i));
  const lambda = n === 1 ? 1 : Math.max(1, squares / ((n - 1) * d));
  const { distance } = shrinkToMean(inflate(blocks, { lambda, tauSquared: 1 }), offset, n);
  const p = chiSquaredSf(distance, d);
  return {
    inflation: { lambda, tauSquared: Math.max(1, distance / d) },
    novelty: { p, novel: p < SIGNIFICANT },
  };
}

function joined(parts: readonly Covariance[]): Covariance {
  return parts.length === 1 ? parts[0] : new BlockCovariance(parts);
}
