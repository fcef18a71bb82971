import { RandomStream } from 'tfjs-flows';
import { shapiroWilk } from 'tfjs-flows/attributes';
import { type BarFigure, below } from './bar';

export const name = 'Shapiro-Wilk on 5,000 values: milliseconds';

export async function run(): Promise<BarFigure[]> {
  const random = new RandomStream(1);
  const times = Array.from({ length: 30 }, (_, i) => {
    // Two sizes in turn, so that the weights are computed anew every time.
    const x = random.normalArray(5000 - (i % 2));
    const start = performance.now();
    shapiroWilk(x);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return [below('median of 30', times[15], 5)];
}
