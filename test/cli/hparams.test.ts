import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { ConfigError, Glow, learningRateAt, type Schedule } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { planOf } from '../../src/cli/hparams';
import { hparams } from './celebALike';

const example = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../examples/hparams/${name}.json`, import.meta.url), 'utf8'));

describe('published hparams', () => {
  it('mean the same here', () => {
    const plan = planOf(example('celeba'));
    expect(plan).toMatchObject({
      output: 'results/celeba',
      centerCrop: 160,
      glow: {
        imageShape: [64, 64, 3],
        levels: 3,
        stepsPerLevel: 32,
        lu: false,
        learnTop: false,
        preprocessing: 'unit',
      },
      training: { steps: 1_000_000, batchSize: 12, beta2: 0.9999, clipValue: 5, clipNorm: 100 },
      every: { checkpoint: 5000, log: 50, pictures: 50 },
      keep: 20,
      trained: 'results/celeba/model.safetensors',
    });
    expect(plan.notices).toEqual([expect.stringContaining('Device is ignored')]);
  });

  it.each<[string, Record<string, number>, (step: number) => number]>([
    [
      'noam_learning_rate_decay',
      { warmup_steps: 100, minimum: 1e-4 },
      (step) => {
        const rate = 1e-3 * 10 * Math.min((step + 1) * 100 ** -1.5, (step + 1) ** -0.5);
        return step > 100 ? Math.max(rate, 1e-4) : rate;
      },
    ],
    [
      'step_learning_rate_decay',
      { anneal_rate: 0.5, anneal_interval: 40 },
      (step) => 1e-3 * 0.5 ** Math.floor(step / 40),
    ],
    [
      'cyclic_cosine_annealing',
      { T: 300, M: 3 },
      (step) => 5e-4 * (Math.cos((Math.PI * ((step + 99) % 100)) / 100) + 1),
    ],
    ['default', {}, () => 1e-3],
  ])('schedule %s', (name, args, expected) => {
    const { training } = planOf({ ...hparams, Optim: { ...hparams.Optim, Schedule: { name, args } } });
    const schedule: Schedule = training.schedule ?? { kind: 'constant' };
    for (const step of [0, 1, 50, 99, 100, 101, 5000, 20_000]) {
      expect(learningRateAt(schedule, step, 1e-3)).toBeCloseTo(expected(step), 12);
    }
  });

  it('with classes weigh the classifier as the code does', () => {
    const plan = planOf({
      ...hparams,
      Glow: { ...hparams.Glow, image_shape: [16, 16, 3], y_condition: true },
    });
    // 0.5 nats, mean of 6 classes, beside bits per pixel = 3 bits per dimension.
    expect(plan.glow).toMatchObject({
      classes: 6,
      multiLabel: true,
      classWeight: (0.5 * Math.LN2) / (3 * 6),
    });
  });

  it.each<[object, RegExp]>([
    [{ ...hparams, Extra: 1 }, /hparams: expected keys Dir, Glow, .*, got 'Extra'/],
    [{ ...hparams, Glow: { ...hparams.Glow, actnorm_scale: 2 } }, /actnorm_scale 1, got 2/],
    [{ ...hparams, Data: { resize: 32 } }, /resize 16, as image_shape says, got 32/],
    [{ ...hparams, Optim: { name: 'sgd' } }, /name 'adam', got 'sgd'/],
    [{ ...hparams, Optim: { Schedule: { name: 'linear' } } }, /cyclic_cosine_annealing, got 'linear'/],
    [{ glow: {} }, /glow\.imageShape/],
    [
      { glow: { imageShape: [4, 4, 1] }, training: { batchsize: 3 } },
      /hparams\.training: expected keys .*'batchsize'/,
    ],
  ])('wrong ones are refused (%#)', (json, message) => {
    expect(() => planOf(json)).toThrow(ConfigError);
    expect(() => planOf(json)).toThrow(message);
  });
});

describe('our own hparams', () => {
  it('are options under their names', () => {
    const plan = planOf(example('faces32'));
    expect(plan).toMatchObject({
      output: 'results/faces32',
      glow: { nBits: 5, stepsPerLevel: 4 },
      training: { steps: 2000, optimizer: 'adam', beta1: 0.9, clipNorm: 100 },
      every: { checkpoint: 200, log: 10, pictures: 200 },
      keep: 3,
    });
    expect(() => new Glow({ ...plan.glow, hiddenChannels: 4 }).dispose()).not.toThrow();
  });
});
