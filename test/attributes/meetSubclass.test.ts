import { ConfigError, DataError, Matrix, NotLearnableError, RandomStream, ShapeError } from 'tfjs-flows';
import {
  fitPrior,
  learnAttribute,
  meetSubclass,
  mixedNormality,
  transferDelta,
  zDelta,
} from 'tfjs-flows/attributes';
import { describe, expect, it } from 'vitest';

const D = 5;
const CLASSES = 12;
const PER_CLASS = 20;

/** Normal subclasses; an attribute is seen along one direction, the same in all or one of its own in each. */
function simulate(seed: number, shared: boolean) {
  const random = new RandomStream(seed);
  const z: number[][] = [];
  const subclass: number[] = [];
  const ink: number[] = [];
  const hat: number[] = [];
  const draw = (c: number) => {
    const mean = Array.from(random.normalArray(D), (value) => 1.5 * value);
    const direction = shared ? [1, 0.5, 0, 0, 0] : random.normalArray(D);
    for (let i = 0; i < PER_CLASS; i++) {
      const amount = random.normalNumber();
      z.push(mean.map((m, j) => m + amount * direction[j] + 0.7 * random.normalNumber()));
      subclass.push(c);
      ink.push(amount);
      hat.push(amount > 0 ? 1 : 0);
    }
  };
  for (let c = 0; c <= CLASSES; c++) draw(c);
  const count = CLASSES * PER_CLASS;
  const few = z.slice(count, count + 5);
  const rows = [...Array(count).keys()];
  return {
    base: {
      z: z.slice(0, count),
      subclass: subclass.slice(0, count),
      attributes: rows.map((i) => [ink[i], hat[i]]),
    },
    few,
  };
}

const { base, few } = simulate(1, true);
const decode = (z: Matrix) => z;
/** Half of what regression promises: the second coordinate is not seen. */
const calibrate = (images: Matrix) => Array.from({ length: images.rows }, (_, i) => 7 * images.at(i, 0));

