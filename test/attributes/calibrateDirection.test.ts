import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, DataError, Matrix, NotLearnableError, RandomStream, ShapeError } from 'tfjs-flows';
import { calibrateDirection, manipulate, zDelta } from 'tfjs-flows/attributes';
import { beforeAll, describe, expect, it } from 'vitest';

const D = 6;
const CLASSES = 5;
const PER_CLASS = 30;

/** Latents whose attribute is seen in two coordinates; images show it by a bent and weaker response. */
function simulate() {
  const random = new RandomStream(3);
  const z: number[][] = [];
  const subclass: number[] = [];
  const attributes: number[] = [];
  for (let c = 0; c < CLASSES; c++) {
    const mean = random.normalArray(D).map((value) => 3 * value);
    for (let i = 0; i < PER_CLASS; i++) {
      const amount = random.normalNumber();
      const row = Array.from(mean, (m) => m + 0.8 * random.normalNumber());
      row[0] += amount;
      row[1] -= 0.5 * amount;
      z.push(row);
      subclass.push(c);
      attributes.push(amount);
    }
  }
  return { z, subclass, attributes };
}

const labeled = simulate();
const direction = zDelta(labeled, { mode: 'slope' });
const decode = (z: Matrix) => z;
/** Brightness of an "image": other units, bent, and moved by one of the two coordinates only. */
const brightness = (images: Matrix) =>
  Array.from({ length: images.rows }, (_, i) => 40 * Math.tanh(images.at(i, 0) / 12));

/** Mean measured shift per deviation within classes, computed here. */
function movedBy(delta: { delta: Float64Array }, strength: number, measure = brightness): number {
  const before = measure(Matrix.fromRows(labeled.z));
  const after = measure(manipulate(labeled.z, delta, strength).z);
  let squares = 0;
  for (let c = 0; c < CLASSES; c++) {
    const own = before.slice(c * PER_CLASS, (c + 1) * PER_CLASS);
    const mean = own.reduce((sum, value) => sum + value, 0) / PER_CLASS;
    squares += own.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  }
  const deviation = Math.sqrt(squares / (CLASSES * (PER_CLASS - 1)));
  return before.reduce((sum, value, i) => sum + (after[i] - value) / deviation, 0) / before.length;
}

beforeAll(() => tf.setBackend('cpu'));

