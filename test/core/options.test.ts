import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors';
import { checkOptions, type OptionNames } from '../../src/core/options';

interface Example {
  stepsPerLevel?: number;
  levels?: number;
  batchSize?: number;
  dimensions?: number;
  level?: number;
  seed?: number;
  shuffle?: boolean;
  lu?: boolean;
}

const names: OptionNames<Example> = {
  stepsPerLevel: ['K'],
  levels: ['L'],
  batchSize: true,
  dimensions: true,
  level: true,
  seed: true,
  shuffle: 'boolean',
  lu: ['boolean', 'decomposed'],
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
    ['LEVEL', 'level'],
    ['decomposed', 'lu'],
    ['sxeed', 'seed'],
    ['lvels', 'levels'],
    ['lexvels', 'levels'],
    ['dim', 'dimensions'],
    ['K', 'stepsPerLevel'],
    ['L', 'levels'],
  ])('%s: did you mean %s?', (given, near) => {
    expect(() => check({ [given]: 1 })).toThrow(ConfigError);
    expect(() => check({ [given]: 1 })).toThrow(
      `Example: expected options among stepsPerLevel, levels, batchSize, dimensions, level, seed, shuffle, lu, got '${given}'. Did you mean '${near}'?`,
    );
  });

  it('a word of one letter is meant by that letter alone', () => {
    expect(() => check({ lrate: 1 })).toThrow(/got 'lrate'\.$/);
  });

  it.each(['colour', 'shade', 'boolean'])('makes no guess where no name is near: %s', (name) => {
    expect(() => check({ [name]: 1 })).toThrow(new RegExp(`got '${name}'\\.$`));
  });

  it.each(['shuffle', 'lu'])('takes true and false alone for %s', (name) => {
    for (const value of [true, false, undefined]) expect(() => check({ [name]: value })).not.toThrow();
    for (const value of ['false', 'true', 0, 1, null, 'no', []]) {
      expect(() => check({ [name]: value })).toThrow(ConfigError);
      expect(() => check({ [name]: value })).toThrow(`Example: expected ${name} to be true or false, got `);
    }
    expect(() => check({ [name]: 'false' })).toThrow("got the text 'false'.");
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
