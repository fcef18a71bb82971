import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors';
import { checkOptions, type OptionNames } from '../../src/core/options';

interface Example {
  stepsPerLevel?: number;
  levels?: number;
  batchSize?: number;
  dimensions?: number;
}

const names: OptionNames<Example> = {
  stepsPerLevel: ['K'],
  levels: ['L'],
  batchSize: true,
  dimensions: true,
};
const check = (options: unknown) => checkOptions('Example', options as Example, names);

describe('checkOptions', () => {
  it('takes known names, and no options at all', () => {
    expect(() => check({ levels: 2, batchSize: undefined })).not.toThrow();
    expect(() => check(undefined)).not.toThrow();
    expect(() => check({})).not.toThrow();
  });

  it.each([
    ['batch_size', 'batchSize'],
    ['batchsize', 'batchSize'],
    ['batchSizes', 'batchSize'],
    ['level', 'levels'],
    ['lvels', 'levels'],
    ['lexvels', 'levels'],
    ['dim', 'dimensions'],
    ['K', 'stepsPerLevel'],
    ['L', 'levels'],
  ])('%s: did you mean %s?', (given, near) => {
    expect(() => check({ [given]: 1 })).toThrow(ConfigError);
    expect(() => check({ [given]: 1 })).toThrow(
      `Example: expected options among stepsPerLevel, levels, batchSize, dimensions, got '${given}'. Did you mean '${near}'?`,
    );
  });

  it('a word of one letter is meant by that letter alone', () => {
    expect(() => check({ lrate: 1 })).toThrow(/got 'lrate'\.$/);
  });

  it('makes no guess where no name is near', () => {
    expect(() => check({ colour: 1 })).toThrow(/got 'colour'\.$/);
  });

  it('an option that is unknown and undefined is a slip all the same', () => {
    expect(() => check({ epoch: undefined })).toThrow("got 'epoch'");
  });

  it.each([
    [5, 'a number'],
    ['x', 'a string'],
    [null, 'null'],
    [[1], 'an array'],
  ])('refuses %s in place of options', (given, shown) => {
    expect(() => check(given)).toThrow(`Example: expected an object of options, got ${shown}.`);
  });
});
