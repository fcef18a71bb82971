/** Mean response of a subclass. */
export interface Answer {
  mean: number;
  standardError: number;
  /** Weight w of its own images. */
  weight: number;
}

/**
 * Mean response of the subclass that the last group was drawn from: its own mean, drawn to that of all as far as chance explains how
 * the groups differ.
 *
 *     m + w (m_k - m),   w = t^2 / (t^2 + s^2 / n_k),   t^2 = max(0, var of the m_c - s^2 mean of 1 / n_c),   s^2 pooled within groups
 *
 * One-way random effects by moments, the last group among those that tell t: where it stands out, it speaks for itself. Alone, it is its mean.
 */
export function answerOf(groups: readonly Float64Array[]): Answer {
  const means = groups.map((group) => mean(Array.from(group)));
  const own = groups[groups.length - 1].length;
  const freedom = groups.reduce((sum, group) => sum + group.length - 1, 0);
  const within = groups.reduce((sum, group, c) => sum + squaresAround(group, means[c]), 0) / freedom;
  const last = means[means.length - 1];
  if (groups.length === 1) return { mean: last, standardError: Math.sqrt(within / own), weight: 1 };

  const center = mean(means);
  const spread = squaresAround(means, center) / (means.length - 1);
  const between = Math.max(0, spread - within * mean(groups.map((group) => 1 / group.length)));
  const weight = between === 0 ? 0 : between / (between + within / own);
  return {
    mean: center + weight * (last - center),
    standardError: Math.sqrt((weight * within) / own + ((1 - weight) ** 2 * spread) / means.length),
    weight,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function squaresAround(values: Iterable<number>, center: number): number {
  let squares = 0;
  for (const value of values) squares += (value - center) ** 2;
  return squares;
}
