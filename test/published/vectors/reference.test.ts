import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, DataError, importCheckpoint, type VectorFlow, type VectorSettings } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors, tidyWaiting } from '../../support/leaks';
import { referenceOf, vectorFixture } from './fixture';

beforeAll(() => tf.setBackend('cpu'));

const imported = (name: string, config: VectorSettings) => {
  const fixture = vectorFixture(name);
  const reference = referenceOf(fixture);
  return importCheckpoint<VectorFlow>(fixture.bytes('weights.npz'), { config, reference });
};

describe('rows from Python', () => {
  it.each<[string, VectorSettings]>([
    ['nflows_sbi_maf', {}],
    ['nflows_maf_context', {}],
    ['nflows_nsf_coupling', { bound: 3 }],
  ])('are those of %s', (name, config) =>
    leavesNoTensors(async () => {
      (await imported(name, config)).dispose();
    }),
  );

  it('may be tensors, and have four decimals', () =>
    leavesNoTensors(async () => {
      const fixture = vectorFixture('nflows_sbi_nsf');
      const rows = referenceOf(fixture);
      const logProb = rows.logProb.map((value) => Number(value.toFixed(4)));
      return tidyWaiting(async () => {
        const reference = {
          x: tf.tensor2d(rows.x),
          context: tf.tensor2d(rows.context as number[][]),
          logProb,
        };
        (await importCheckpoint(fixture.bytes('weights.npz'), { reference })).dispose();
      });
    }));

  // Each is what the file does not say, said or guessed wrongly.
  it.each<[name: string, wrong: VectorSettings, right: string]>([
    ['nflows_nsf_coupling', {}, '{"bound":3}'],
    ['nflows_nsf_coupling', { bound: 3, divided: false }, '{"bound":3,"divided":true}'],
    ['nflows_sbi_maf', { activation: 'relu' }, '{"activation":"tanh"}'],
    ['nflows_sbi_maf', { scale: 'sigmoid' }, '{"scale":"softplus"}'],
    ['nflows_maf_context', { activation: 'leakyRelu' }, '{"activation":"relu"}'],
    ['nflows_maf_context', { layers: [null, { activation: 'silu' }] }, '{"activation":"relu"}'],
  ])('say of %s with %j what is right', (name, wrong, right) =>
    leavesNoTensors(async () => {
      const attempt = () => imported(name, wrong);
      await expect(attempt).rejects.toThrow(DataError);
      await expect(attempt).rejects.toThrow(`With config: ${right} they are those of the reference.`);
    }),
  );

  it('that no guess gives are told with the guesses', () =>
    leavesNoTensors(async () => {
      const fixture = vectorFixture('nflows_sbi_maf');
      const rows = referenceOf(fixture);
      const reference = { ...rows, logProb: rows.logProb.map((value) => value + 0.01 * Math.abs(value)) };
      const attempt = () => importCheckpoint(fixture.bytes('weights.npz'), { reference });
      await expect(attempt).rejects.toThrow(/activation \(taken: "tanh" in layers 1, 3, 5; could be "relu"/);
      await expect(attempt).rejects.toThrow(/No other usual values/);
    }));

  it('are refused where they are none', () =>
    leavesNoTensors(async () => {
      const { bytes, ...fixture } = vectorFixture('nflows_realnvp');
      const { x, logProb } = referenceOf({ bytes, ...fixture });
      const withRows = (reference: object) => () =>
        importCheckpoint(bytes('weights.npz'), { reference: reference as never });
      await expect(withRows({ x, logProb: logProb.slice(1) })).rejects.toThrow(
        /as many log-densities as rows/,
      );
      await expect(withRows({ x, logProb: [] })).rejects.toThrow(DataError);
      await expect(withRows({ x, logProb, context: [[1]] })).rejects.toThrow(ConfigError);
      await expect(withRows({ x, logprob: logProb })).rejects.toThrow("Did you mean 'logProb'?");
      await expect(withRows({ x, logProb: logProb.map(() => Number.NaN) })).rejects.toThrow(DataError);
    }));
});
