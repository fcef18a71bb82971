import { smallest } from '../../core/lists';
import { figure, pFigure } from '../../core/printable';

/** What the data say of a statement; "undecided" is no support. */
export type Verdict = 'supported' | 'not supported' | 'undecided';

/** A verdict with the figures it rests on. */
export interface MixingStatement {
  verdict: Verdict;
  because: string;
}

/** An estimate with its band. */
export interface EstimatedBand {
  value: number;
  low: number;
  high: number;
}

/** Distance of the mixture of all subclasses from normal: root of the energy distance, 0.2 for an exponential distribution. */
export interface DistanceFromNormal extends EstimatedBand {
  /** Chance that a normal population is found near normal by so many samples of so many subclasses. */
  power: number;
}

/** What one view says of the mixture of all subclasses. */
export interface ViewEvidence {
  distance: DistanceFromNormal;
  /** p of a distance as large where that of the population is epsilon. */
  p: number;
}

/** Slope of the energy excess on ln K, with one-sided permutation p-values for falling and rising. */
export interface MixingTrend {
  slope: number;
  /** Share of label permutations with a slope as low: small means falling. */
  p: number;
  /** Share of label permutations with a slope as high: small means rising. */
  pRising: number;
}

/** The parts of hypothesis 1, each able to fail on its own. */
export interface MixingStatements {
  /** H1a: the distance from normal falls as more subclasses are mixed. */
  trend: MixingStatement;
  /** H1b: the mixture of all subclasses is closer to normal than single ones are. */
  gain: MixingStatement;
  /** H1c: the mixture of all subclasses is within epsilon of normal. */
  nearNormal: MixingStatement;
  /** H1d: the mixture is closer to normal than if every subclass were normal with its own mean and variance. */
  control: MixingStatement;
}

/** What the statements are judged by. */
interface Findings {
  trend: MixingTrend | null;
  gain: EstimatedBand;
  advantage: EstimatedBand;
  views: readonly ViewEvidence[];
  epsilon: number;
  level: number;
  trainingLatents: boolean;
}

export function judge(findings: Findings): MixingStatements {
  const { trend, gain, advantage, level } = findings;
  return {
    trend: judgeTrend(trend, 1 - level),
    gain: judgeSign(gain, 'energy excess of few subclasses minus that of all'),
    nearNormal: judgeNearNormal(findings),
    control: judgeSign(advantage, 'energy excess of normal subclasses minus that of these'),
  };
}

/**
 * The whole: supported only where the distance falls, gains and ends below epsilon.
 */
export function combine({ trend, gain, nearNormal }: MixingStatements): Verdict {
  const verdicts = [trend.verdict, gain.verdict, nearNormal.verdict];
  if (verdicts.includes('not supported')) return 'not supported';
  return verdicts.every((verdict) => verdict === 'supported') ? 'supported' : 'undecided';
}

/** Views among which one may be as extreme by chance as a single replicate tells. */
const VIEWS_PER_RANK = 16;

/**
 * A mixture is near normal if all its views are, each to the level; it is not if the views together refute it, by the k-th smallest of
 * their V p-values times V / k, which holds however they depend on each other.
 *
 * Latents of training data can refute closeness to normal, not support it: the loss made it.
 *
 * Sources: Berger (1982), doi:10.1080/00401706.1982.10487790 (all at once); Ruger (1978), doi:10.1007/BF01893544 (the k-th smallest).
 */
function judgeNearNormal({ views, epsilon, level, trainingLatents }: Findings): MixingStatement {
  const count = views.length;
  const outside = views.filter(({ distance }) => distance.high > epsilon).length;
  const rank = Math.ceil(count / VIEWS_PER_RANK);
  const ordered = views.map(({ p }) => p).sort((a, b) => a - b);
  const p = (ordered[rank - 1] * count) / rank;
  const far = views.reduce((most, view) =>
    view.distance.value > most.distance.value ? view : most,
  ).distance;
  const of = count === 1 ? '' : ` in the farthest of ${count} views`;
  const because = `distance of all subclasses mixed${of} ${band(far)}, epsilon ${figure(epsilon)}`;
  if (p <= 1 - level) return { verdict: 'not supported', because };
  if (outside > 0) {
    const power = smallest(views.map(({ distance }) => distance.power));
    const chance = `a normal mixture would be found near normal in ${(100 * power).toFixed(0)} % of such samples`;
    return { verdict: 'undecided', because: `${because}; ${chance}` };
  }
  if (trainingLatents) return { verdict: 'undecided', because: `${because}, but these are training latents` };
  return { verdict: 'supported', because };
}

function judgeTrend(trend: MixingTrend | null, alpha: number): MixingStatement {
  if (trend === null) return { verdict: 'undecided', because: 'one number of subclasses has no trend' };
  const because = `slope ${figure(trend.slope)} per unit of ln K, ${pFigure(trend.p)} (falling), ${pFigure(trend.pRising)} (rising)`;
  if (trend.p <= alpha) return { verdict: 'supported', because };
  return { verdict: trend.pRising <= alpha ? 'not supported' : 'undecided', because };
}

function judgeSign(interval: EstimatedBand, name: string): MixingStatement {
  const because = `${name} ${band(interval)}`;
  if (interval.low > 0) return { verdict: 'supported', because };
  return { verdict: interval.high < 0 ? 'not supported' : 'undecided', because };
}

function band({ value, low, high }: EstimatedBand): string {
  return `${figure(value)} [${figure(low)}, ${figure(high)}]`;
}
