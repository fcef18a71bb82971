import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { figure, pFigure, printable, someOf } from '../../src/core/printable';

const report = () =>
  printable({ n: 3, matrix: new Float64Array(1000) }, ({ n }) => [`${n} samples`, 'nothing else']);

describe('printable', () => {
  it('prints its lines by String, by a template and by inspect', () => {
    expect(String(report())).toBe('3 samples\nnothing else');
    expect(`${report()}`).toBe('3 samples\nnothing else');
    expect(inspect(report())).toBe('3 samples\nnothing else');
  });

  it('is shown within another object', () => {
    expect(inspect({ report: report() })).toBe('{\n  report: 3 samples\n  nothing else\n}');
  });

  it('adds nothing that copies, comparisons or JSON see', () => {
    expect(Object.keys(report())).toEqual(['n', 'matrix']);
    expect(JSON.stringify(printable({ n: 3 }, () => []))).toBe('{"n":3}');
    expect(report()).toEqual({ n: 3, matrix: new Float64Array(1000) });
    expect(structuredClone(report()).n).toBe(3);
    expect(inspect({ ...report() })).toContain('Float64Array(1000)');
  });

  it('says what the fields hold when it prints, not when it was made', () => {
    const changing = report();
    changing.n = 5;
    expect(String(changing)).toContain('5 samples');
  });

  it('prints every instance of a class by its prototype', () => {
    class Thing {
      constructor(readonly size: number) {}
    }
    printable(Thing.prototype, ({ size }) => [`thing of ${size}`]);
    expect(`${new Thing(2)} and ${inspect(new Thing(7))}`).toBe('thing of 2 and thing of 7');
    expect(inspect(new Thing(1), { depth: 0 })).toBe('thing of 1');
    expect(() => inspect(Thing.prototype)).not.toThrow();
    expect(Object.keys(new Thing(2))).toEqual(['size']);
  });
});

describe('figures for people', () => {
  it.each([
    [0.123456, '0.123'],
    [-12.3456, '-12.3'],
    [0.5, '0.5'],
    [1234.56, '1235'],
    [0.0000123, '1.2e-5'],
    [7, '7'],
    [0, '0'],
    [Number.NaN, 'NaN'],
    [null, 'none'],
    [undefined, 'none'],
  ])('%s is %s', (value, shown) => {
    expect(figure(value)).toBe(shown);
  });

  it('p-values have three decimals and no more', () => {
    expect([0.0321, 0.00001, 1, null].map(pFigure)).toEqual(['p .032', 'p < .001', 'p 1.000', 'no p']);
  });

  it('lists show their first values and their length', () => {
    expect(someOf([1, 2])).toBe('[1, 2]');
    expect(someOf(Float64Array.from({ length: 64 }, () => 0.25))).toBe(
      '[0.25, 0.25, 0.25, 0.25, ... 64 values]',
    );
    expect(someOf(['a', 'b', 'c'], 2)).toBe('[a, b, ... 3 values]');
  });
});
