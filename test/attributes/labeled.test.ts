import { ShapeError } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { toLabeled } from '../../src/attributes/labeled';

describe('labelled samples', () => {
  it('groups by subclass, whether labels are numbers or strings', () => {
    const z = [[0], [1], [2], [4]];
    const byNumber = toLabeled('f', { z, subclass: Int32Array.of(10, 9, 10, 9), attributes: z });
    expect(byNumber.names).toEqual([9, 10]);
    expect([...byNumber.subclass]).toEqual([1, 0, 1, 0]);
    expect(byNumber.groups.map((rows) => [...rows])).toEqual([
      [1, 3],
      [0, 2],
    ]);
    const byString = toLabeled('f', { z, subclass: ['cow', 'dog', 'cow', 'cow'] });
    expect(byString.names).toEqual(['cow', 'dog']);
    expect(byString.groups.map((rows) => [...rows])).toEqual([[0, 2, 3], [1]]);
  });

  it('refuses labels that do not fit', () => {
    expect(() => toLabeled('f', { z: [[1], [2]], subclass: [1] })).toThrow('2 subclass labels');
    expect(() => toLabeled('f', { z: [[1]], subclass: [Number.NaN] })).toThrow('NaN in row 0');
    expect(() => toLabeled('f', { z: [[1], [2]], subclass: [1, 2, 3] })).toThrow('2 subclass labels');
    expect(() => toLabeled('f', { z: [[1], [2]], subclass: ['a', ''] })).toThrow(
      "a missing value ('') in row 1",
    );
    expect(() => toLabeled('f', { z: [[1]], subclass: [1], attributes: [[1], [2]] })).toThrow(ShapeError);
    expect(() => toLabeled('f', { z: [[1]], subclass: [1] }, 2)).toThrow('at least 2 subclasses');
    expect(() => toLabeled('f', { z: [[1], [2]], subclass: [1, 1], attributes: [[1]] })).toThrow(ShapeError);
  });
});
