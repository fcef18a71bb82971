import type { RandomStream } from '../../core/random';
import type { Matrix } from '../../linalg';
import { type Covariance, DiagonalCovariance } from '../../statistics/covariance';
import { meanOfRows, selectRows, subtractFromRows } from '../../statistics/rows';
import type { LabeledLatents, SubclassName } from '../labeled';
import { fitPrior } from '../prior';
import { estimateWithin } from '../prior/within';

/** Fewest reference samples of a subclass: two to learn from, two to score; as many of two others make a prior. */
const SMALLEST_REFERENCE = 4;
/** Fewest oracle samples per few sample that make a way from one to the other worth a percentage. */
const LARGE_ORACLE = 4;
const FULL_LIMIT = 256;
const RANK = 64;

/** Held-out log-likelihood per dimension, in nats, of one subclass under models of its covariance; its mean is given to all. */
export interface TransferScores {
  /** Shrunk covariance of the subclass's own few samples. */
  own: number;
  /** One variance for all directions, from the few samples. */
  isotropic: number;
  /** Covariance of samples of the other subclasses, their differences included. */
  general: number;
  /** Pooled within-subclass covariance W of the others. */
  pooled: number;
  /** Both together: `Prior.posterior` of the few samples. */
  hierarchical: number;
  /** Covariance of a larger sample of the subclass itself, half of its reference: what there is to reach. */
  oracle: number;
}

/** How much better one model is than the few samples alone, in nats per dimension. */
export interface TransferGain {
  /** Mean over subclasses. */
  mean: number;
  /** Its standard error over subclasses; null for a single one. */
  error: number | null;
}

/** Scores of one subclass, and how many samples its oracle and its few samples are. */
export interface SubclassTransfer extends TransferScores {
  subclass: SubclassName;
  count: number;
  oracleCount: number;
}

/** Whether other subclasses' deviations model a subclass better than its own few samples do: scores, means over subclasses. */
export interface Transferability extends TransferScores {
  /** Gains over `own`: of the others alone, of both together, and of a larger sample of its own. */
  gains: { pooled: TransferGain; hierarchical: TransferGain; oracle: TransferGain };
  /**
   * (hierarchical - own) / (oracle - own), above 1 where both together do better than the oracle. Null where the oracle is less than four
   * times the few samples of some subclass, or its gain not two standard errors above 0: the way there is not known then.
   */
  gapClosed: number | null;
  /** Why `gapClosed` is null. */
  gapReason: string | null;
  perSubclass: SubclassTransfer[];
  /** Subclasses without 2 few samples, 4 reference samples and two other subclasses with as many. */
  skipped: SubclassName[];
}

const MODELS = ['own', 'isotropic', 'general', 'pooled', 'hierarchical', 'oracle'] as const;

/**
 * Leaves every subclass out in turn: the prior comes from the others' reference samples, the few samples update it, half of the
 * subclass's own reference samples score it and the other half makes the oracle.
 *
 * @returns null where no subclass can be scored
 */
export function transferabilityOf(
  few: LabeledLatents,
  reference: LabeledLatents,
  referenceClass: readonly number[],
  random: RandomStream,
): Transferability | null {
  const perSubclass: Transferability['perSubclass'] = [];
  const skipped: SubclassName[] = [];
  few.names.forEach((subclass, c) => {
    const own = selectRows(few.z, few.groups[c]);
    const target = referenceClass[c];
    const rows = reference.groups[target];
    const usable = reference.groups.filter((group, k) => k !== target && group.length >= SMALLEST_REFERENCE);
    if (own.rows < 2 || rows.length < SMALLEST_REFERENCE || usable.length < 2) {
      skipped.push(subclass);
      return;
    }
    const order = random.permutation(rows.length);
    const half = Math.floor(rows.length / 2);
    const learned = selectRows(
      reference.z,
      order.subarray(0, half).map((i) => rows[i]),
    );
    const scored = centered(
      selectRows(
        reference.z,
        order.subarray(half).map((i) => rows[i]),
      ),
    );
    const others = Int32Array.from(reference.subclass.keys()).filter((i) => reference.subclass[i] !== target);
    const scores = scoreModels(own, learned, scored, {
      z: selectRows(reference.z, others),
      subclass: others.map((i) => reference.subclass[i]),
    });
    perSubclass.push({ subclass, count: own.rows, oracleCount: learned.rows, ...scores });
  });
  if (perSubclass.length === 0) return null;
  const average = (model: (typeof MODELS)[number]) =>
    perSubclass.reduce((sum, scores) => sum + scores[model], 0) / perSubclass.length;
  const means = Object.fromEntries(MODELS.map((model) => [model, average(model)])) as Record<
    (typeof MODELS)[number],
    number
  >;
  const gainOf = (model: (typeof MODELS)[number]) =>
    meanWithError(perSubclass.map((scores) => scores[model] - scores.own));
  const gains = { pooled: gainOf('pooled'), hierarchical: gainOf('hierarchical'), oracle: gainOf('oracle') };
  return { ...means, gains, ...gapOf(gains, perSubclass), perSubclass, skipped };
}

function meanWithError(values: readonly number[]): TransferGain {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: n < 2 ? null : Math.sqrt(squares / (n - 1) / n) };
}

function gapOf(
  { hierarchical, oracle }: Transferability['gains'],
  perSubclass: readonly SubclassTransfer[],
): { gapClosed: number | null; gapReason: string | null } {
  const short = perSubclass.find(({ count, oracleCount }) => oracleCount < LARGE_ORACLE * count);
  if (short !== undefined) {
    const { subclass, count, oracleCount } = short;
    const gapReason = `the oracle of subclass ${subclass} is ${oracleCount} samples, less than ${LARGE_ORACLE} times its ${count} few`;
    return { gapClosed: null, gapReason };
  }
  if (oracle.error === null || !(oracle.mean > 2 * oracle.error)) {
    return { gapClosed: null, gapReason: 'larger samples are not shown to be better than the few' };
  }
  return { gapClosed: hierarchical.mean / oracle.mean, gapReason: null };
}

function scoreModels(
  own: Matrix,
  learned: Matrix,
  scored: Matrix,
  base: { z: Matrix; subclass: Int32Array },
): TransferScores {
  const d = own.cols;
  const prior = fitPrior(base);
  const few = centered(own);
  const variance = few.data.reduce((sum, value) => sum + value * value, 0) / ((few.rows - 1) * d);
  const score = (covariance: Covariance) => {
    let sum = 0;
    for (let i = 0; i < scored.rows; i++) sum += covariance.logDensity(scored.row(i));
    return sum / (scored.rows * d);
  };
  return {
    own: score(shrunk(few)),
    isotropic: score(new DiagonalCovariance(new Float64Array(d).fill(variance))),
    general: score(prior.total),
    pooled: score(prior.within),
    hierarchical: score(prior.posterior(own).covariance),
    oracle: score(shrunk(centered(learned))),
  };
}

function centered(rows: Matrix): Matrix {
  return subtractFromRows(rows, meanOfRows('biasReport', rows));
}

function shrunk(residuals: Matrix): Covariance {
  const kind = residuals.cols <= FULL_LIMIT ? 'full' : 'lowRank';
  return estimateWithin('biasReport', residuals, residuals.rows - 1, kind, RANK);
}
