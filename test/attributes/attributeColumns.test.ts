import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { biasReport, ConfigError, DataError, Matrix, RandomStream, ShapeError, zDelta } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { attributeOf, attributesOf, toAttributes } from '../../src/attributes/attributeColumns';

const random = new RandomStream(3);
const z = Array.from({ length: 40 }, () => Array.from(random.normalArray(2)));
const subclass = z.map((_, i) => i % 4);
const sunglasses = z.map(([x]) => x > 0);
const pose = Float32Array.from(z, ([, y]) => y);
const named = { sunglasses, pose } as never;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('attributes by name', () => {
  it('are the same as by column', () => {
    const columns = z.map((_, i) => [Number(sunglasses[i]), pose[i]]);
    for (const [name, column] of [
      ['sunglasses', 0],
      ['pose', 1],
    ] as const) {
      const options = { mode: 'slope' } as const;
      const byColumn = zDelta({ z, subclass, attributes: columns }, { ...options, attribute: column });
      const byName = zDelta({ z, subclass, attributes: named }, { ...options, attribute: name });
      expect(byName.delta).toEqual(byColumn.delta);
      expect([byName.attribute, byColumn.attribute]).toEqual([name, column]);
    }
    expect(zDelta({ z, subclass, attributes: named }).attribute).toBe('sunglasses');
    expect(zDelta({ z, subclass, attributes: named }, { attribute: 1 }).attribute).toBe('pose');
  });

  it('keep their names in the report', () => {
    const few = { z: z.slice(0, 16), subclass: subclass.slice(0, 16) };
    const report = biasReport(
      few,
      { z: z.slice(16), subclass: subclass.slice(16), attributes: { pose: pose.slice(16) } },
      { replicates: 19 },
    );
    expect(report.directions.map(({ attribute }) => attribute)).toEqual(['pose']);
  });

  it('may be tensors, and are no numbers with a shape', () => {
    const { values, names } = toAttributes('f', { a: tf.tensor1d([1, 2]), b: [true, false] as never }, 2);
    expect([[...values.data], names]).toEqual([
      [1, 1, 2, 0],
      ['a', 'b'],
    ]);
    for (const plain of [
      [[1], [2]],
      [1, 2],
      Float32Array.of(1, 2),
      { data: [1, 2], shape: [2, 1] as const },
      Matrix.fromRows([[1], [2]]),
      tf.tensor1d([1, 2]),
    ]) {
      const columns = toAttributes('f', plain, 2);
      expect([[...columns.values.data], columns.names]).toEqual([[1, 2], undefined]);
      expect(attributesOf(columns).map(({ name }) => name)).toEqual([0]);
    }
  });

  it('whose names are numbers go by these', () => {
    const columns = toAttributes('f', { 1: [5, 6], 2: [7, 8] }, 2);
    expect([...attributeOf('f', columns, 1).values]).toEqual([5, 6]);
    expect([...attributeOf('f', columns, 0).values]).toEqual([5, 6]);
  });

  it('say which name and row is wrong', () => {
    const attributes = { sunglasses, pose: [...pose.slice(0, 39), null] } as never;
    expect(() => zDelta({ z, subclass, attributes })).toThrow(
      'zDelta (attributes) (pose): expected numbers in values, got a missing value (null) at index 39',
    );
    expect(() => zDelta({ z, subclass, attributes: { pose: [1] } })).toThrow(
      'attributes for 40 samples, got 1',
    );
    expect(() => zDelta({ z, subclass, attributes: { sunglasses, pose: [1] } as never })).toThrow(
      new ShapeError('zDelta (attributes): expected 40 values of pose, as of sunglasses, got 1.'),
    );
    expect(() => zDelta({ z, subclass, attributes: {} })).toThrow(DataError);
    expect(() => zDelta({ z, subclass, attributes: named }, { attribute: 'poses' })).toThrow(
      new ConfigError('zDelta: expected attribute to be one of sunglasses, pose, got poses.'),
    );
    for (const attribute of [2, -1, 0.5, 'length', null] as never[]) {
      expect(() => zDelta({ z, subclass, attributes: pose }, { attribute })).toThrow(
        'attribute to be one of columns 0 .. 0',
      );
    }
    expect(() => zDelta({ z, subclass })).toThrow(
      'attributes [n, a], got none. Give them beside the latents',
    );
  });
});

it('one attribute that never varies does not take the report with it', () => {
  const few = { z: z.slice(0, 16), subclass: subclass.slice(0, 16) };
  const attributes = { glasses: pose.slice(16).map(() => 1), pose: pose.slice(16) };
  const reference = { z: z.slice(16), subclass: subclass.slice(16), attributes };
  const { directions } = biasReport(few, reference, { replicates: 19 });
  expect(directions[0]).toMatchObject({ attribute: 'glasses', consistency: null });
  expect(directions[0].consistencyReason).toContain(
    'expected an attribute that varies within a subclass, got a constant one',
  );
  expect(directions[1].attribute).toBe('pose');
  expect(directions[1].consistencyReason ?? '').not.toContain('constant');
});
