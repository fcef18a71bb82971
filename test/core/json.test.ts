import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src';
import { parseJsonObject } from '../../src/core/json';

describe('JSON from outside', () => {
  it('is an object with names', () => {
    expect(parseJsonObject('reader', 'the header', '{"a": [1, {"b": "]]]"}]}')).toEqual({
      a: [1, { b: ']]]' }],
    });
  });

  const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;

  it('may be nested, and brackets in texts are none', () => {
    expect(() => parseJsonObject('reader', 'the header', nested(199))).not.toThrow();
    const text = JSON.stringify({ a: `\\"${'['.repeat(300)}` });
    expect(() => parseJsonObject('reader', 'the header', text)).not.toThrow();
  });

  it.each([
    ['nothing', '', /^reader: expected JSON in the header, got/],
    ['a word', 'hello', /expected JSON in the header/],
    ['null', 'null', /expected an object in the header, got null\. The file is damaged/],
    ['a number', '3', /got 3/],
    ['a list', '[]', /got an array/],
    ['lists within lists', nested(200), /values nested more than 200 times/],
    ['a million lists', `{"a":[${'[],'.repeat(2 ** 20)}[]]}`, /1048579 objects, more than 1048576/],
    ['lists that never end', '['.repeat(1e6), /values nested more than 200 times/],
  ])('is refused where it is %s', (_, text, message) => {
    expect(() => parseJsonObject('reader', 'the header', text)).toThrow(FormatError);
    expect(() => parseJsonObject('reader', 'the header', text)).toThrow(message);
  });
});