describe('calibrateDirection', () => {
  it('asked for one deviation, moves what is measured by one', async () => {
    // By regression one deviation would move another distance.
    const before = movedBy(direction, direction.attributeDeviation);
    expect(Math.abs(before - 1)).toBeGreaterThan(0.15);
    const calibrated = await calibrateDirection(direction, labeled, { decode, measure: brightness });
    expect(Math.abs((movedBy(calibrated, 1) - movedBy(calibrated, -1)) / 2 - 1)).toBeLessThan(0.03);
    const { response, factor, samples } = calibrated.calibration;
    expect(response.map(({ asked }) => asked)).toEqual([-2, -1, 1, 2]);
    for (const { asked, moved } of response) expect(moved).toBeCloseTo(movedBy(calibrated, asked), 10);
    expect(samples).toBe(CLASSES * PER_CLASS);

    // All that has the length of a step is scaled with it.
    expect(calibrated.attributeDeviation).toBe(1);
    expect(calibrated.delta[0]).toBeCloseTo(factor * direction.delta[0], 12);
    expect(calibrated.standardError?.[1]).toBeCloseTo(factor * direction.standardError![1], 12);
    expect(calibrated.perSubclass[2].delta[0]).toBeCloseTo(factor * direction.perSubclass[2].delta[0], 12);
    expect(calibrated.consistency).toBe(direction.consistency);
    expect(String(calibrated)).toMatch(/strength 1 moves .* by one deviation.*\n.*-2: -\d/);
  });

  it('a subclass that answers otherwise is moved by its own response, in the deviations of all', async () => {
    const measure = (images: Matrix) =>
      Array.from({ length: images.rows }, (_, i) => images.at(i, 0) * (images.at(i, 5) > 50 ? 0.5 : 1));
    const few = labeled.z.slice(0, 5).map((row) => [...row.slice(0, 5), 100]);
    const all = await calibrateDirection(direction, labeled, { decode, measure });
    const own = await calibrateDirection(direction, labeled, { decode, measure, moved: few });
    expect(own.calibration.deviation).toBe(all.calibration.deviation);
    expect(own.calibration.factor / all.calibration.factor).toBeCloseTo(2, 1);
    expect(own.calibration.samples).toBe(5);
    expect(own.calibration.ownWeight).toBeGreaterThan(0.95);
    expect(all.calibration.ownWeight).toBe(1);
  });

  it('five images whose responses differ by chance lean on the known subclasses', async () => {
    const known = {
      z: labeled.z.slice(PER_CLASS),
      subclass: labeled.subclass.slice(PER_CLASS),
      attributes: labeled.attributes.slice(PER_CLASS),
    };
    const taught = zDelta(known, { mode: 'slope' });
    // Every image answers by a factor of its own, .1 to 1.9, that has nothing to do with the subclass.
    const measure = (images: Matrix) =>
      Array.from(
        { length: images.rows },
        (_, i) => images.at(i, 0) * (1 + 0.9 * Math.sin(3 * images.at(i, 4))),
      );
    const responseOf = (z: number[][], { delta }: { delta: Float64Array }, strength: number) => {
      const [up, down] = [strength, -strength].map((s) => measure(manipulate(z, { delta }, s).z));
      return up.reduce((sum, value, i) => sum + (value - down[i]) / 2, 0) / z.length;
    };
    const errors: number[] = [];
    const alone: number[] = [];
    for (let set = 0; set < 6; set++) {
      const few = labeled.z.slice(5 * set, 5 * set + 5);
      const calibrated = await calibrateDirection(taught, known, { decode, measure, moved: few });
      const { deviation, ownWeight, response } = calibrated.calibration;
      expect(ownWeight).toBeLessThan(1);
      expect(response[2].moved).toBeCloseTo(1, 0);
      const whole = responseOf(labeled.z.slice(0, PER_CLASS), calibrated, 1);
      errors.push((whole / deviation - 1) ** 2);
      alone.push((responseOf(few, calibrated, 1) / whole - 1) ** 2);
    }
    const root = (squares: number[]) => Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / 6);
    expect(root(errors)).toBeLessThan(0.8 * root(alone));
  });

  it('one image of the subclass does, and known images that a shift leaves blank tell nothing', async () => {
    const top = Math.max(...labeled.z.map((row) => row[0]));
    const measure = (images: Matrix) =>
      Array.from({ length: images.rows }, (_, i) => (images.at(i, 0) > top ? Number.NaN : images.at(i, 0)));
    const lowest = labeled.z.toSorted((a, b) => a[0] - b[0]).slice(0, PER_CLASS);
    // With as many of every known subclass, the topmost is among them, and blank when moved.
    for (const moved of [lowest.slice(0, 1), lowest]) {
      const { calibration } = await calibrateDirection(direction, labeled, { decode, measure, moved });
      expect(Math.abs((calibration.factor * direction.delta[0]) / calibration.deviation - 1)).toBeLessThan(
        0.03,
      );
      expect(calibration.samples).toBe(moved.length);
    }
    const high = labeled.z.filter((row) => row[0] === top);
    const blank = calibrateDirection(direction, labeled, { decode, measure, moved: high });
    await expect(blank).rejects.toThrow(DataError);
  });

  it('tensors and promises do, and nothing is left of them', async () => {
    const tensors = {
      decode: async (z: Matrix) => tf.tensor2d(Float32Array.from(z.data), [z.rows, z.cols]),
      measure: (images: tf.Tensor2D) =>
        tf.tidy(() => tf.reshape(tf.slice(images, [0, 0], [-1, 1]), [-1]) as tf.Tensor1D),
    };
    const before = tf.memory().numTensors;
    const calibrated = await calibrateDirection(direction, labeled, { ...tensors, samples: 40, seed: 'a' });
    expect(tf.memory().numTensors).toBe(before);
    expect(calibrated.calibration.samples).toBe(40);
    const again = await calibrateDirection(direction, labeled, { ...tensors, samples: 40, seed: 'a' });
    expect(again.calibration).toEqual(calibrated.calibration);
    const other = await calibrateDirection(direction, labeled, { ...tensors, samples: 40, seed: 'b' });
    expect(other.calibration.deviation).not.toBe(calibrated.calibration.deviation);
  });

  it.each<[string, (z: Matrix) => number[]]>([
    ['does not follow', (z) => Array.from({ length: z.rows }, (_, i) => z.at(i, 4))],
    ['goes the other way', (z) => Array.from({ length: z.rows }, (_, i) => -z.at(i, 0))],
    [
      'stops half-way',
      (z) => Array.from({ length: z.rows }, (_, i) => z.at(i, 3) + 0.05 * Math.tanh(z.at(i, 0))),
    ],
  ])('refuses a direction that what is measured %s', async (_, measure) => {
    const calibrated = calibrateDirection(direction, labeled, { decode, measure });
    await expect(calibrated).rejects.toThrow(NotLearnableError);
    await expect(calibrated).rejects.toThrow(/by 1 deviation, got .* does not follow this direction/);
  });

  it('refuses an answer that chance could have given: of two images one moves, the other does not', async () => {
    const measure = (z: Matrix) =>
      Array.from({ length: z.rows }, (_, i) => (z.at(i, 5) > 50 ? z.at(i, 0) : z.at(i, 4)));
    const moved = [[...labeled.z[0].slice(0, 5), 100], labeled.z[1]];
    const refused = calibrateDirection(direction, labeled, { decode, measure, moved });
    await expect(refused).rejects.toThrow(NotLearnableError);
  });

  it('bad measurements and options are errors that say so', async () => {
    const measured = (measure: (z: Matrix) => number[], more = {}) =>
      calibrateDirection(direction, labeled, { decode, measure, ...more });
    await expect(measured((z) => brightness(z).fill(Number.NaN, 3, 4))).rejects.toThrow(DataError);
    await expect(measured((z) => brightness(z).slice(1))).rejects.toThrow(ShapeError);
    await expect(measured((z) => brightness(z).fill(1))).rejects.toThrow(/vary within a subclass/);
    await expect(measured(brightness, { sample: 3 })).rejects.toThrow(ConfigError);
    await expect(measured(brightness, { samples: 1 })).rejects.toThrow(ConfigError);
    const missing = { decode } as unknown as { decode: typeof decode; measure: typeof brightness };
    await expect(calibrateDirection(direction, labeled, missing)).rejects.toThrow(/measure, a function/);
  });
});
