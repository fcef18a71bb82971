import { Matrix, RandomStream } from 'tfjs-flows';
import { fitPrior } from 'tfjs-flows/attributes';
import { type BarFigure, below } from './bar';

export const name = 'fitPrior: low-rank form on 1,000 x 12,288';

export async function run(): Promise<BarFigure[]> {
  const [n, d] = [1000, 12_288];
  const z = new Matrix(new RandomStream(1).normalArray(n * d), n, d);
  const subclass = Int32Array.from({ length: n }, (_, i) => i % 20);
  const start = performance.now();
  fitPrior({ z, subclass }, { covariance: 'lowRank' });
  const seconds = (performance.now() - start) / 1000;
  return [
    below('seconds', seconds, 10),
    below('peak memory of the process, MiB', process.resourceUsage().maxRSS / 1024, 1024),
  ];
}
