/** A distribution on the positive half line at one x: both tails, and d cdf / d ln x. */
export interface Tails {
  lower: number;
  upper: number;
  logSlope: number;
}

/**
 * The x > 0 where a distribution function is `lower` (and its complement `upper`).
 *
 * Newton's method on the logarithm of the smaller tail as a function of ln x, kept inside a shrinking bracket;
 * the logarithms make both ends nearly linear, so tails of 1e-300 cost no more than the median.
 */
export function invertCdf(lower: number, upper: number, start: number, tails: (x: number) => Tails): number {
  if (!(lower >= 0 && lower <= 1)) return Number.NaN;
  if (lower === 0) return 0;
  if (upper === 0) return Infinity;
  const fromBelow = lower < upper;
  const target = Math.log(fromBelow ? lower : upper);
  let low = -Infinity;
  let high = Infinity;
  let at = Math.log(start);
  for (let step = 0; step < 200; step++) {
    const here = tails(Math.exp(at));
    const tail = fromBelow ? here.lower : here.upper;
    // Positive where x is too large, whichever tail is used.
    const miss = (Math.log(tail) - target) * (fromBelow ? 1 : -1);
    if (miss > 0) high = at;
    else low = at;
    let next = at - (miss * tail) / here.logSlope;
    if (!(next >= low && next <= high)) {
      if (low === -Infinity) next = high - 2;
      else if (high === Infinity) next = low + 2;
      else next = (low + high) / 2;
    }
    const moved = Math.abs(next - at);
    at = next;
    if (moved <= 2 ** -52 * Math.max(1, Math.abs(at))) break;
  }
  return Math.exp(at);
}
