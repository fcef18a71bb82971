/** Ends and steps of the grid, then how often it is refined. */
const LEAST = 0.05;
const STEPS = 20;
const REFINEMENTS = 3;

/**
 * The power lambda in (0, 2) under which values are most nearly normal, by maximum likelihood: on a grid, then on finer ones.
 *
 *     -n/2 log var(y) + (lambda - 1) sum sign(t) log(1 + |t|)
 *
 * @see Yeo and Johnson (2000), section 3, doi:10.1093/biomet/87.4.954
 */
export function bestPower(values: Float64Array): number {
  let [low, high] = [LEAST, 2 - LEAST];
  let best = 1;
  for (let i = 0; i < REFINEMENTS; i++) {
    const step = (high - low) / STEPS;
    const grid = Array.from({ length: STEPS + 1 }, (_, k) => low + k * step);
    const likelihoods = grid.map((power) => logLikelihood(values, power));
    const largest = Math.max(...likelihoods);
    if (!Number.isFinite(largest)) return best;
    best = grid[likelihoods.indexOf(largest)];
    [low, high] = [Math.max(LEAST, best - step), Math.min(2 - LEAST, best + step)];
  }
  return best;
}

function logLikelihood(values: Float64Array, power: number): number {
  const n = values.length;
  const transformed = values.map((t) => {
    const k = t >= 0 ? power : 2 - power;
    return (Math.sign(t) * Math.expm1(k * Math.log1p(Math.abs(t)))) / k;
  });
  const mean = transformed.reduce((sum, y) => sum + y, 0) / n;
  const variance = transformed.reduce((sum, y) => sum + (y - mean) ** 2, 0) / n;
  const logs = values.reduce((sum, t) => sum + Math.sign(t) * Math.log1p(Math.abs(t)), 0);
  return (-n / 2) * Math.log(variance) + (power - 1) * logs;
}
