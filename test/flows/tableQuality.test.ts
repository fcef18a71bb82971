import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { judge } from '../../bench/tables/compare';
import { kinds } from '../../bench/tables/kinds';
import { meanOf } from '../../bench/tables/peers';
import { PROTOCOL, trainAndJudge } from '../../bench/tables/protocol';
import { splitsOf } from '../../bench/tables/splits';

// The short form of `npm run bench:tables`.
describe('the density of red wine', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
  });

  it('is learned by spline couplings in 200 steps beyond what a normal can', async () => {
    const [split] = splitsOf('wine_red');
    const flow = kinds.splineCoupling(split.train, 0);
    const { points, bestStep, parameters } = await trainAndJudge(flow, split, 0, { ...PROTOCOL, steps: 200 });
    flow.dispose();
    console.log(
      `red wine: ${meanOf(points).toFixed(2)} nats after ${bestStep} steps of ${parameters} weights`,
    );
    // A full normal has -13.20; the libraries in PyTorch reach -9.2 to -9.9 after 200 to 450 steps.
    expect(meanOf(points)).toBeGreaterThan(-10.5);
    const { paired, best } = judge('wine_red', 'splineCoupling', [points]);
    expect(best?.library).toBe('normflows');
    expect(paired?.mean).toBeCloseTo(meanOf(points) + 9.176, 1);
  });

  it('is judged in units of its training rows, each fold row once', () => {
    const [{ train, test, places }] = splitsOf('wine_red');
    const column = Array.from({ length: train.shape[0] }, (_, i) => train.data[i * 11 + 3]);
    expect(meanOf(column)).toBeCloseTo(0, 5);
    expect(meanOf(column.map((value) => value * value))).toBeCloseTo(1, 5);
    expect([test.shape[0], places.length]).toEqual([159, 159]);
  });
});