describe('meetSubclass', () => {
  it('is the road that one would go step by step', async () => {
    const met = await meetSubclass(base, few, { seed: 3 });
    const direction = zDelta(base, { attribute: 0, mode: 'slope' });
    const mixing = mixedNormality(base, { along: direction, seed: 3 });
    const posterior = fitPrior(base, { seed: 3 }).posterior(few);
    expect(met.direction.delta).toEqual(direction.delta);
    expect(met.mixing?.nearNormal).toBe(mixing.nearNormal);
    expect(met.posterior.mean).toEqual(posterior.mean);
    expect(met.ranges).toHaveLength(5);
    met.transfers.forEach((step, i) => {
      const call = () => transferDelta(direction, posterior, { z: few[i], mixing });
      if (step === null) {
        expect(call).toThrow(NotLearnableError);
        return;
      }
      const alone = call();
      expect(step.strength).toBe(alone.strength);
      expect(met.ranges[i].own).toEqual(alone.range?.own);
      expect(met.moved.at(i, 0)).toBeCloseTo(few[i][0] + alone.delta[0], 12);
    });
    expect(met.calibration).toBe(null);
    expect(met.refusal).toBe(met.ranges[0].refusal);
  });

  it('chooses the mode by the values of the attribute', async () => {
    const { direction } = await meetSubclass(base, few, { attribute: 1 });
    expect(direction.delta).toEqual(zDelta(base, { attribute: 1, mode: 'binary' }).delta);
    const thirds = await meetSubclass(base, few, { attribute: 0, mode: 'tercile' });
    expect(thirds.direction.delta).toEqual(zDelta(base, { attribute: 0, mode: 'tercile' }).delta);
  });

  it('counts strengths in what images show, where that is measured', async () => {
    const met = await meetSubclass(base, few, { decode, calibrate });
    const [unit] = calibrate(Matrix.fromRows([Array.from(met.direction.delta)]));
    expect(Math.abs(unit / met.calibration!.deviation - 1)).toBeLessThan(0.03);
    expect(met.direction.attributeDeviation).toBe(1);
    expect(met.calibration?.samples).toBe(5);
    for (const step of met.transfers) expect(step?.strength ?? 0).toBeLessThanOrEqual(2);

    const still = await meetSubclass(base, few, { decode, calibrate: (z) => Array.from(z.column(4)) });
    expect(still.calibration).toBe(null);
    expect(still.notes.join()).toMatch(/^Not calibrated\. .*does not follow this direction/);
    expect(still.direction.delta).toEqual(zDelta(base, { mode: 'slope' }).delta);
  });

  it('refuses a direction that the other subclasses do not share, and says so', async () => {
    const own = simulate(2, false);
    const met = await meetSubclass(own.base, own.few);
    expect(met.refusal).toMatch(/direction/);
    for (const { transferable } of met.ranges) expect(transferable).toEqual([]);
    for (const [i, step] of met.transfers.entries()) {
      expect(step?.strength ?? 0).toBeLessThanOrEqual(Math.max(0, met.ranges[i].own![1]));
    }
    expect(String(met)).toContain('not transferable: ');
  });

  it('meets further subclasses with what it has learned', async () => {
    const learned = learnAttribute(base, { attribute: 0, seed: 3 });
    const met = await meetSubclass(learned, few, { decode, calibrate });
    const again = await meetSubclass(learned, few.slice(0, 3));
    expect(again.prior).toBe(met.prior);
    expect(again.posterior.count).toBe(3);
    expect(again.direction.delta).toEqual(zDelta(base, { mode: 'slope' }).delta);
    // A direction, a verdict and a prior from elsewhere do as well.
    const { direction, mixing, prior } = learned;
    const given = await meetSubclass({ direction, mixing, prior }, few.slice(0, 3));
    expect(given.moved.data).toEqual(again.moved.data);
    await expect(meetSubclass({ direction, mixing, prior }, few, { decode, calibrate })).rejects.toThrow(
      /what learnAttribute found, with calibrate/,
    );
    await expect(meetSubclass(learned, few, { attribute: 1 })).rejects.toThrow(
      /learned already, got attribute/,
    );
  });

  it('learns with a direction of other samples, and a prior that is there', () => {
    const direction = zDelta(simulate(4, true).base, { mode: 'slope' });
    const prior = fitPrior(base);
    const learned = learnAttribute({ z: base.z, subclass: base.subclass }, { direction, prior, seed: 1 });
    expect([learned.direction, learned.prior]).toEqual([direction, prior]);
    const mixing = mixedNormality(base, { along: direction, seed: 1 });
    expect(learned.mixing?.along).toEqual(mixing.along);
    expect(learned.mixing?.curve).toEqual(mixing.curve);
  });

  it('moves other latents of the subclass, by a direction that is known from a file', async () => {
    const { direction, mixing, prior } = learnAttribute(base, { seed: 3 });
    const { delta, consistency, consistencyError } = direction;
    const known = { direction: { delta: Array.from(delta), consistency, consistencyError }, mixing, prior };
    const z = [few[0].map((value) => value + 0.1)];
    const met = await meetSubclass(known, few, { z, match: 'diagonal' });
    const posterior = prior.posterior(few);
    const shared = { z: z[0], match: 'diagonal', mixing: mixing! } as const;
    const step = transferDelta(known.direction, posterior, shared);
    expect(met.transfers.map((one) => one?.strength)).toEqual([step.strength]);
    expect(met.coloured).toEqual(step.direction);
    expect(met.coloured).not.toEqual(delta);
    expect([met.ranges.length, met.moved.rows, met.posterior.count]).toEqual([1, 1, 5]);
    expect(String(met)).toContain('one deviation is strength 1\n');
    await expect(meetSubclass(known, few, { decode, calibrate })).rejects.toThrow(
      /what learnAttribute found/,
    );
  });

  it('takes your word for what the report leaves undecided, and not for what it refutes', async () => {
    const { direction, prior } = learnAttribute(base, { seed: 3 });
    const meet = (nearNormal: 'supported' | 'undecided' | 'not supported', assumeNearNormal: boolean) =>
      meetSubclass({ direction, prior, mixing: { nearNormal, along: direction.delta } }, few, {
        assumeNearNormal,
      });
    const [found, word] = [await meet('supported', false), await meet('undecided', true)];
    expect([found.refusal, word.refusal]).toEqual([null, null]);
    expect(word.ranges[0].transferable).toEqual(found.ranges[0].transferable);
    expect([found.notes, word.notes.length]).toEqual([[], 1]);
    expect((await meet('undecided', false)).refusal).toMatch(/undecided/);
    expect((await meet('not supported', true)).refusal).toMatch(/not supported/);
  });

  it('goes on where nothing can be said of the mixture', async () => {
    const met = await meetSubclass(
      { direction: zDelta(base, { mode: 'slope' }), mixing: null, prior: fitPrior(base) },
      few,
    );
    expect(met.refusal).toMatch(/not known whether the mixed attribute is near normal/);
  });

  it('prints itself in a few lines, in the unit of one deviation', async () => {
    const met = await meetSubclass(base, few, { decode, calibrate });
    const lines = String(met).split('\n');
    expect(lines.length).toBeLessThan(12);
    expect(lines[0]).toBe('Subclass of 5 samples in 5 dimensions');
    expect(String(met)).toMatch(/consistency .*\n.*near normal: .*\n( {4}.*\n)+.*calibrated .*1: /);
    const [first] = met.transfers;
    expect(lines.at(-1)).toContain(`moved by, in deviations: ${Number(first!.strength.toPrecision(3))}, `);
    expect(Object.keys(met)).not.toContain('toString');
  });

  it('bad input is an error that says so', async () => {
    await expect(meetSubclass(base, [[1, 2]])).rejects.toThrow(ShapeError);
    await expect(meetSubclass({ ...base, attributes: undefined }, few)).rejects.toThrow(DataError);
    await expect(meetSubclass(base, few, { attribute: 7 })).rejects.toThrow(ConfigError);
    await expect(meetSubclass(base, few, { calibrate })).rejects.toThrow(/decode, which makes the images/);
    const misspelt = { atribute: 1 } as object;
    await expect(meetSubclass(base, few, misspelt)).rejects.toThrow(/attribute/);
    expect(() => learnAttribute(base, { decode } as object)).toThrow(ConfigError);
    await expect(meetSubclass(undefined as never, few)).rejects.toThrow(DataError);
  });
});
