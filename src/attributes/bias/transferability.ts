import type { RandomStream } from '../../core/random';
import type { Matrix } from '../../linalg';
import { type Covariance, DiagonalCovariance } from '../../statistics/covariance';
import { meanOfRows, selectRows, subtractFromRows } from '../../statistics/rows';
import type { LabeledLatents, SubclassName } from '../labeled';
import { fitPrior } from '../prior';
import { estimateWithin } from '../prior/within';

/** Fewest reference samples of a class: two to learn from, two to score; as many of two other classes make a prior. */
const SMALLEST_REFERENCE = 4;
const FULL_LIMIT = 256;
const RANK = 64;

/** Held-out log-likelihood per dimension, in nats, of one class under models of its covariance; its mean is given to all. */
export interface TransferScores {
  /** Shrunk covariance of the class's own few samples. */
  own: number;
  /** One variance for all directions, from the few samples. */
  isotropic: number;
  /** Covariance of samples of the other classes, class differences included. */
  general: number;
  /** Pooled within-class covariance W of the other classes. */
  pooled: number;
  /** Both together: `Prior.posterior` of the few samples. */
  hierarchical: number;
  /** Covariance of a large sample of the class itself: what there is to reach. */
  oracle: number;
  /** (hierarchical - own) / (oracle - own); null where the oracle is no better than the few samples. */
  gapClosed: number | null;
}

/** Whether other classes' deviations model a class better than its own few samples do. */
export interface Transferability extends TransferScores {
  perSubclass: (TransferScores & { subclass: SubclassName })[];
  /** Classes without 2 few samples, 4 reference samples and two other classes with as many. */
  skipped: SubclassName[];
}

const MODELS = ['own', 'isotropic', 'general', 'pooled', 'hierarchical', 'oracle'] as const;

/**
 * Leaves every class out in turn: the prior comes from the other classes' reference samples, the few samples update it, half of the
 * class's own reference samples score it and the other half makes the oracle.
 *
 * @returns null where no class can be scored
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
    perSubclass.push({ subclass, ...scores });
  });
  if (perSubclass.length === 0) return null;
  const average = (model: (typeof MODELS)[number]) =>
    perSubclass.reduce((sum, scores) => sum + scores[model], 0) / perSubclass.length;
  const means = Object.fromEntries(MODELS.map((model) => [model, average(model)])) as Omit<
    TransferScores,
    'gapClosed'
  >;
  return { ...means, gapClosed: gapOf(means), perSubclass, skipped };
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
  const scores = {
    own: score(shrunk(few)),
    isotropic: score(new DiagonalCovariance(new Float64Array(d).fill(variance))),
    general: score(prior.total),
    pooled: score(prior.within),
    hierarchical: score(prior.posterior(own).covariance),
    oracle: score(shrunk(centered(learned))),
  };
  return { ...scores, gapClosed: gapOf(scores) };
}

function gapOf({ own, hierarchical, oracle }: Omit<TransferScores, 'gapClosed'>): number | null {
  return oracle > own ? (hierarchical - own) / (oracle - own) : null;
}

function centered(rows: Matrix): Matrix {
  return subtractFromRows(rows, meanOfRows('biasReport', rows));
}

function shrunk(residuals: Matrix): Covariance {
  const kind = residuals.cols <= FULL_LIMIT ? 'full' : 'lowRank';
  return estimateWithin('biasReport', residuals, residuals.rows - 1, kind, RANK);
}
