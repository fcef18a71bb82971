import { figure } from '../core/printable';
import type { ColumnSupport } from '../layers';

/** What stands out in a column of data, and what could be said of it to a recipe. */
export interface ColumnAdvice {
  /** Its name, or its number where it has none. */
  column: string;
  /** What was found. */
  found: 'constant' | 'integer' | 'repeated' | 'circular' | 'bounded' | 'positive' | 'far';
  /** What was seen, and what could be done. */
  reason: string;
  /** What the option `supports` would say of it; none where that does not help. */
  support?: ColumnSupport;
}

/** Share of different values in the rows below which a column counts as repeated. */
const DIFFERENT = 0.8;
/** Whole numbers 0, 1, ... of at most so many kinds may be categories. */
const FEW = 8;
/** Quartile distances from the median beyond which a value lies far off. */
const FAR = 10;
/** How near data that fill an interval come to its ends, in units of its length. */
const NEAR = 0.02;
/** Quartile distances between 0 and the median of positive values below which a flow without bound would put mass below 0. */
const CLOSE_TO_ZERO = 3;
/** The largest over the smallest value from which on logarithms are the better scale. */
const DECADES = 1000;

const TURN = 2 * Math.PI;
const CIRCLES = [
  [-Math.PI, Math.PI],
  [0, TURN],
  [-180, 180],
  [0, 360],
] as const;
const STEPS = [1, 0.5, 0.1, 0.05, 0.01, 0.005, 0.001, 1e-4, 1e-5, 1e-6];

/** A column as it was looked at. */
interface Seen {
  sorted: Float64Array;
  /** Its different values, in order. */
  distinct: Float64Array;
  low: number;
  high: number;
  median: number;
  /** Distance of its quartiles. */
  spread: number;
  /** For people. */
  range: string;
}

type Advice = Omit<ColumnAdvice, 'column'>;

/** What stands out in a column; undefined where nothing does. */
export function columnAdvice(column: string, values: Float64Array): ColumnAdvice | undefined {
  const sorted = Float64Array.from(values).sort();
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  const [low, high] = [sorted[0], sorted[sorted.length - 1]];
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  const spread = quantile(0.75) - quantile(0.25);
  const range = `${figure(low)} .. ${figure(high)}`;
  const seen: Seen = { sorted, distinct, low, high, median: quantile(0.5), spread, range };
  for (const look of [constant, wholeNumbers, repeated, onACircle, inAnInterval, aboveZero, farOff]) {
    const advice = look(seen);
    if (advice !== undefined) return { column, ...advice };
  }
  return undefined;
}

function constant({ low, high }: Seen): Advice | undefined {
  if (low < high) return undefined;
  return { found: 'constant', reason: `always ${figure(low)}. Leave it out: it has no density` };
}

function wholeNumbers({ distinct, low, high, range }: Seen): Advice | undefined {
  if (!distinct.every(Number.isInteger)) return undefined;
  const seen = `whole numbers ${range}, of which a density has no bound`;
  if (low === 0 && high < FEW) {
    const reason = `${seen}. Categories, or 'integer' where their order counts`;
    return { found: 'integer', reason, support: { categories: high + 1 } };
  }
  const support: ColumnSupport = low < 0 ? 'integer' : { integer: [0, Number.POSITIVE_INFINITY] };
  return { found: 'integer', reason: seen, support };
}

function repeated({ sorted, distinct }: Seen): Advice | undefined {
  if (distinct.length >= DIFFERENT * sorted.length) return undefined;
  const seen = `${distinct.length} different values in ${sorted.length} rows`;
  const step = STEPS.find((unit) => distinct.every((value) => isMultiple(value, unit)));
  const cure =
    step === undefined
      ? 'Add noise as wide as they were rounded'
      : `Multiples of ${step}: divide by it and say 'integer', or add uniform noise of that width`;
  const reason = `${seen}, of which a density has no bound: it rewards needles. ${cure}`;
  return { found: 'repeated', reason };
}

function onACircle({ low, high, range }: Seen): Advice | undefined {
  const ends = CIRCLES.find((circle) => fills(low, high, circle));
  if (ends === undefined) return undefined;
  const support: ColumnSupport = ends === CIRCLES[0] ? 'circular' : { circular: ends };
  return { found: 'circular', reason: `${range}. An angle?`, support };
}

function inAnInterval({ low, high, range }: Seen): Advice | undefined {
  if (!fills(low, high, [0, 1])) return undefined;
  const reachesEnds = low === 0 || high === 1;
  const reason = `${range}${reachesEnds ? ', an end among them' : ''}. A share?`;
  return { found: 'bounded', reason, support: reachesEnds ? { within: [0, 1] } : [0, 1] };
}

function aboveZero({ low, high, median, spread, range }: Seen): Advice | undefined {
  if (low < 0 || median > CLOSE_TO_ZERO * spread) return undefined;
  const reason = `${range}${low === 0 ? ', 0 among them' : ''}. Never below 0?`;
  const fromZero: ColumnSupport = { within: [0, Number.POSITIVE_INFINITY] };
  const above: ColumnSupport = high > DECADES * low ? { positive: 'log' } : 'positive';
  return { found: 'positive', reason, support: low === 0 ? fromZero : above };
}

function farOff({ sorted, median, spread, range }: Seen): Advice | undefined {
  const far = sorted.filter((value) => Math.abs(value - median) > FAR * spread).length;
  if (far === 0) return undefined;
  const reason = `${range}, ${far} of ${sorted.length} values more than ${FAR} quartile distances from the median`;
  return { found: 'far', reason, support: 'heavyTailed' };
}

function isMultiple(value: number, unit: number): boolean {
  const count = value / unit;
  return Math.abs(count - Math.round(count)) < 1e-5 * Math.max(1, Math.abs(count) * 1e-2);
}

/** Whether values lie in an interval and come near both of its ends. */
function fills(low: number, high: number, [from, to]: readonly [number, number]): boolean {
  const near = NEAR * (to - from);
  return low >= from && high <= to && low - from < near && to - high < near;
}
