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
    [{ ...hparams, Extra: 1 }, /hparams: expected options among Dir, Glow, .*, got 'Extra'/],
    [{ ...hparams, Glow: { ...hparams.Glow, actnorm_scale: 2 } }, /actnorm_scale 1, got 2/],
    [{ ...hparams, Data: { resize: 32 } }, /resize 16, as image_shape says, got 32/],
    [{ ...hparams, Optim: { name: 'sgd' } }, /name 'adam', got 'sgd'/],
    [{ ...hparams, Optim: { Schedule: { name: 'linear' } } }, /cyclic_cosine_annealing, got linear/],
    [{ glow: {} }, /glow\.imageShape/],
    [
      { glow: { imageShape: [4, 4, 1] }, training: { batchsize: 3 } },
      /hparams\.training: .* got 'batchsize'\. Did you mean 'batchSize'\?/,
    ],
    [
      { glow: { imageShape: [4, 4, 1], hiddenchannels: 3 } },
      /hparams\.glow: .* got 'hiddenchannels'\. Did you mean 'hiddenChannels'\?/,
    ],
    [{ glow: { imageShape: [4, 4, 1] }, data: { center_crop: 3 } }, /hparams\.data: .* got 'center_crop'/],
    [{ ...hparams, Dir: { logroot: 'x' } }, /hparams\.Dir: .* got 'logroot'\. Did you mean 'log_root'\?/],
    [
      { ...hparams, Glow: { ...hparams.Glow, hidden_channel: 8 } },
      /hparams\.Glow: .* mean 'hidden_channels'\?/,
    ],
    [{ ...hparams, Glow: null }, /hparams\.Glow: expected an object of options, got null/],
    [{ ...hparams, Criterion: { y_conditions: 'x' } }, /hparams\.Criterion: .* got 'y_conditions'/],
    [
      { ...hparams, Criterion: { y_condition: 'multi' } },
      /y_condition to be one of multi-classes, .* got multi/,
    ],
    [{ ...hparams, Data: { centercrop: 8 } }, /hparams\.Data: .* mean 'center_crop'\?/],
    [{ ...hparams, Optim: { schedule: {} } }, /hparams\.Optim: .* mean 'Schedule'\?/],
    [{ ...hparams, Optim: { args: { weight_decay: 0.1 } } }, /hparams\.Optim\.args: .* got 'weight_decay'/],
    [{ ...hparams, Optim: { args: { betas: 0.9 } } }, /betas as \[beta1, beta2\], got 0\.9/],
    [
      { ...hparams, Optim: { Schedule: { name: 'noam_learning_rate_decay', args: { warmup: 3 } } } },
      /Schedule\.args: .* got 'warmup'\. Did you mean 'warmup_steps'\?/,
    ],
    [{ ...hparams, Train: { ...hparams.Train, batchsize: 2 } }, /hparams\.Train: .* mean 'batch_size'\?/],
    [
      { ...hparams, Train: { ...hparams.Train, batch_size: '12' } },
      /the batch size to be an integer >= 1, got 12/,
    ],
    [{ ...hparams, Train: { ...hparams.Train, scalar_log_gap: 0 } }, /lines of the log .* >= 1, got 0/],
    [{ ...hparams, Infer: { pretrained: 'x' } }, /hparams\.Infer: .* mean 'pre_trained'\?/],
    [
      { glow: { imageShape: [4, 4, 1] }, training: { beta1: 1 } },
      /beta1 to be a number from 0 to below 1, got 1/,
    ],
    [{ glow: { imageShape: [4, 4, 1] }, training: { epsilon: '1e-8' } }, /epsilon to be a number above 0/],
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
