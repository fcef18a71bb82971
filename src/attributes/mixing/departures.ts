import { normalPdf } from '../../statistics/special';

/** Strongest bend that is simulated; a lognormal of it lies 0.46 from normal. */
const LARGEST_BEND = 2.5;
const BENDS = 24;
const GRID = 400;
const REACH = 8;
const FREQUENCIES = 240;
const LARGEST_FREQUENCY = 12;

/** x -> e^(g x), the monotone bend that makes a normal variable skewed; its mean and deviation at a standard normal one. */
export function bentMoments(g: number): { mean: number; deviation: number } {
  return { mean: Math.exp((g * g) / 2), deviation: Math.sqrt(Math.expm1(g * g)) * Math.exp((g * g) / 2) };
}

const curves = new Map<number, { bends: number[]; distances: number[] }>();

/**
 * Bend of the part of a variable with share `share` of its variance, the rest normal, that puts the whole at a distance from normal; null
 * where no bend does.
 *
 * @param distance root of the energy distance
 */
export function bendFor(distance: number, share: number): number | null {
  let curve = curves.get(share);
  if (curve === undefined) {
    // Squares of equal steps: the distance grows evenly with a small bend.
    const bends = Array.from({ length: BENDS + 1 }, (_, k) => LARGEST_BEND * (k / BENDS) ** 2);
    curve = { bends, distances: bends.map((g) => (g === 0 ? 0 : distanceOf(g, share))) };
    curves.set(share, curve);
  }
  const { bends, distances } = curve;
  const above = distances.findIndex((value) => value >= distance);
  if (above < 0) return null;
  if (above === 0) return 0;
  const part = (distance - distances[above - 1]) / (distances[above] - distances[above - 1]);
  return bends[above - 1] + part * (bends[above] - bends[above - 1]);
}

/**
 * Root of the energy distance of sqrt(share) B + sqrt(1 - share) Z from normal, B a standardized bent normal variable.
 *
 *     energy = 2 / pi int_0^inf |psi(t) - exp(-t^2 / 2)|^2 / t^2 dt,   psi(t) = E exp(i t sqrt(share) B) exp(-(1 - share) t^2 / 2)
 */
function distanceOf(g: number, share: number): number {
  const { mean, deviation } = bentMoments(g);
  const step = (2 * REACH) / GRID;
  const points = Array.from({ length: GRID + 1 }, (_, i) => i * step - REACH);
  const bent = points.map((u) => (Math.exp(g * u) - mean) / deviation);
  const masses = points.map((u) => step * normalPdf(u));
  const width = LARGEST_FREQUENCY / FREQUENCIES;
  let sum = 0;
  for (let k = 0; k < FREQUENCIES; k++) {
    const t = (k + 0.5) * width;
    let real = 0;
    let imaginary = 0;
    for (let i = 0; i <= GRID; i++) {
      const angle = t * Math.sqrt(share) * bent[i];
      real += masses[i] * Math.cos(angle);
      imaginary += masses[i] * Math.sin(angle);
    }
    const rest = Math.exp((-(1 - share) * t * t) / 2);
    sum += ((rest * real - Math.exp((-t * t) / 2)) ** 2 + (rest * imaginary) ** 2) / (t * t);
  }
  return Math.sqrt((2 / Math.PI) * sum * width);
}
