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
  /** H1a: the distance from normal falls as more classes are mixed. */
  trend: MixingStatement;
  /** H1b: the mixture of all classes is closer to normal than single classes are. */
  gain: MixingStatement;
  /** H1c: the mixture of all classes is within epsilon of normal. */
  equivalence: MixingStatement;
  /** H1d: the mixture is closer to normal than if every class were normal with its own mean and variance. */
  control: MixingStatement;
}

export function judge(
  trend: MixingTrend | null,
  gain: EstimatedBand,
  last: EstimatedBand,
  advantage: EstimatedBand,
  epsilon: number,
  alpha: number,
): MixingStatements {
  return {
    trend: judgeTrend(trend, alpha),
    gain: judgeSign(gain, 'excess of few classes minus excess of all'),
    equivalence: {
      verdict: last.high <= epsilon ? 'supported' : last.low > epsilon ? 'not supported' : 'undecided',
      because: `excess of all classes ${band(last)}, epsilon ${epsilon}`,
    },
    control: judgeSign(advantage, 'excess of normal classes minus excess of these'),
  };
}

/**
 * The whole: supported only where the distance falls, gains and ends below epsilon, and the data can speak of it at all.
 */
export function combine({ trend, gain, equivalence }: MixingStatements, canSupport: boolean): Verdict {
  const verdicts = [trend.verdict, gain.verdict, equivalence.verdict];
  if (verdicts.includes('not supported')) return 'not supported';
  return canSupport && verdicts.every((verdict) => verdict === 'supported') ? 'supported' : 'undecided';
}

function judgeTrend(trend: MixingTrend | null, alpha: number): MixingStatement {
  if (trend === null) return { verdict: 'undecided', because: 'no label permutations were asked for' };
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
