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

/** Slope of the excess on ln K, with one-sided permutation p-values for falling and rising. */
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

export function judge(
  trend: MixingTrend | null,
  gain: EstimatedBand,
  last: EstimatedBand,
  advantage: EstimatedBand,
  epsilon: number,
  alpha: number,
  trainingLatents: boolean,
): MixingStatements {
  return {
    trend: judgeTrend(trend, alpha),
    gain: judgeSign(gain, 'excess of few subclasses minus excess of all'),
    nearNormal: judgeNearNormal(last, epsilon, trainingLatents),
    control: judgeSign(advantage, 'excess of normal subclasses minus excess of these'),
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

/** Latents of training data can refute closeness to normal, not support it: the loss made it. */
function judgeNearNormal(last: EstimatedBand, epsilon: number, trainingLatents: boolean): MixingStatement {
  const because = `excess of all subclasses ${band(last)}, epsilon ${epsilon}`;
  if (last.low > epsilon) return { verdict: 'not supported', because };
  if (last.high > epsilon) return { verdict: 'undecided', because };
  if (trainingLatents) return { verdict: 'undecided', because: `${because}, but these are training latents` };
  return { verdict: 'supported', because };
}

function judgeTrend(trend: MixingTrend | null, alpha: number): MixingStatement {
  if (trend === null) return { verdict: 'undecided', because: 'one number of subclasses has no trend' };
  const because = `slope ${show(trend.slope)} per unit of ln K, p ${show(trend.p)} (falling), ${show(trend.pRising)} (rising)`;
  if (trend.p <= alpha) return { verdict: 'supported', because };
  return { verdict: trend.pRising <= alpha ? 'not supported' : 'undecided', because };
}

function judgeSign(interval: EstimatedBand, name: string): MixingStatement {
  const because = `${name} ${band(interval)}`;
  if (interval.low > 0) return { verdict: 'supported', because };
  return { verdict: interval.high < 0 ? 'not supported' : 'undecided', because };
}

function band({ value, low, high }: EstimatedBand): string {
  return `${show(value)} [${show(low)}, ${show(high)}]`;
}

function show(value: number): string {
  return value.toFixed(3);
}
