import { ConfigError, complaint } from '../core/errors';
import { checkOptions, type OptionNames } from '../core/options';
import { checkChoice } from '../core/shapes';
import type { Schedule } from '../training';
import { type TrainingPlan, trainingDefaults } from './trainingPlan';

/** hparams of github.com/chaiyujin/glow-pytorch. */
interface PublishedHparams {
  Dir?: { log_root?: string };
  Glow: {
    image_shape: [number, number, number];
    hidden_channels?: number;
    K?: number;
    L?: number;
    actnorm_scale?: number;
    flow_permutation?: 'invconv' | 'reverse' | 'shuffle';
    flow_coupling?: 'affine' | 'additive';
    LU_decomposed?: boolean;
    learn_top?: boolean;
    y_condition?: boolean;
    y_classes?: number;
  };
  Criterion?: { y_condition?: 'multi-classes' | 'single-class' };
  Data?: { center_crop?: number; resize?: number };
  Optim?: {
    name?: string;
    args?: { lr?: number; betas?: [number, number]; eps?: number };
    Schedule?: { name?: ScheduleName; args?: Record<string, number> };
  };
  Train?: {
    batch_size?: number;
    num_batches?: number;
    max_grad_clip?: number;
    max_grad_norm?: number;
    max_checkpoints?: number;
    checkpoints_gap?: number;
    num_plot_samples?: number;
    scalar_log_gap?: number;
    plot_gap?: number;
    inference_gap?: number;
    warm_start?: string;
    weight_y?: number;
  };
  Infer?: { pre_trained?: string };
  Device?: unknown;
}

type Section<Name extends keyof PublishedHparams> = OptionNames<NonNullable<PublishedHparams[Name]>>;

const sections: OptionNames<PublishedHparams> = {
  Dir: true,
  Glow: true,
  Criterion: true,
  Data: true,
  Optim: ['optimizer'],
  Device: true,
  Train: ['training'],
  Infer: true,
};
const dirKeys: Section<'Dir'> = { log_root: ['output'] };
const glowKeys: Section<'Glow'> = {
  image_shape: true,
  hidden_channels: ['width'],
  K: ['steps'],
  L: ['levels'],
  actnorm_scale: true,
  flow_permutation: true,
  flow_coupling: true,
  LU_decomposed: ['boolean', 'lu'],
  learn_top: 'boolean',
  y_condition: 'boolean',
  y_classes: ['classes'],
};
const criterionKeys: Section<'Criterion'> = { y_condition: true };
const dataKeys: Section<'Data'> = { center_crop: true, resize: ['size'] };
const optimKeys: Section<'Optim'> = { name: ['optimizer'], args: true, Schedule: true };
const adamKeys: OptionNames<NonNullable<NonNullable<PublishedHparams['Optim']>['args']>> = {
  lr: ['learning_rate'],
  betas: true,
  eps: ['epsilon'],
};
const trainKeys: Section<'Train'> = {
  batch_size: true,
  num_batches: ['steps'],
  max_grad_clip: ['clip_value'],
  max_grad_norm: ['clip_norm'],
  max_checkpoints: true,
  checkpoints_gap: true,
  num_plot_samples: true,
  scalar_log_gap: true,
  plot_gap: true,
  inference_gap: true,
  warm_start: true,
  weight_y: true,
};
const inferKeys: Section<'Infer'> = { pre_trained: ['model'] };

const schedules = {
  default: {},
  noam_learning_rate_decay: { warmup_steps: true, minimum: true },
  step_learning_rate_decay: { anneal_interval: true, anneal_rate: true },
  cyclic_cosine_annealing: { T: true, M: true },
} as const;
type ScheduleName = keyof typeof schedules;

export function isPublished(json: object): json is PublishedHparams {
  return 'Glow' in json;
}

/** The plan that published hparams mean. */
export function fromPublished(hparams: PublishedHparams): TrainingPlan {
  checkSections(hparams);
  const { Dir = {}, Glow: glow, Data: data = {}, Optim = {}, Train: train = {}, Infer = {} } = hparams;
  const notices: string[] = [];
  if (hparams.Device !== undefined)
    notices.push('Device is ignored: computing runs on the backend of --backend.');
  if (glow.actnorm_scale !== undefined && glow.actnorm_scale !== 1) {
    throw new ConfigError(complaint('hparams.Glow', 'actnorm_scale 1', glow.actnorm_scale));
  }
  if (!Array.isArray(glow.image_shape))
    throw new ConfigError(complaint('hparams.Glow', 'image_shape [h, w, c]', 'none'));
  const [height, width, channels] = glow.image_shape;
  if (data.resize !== undefined && (data.resize !== height || data.resize !== width)) {
    throw new ConfigError(complaint('hparams.Data', `resize ${height}, as image_shape says`, data.resize));
  }
  const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8 } = Optim.args ?? {};
  if (!Array.isArray(betas) || betas.length !== 2)
    throw new ConfigError(complaint('hparams.Optim.args', 'betas as [beta1, beta2]', betas));
  if (Optim.name !== undefined && Optim.name !== 'adam') {
    throw new ConfigError(complaint('hparams.Optim', "name 'adam'", `'${Optim.name}'`));
  }
  const plotGap = train.plot_gap ?? 50;
  if (train.inference_gap !== undefined && train.inference_gap !== plotGap) {
    notices.push(
      `inference_gap is ignored: samples and reconstructions are drawn together, every ${plotGap} steps.`,
    );
  }
  const multiLabel = hparams.Criterion?.y_condition === 'multi-classes';
  const classes = glow.y_condition ? (glow.y_classes ?? 0) : 0;
  // Theirs is added to bits per pixel, in nats, as a mean over the classes; ours to bits per dimension, in bits, as a sum.
  const classWeight =
    ((train.weight_y ?? 0) * Math.LN2) / (channels * (multiLabel ? Math.max(1, classes) : 1));
  return {
    output: Dir.log_root ?? 'run',
    glow: {
      imageShape: glow.image_shape,
      levels: glow.L ?? 3,
      stepsPerLevel: glow.K ?? 32,
      hiddenChannels: glow.hidden_channels ?? 512,
      permutation: glow.flow_permutation ?? 'invconv',
      coupling: glow.flow_coupling ?? 'additive',
      lu: glow.LU_decomposed ?? false,
      learnTop: glow.learn_top ?? false,
      preprocessing: 'unit',
      classes,
      multiLabel,
      classWeight,
    },
    centerCrop: data.center_crop,
    warmStart: train.warm_start === '' ? undefined : train.warm_start,
    trained: Infer.pre_trained,
    training: {
      ...trainingDefaults,
      learningRate: lr,
      beta1: betas[0],
      beta2: betas[1],
      epsilon: eps,
      schedule: scheduleOf(Optim.Schedule, lr),
      steps: train.num_batches ?? trainingDefaults.steps,
      batchSize: train.batch_size ?? trainingDefaults.batchSize,
      clipValue: positive(train.max_grad_clip),
      clipNorm: positive(train.max_grad_norm),
    },
    every: {
      checkpoint: train.checkpoints_gap ?? 1000,
      log: train.scalar_log_gap ?? 50,
      pictures: plotGap,
    },
    keep: train.max_checkpoints ?? 20,
    pictures: { count: Math.max(4, train.num_plot_samples ?? 1), temperature: 0.5 },
    notices,
  };
}

function checkSections(hparams: PublishedHparams): void {
  checkOptions('hparams', hparams, sections);
  const { Dir, Glow: glow, Criterion, Data, Optim, Train, Infer } = hparams;
  checkOptions('hparams.Dir', Dir, dirKeys);
  checkOptions('hparams.Glow', glow, glowKeys);
  checkOptions('hparams.Criterion', Criterion, criterionKeys);
  checkOptions('hparams.Data', Data, dataKeys);
  checkOptions('hparams.Optim', Optim, optimKeys);
  checkOptions('hparams.Optim.args', Optim?.args, adamKeys);
  checkOptions('hparams.Optim.Schedule', Optim?.Schedule, { name: true, args: true });
  checkOptions('hparams.Train', Train, trainKeys);
  checkOptions('hparams.Infer', Infer, inferKeys);
  const criterion = Criterion?.y_condition ?? 'single-class';
  checkChoice('hparams.Criterion', 'y_condition', criterion, ['multi-classes', 'single-class']);
}

function positive(limit: number | undefined): number | undefined {
  return limit !== undefined && limit > 0 ? limit : undefined;
}

/** Their schedules under their names, counted from step 0. */
function scheduleOf(
  schedule: NonNullable<PublishedHparams['Optim']>['Schedule'],
  rate: number,
): Schedule | undefined {
  const { name = 'default', args = {} } = schedule ?? {};
  const where = 'hparams.Optim.Schedule';
  checkChoice(where, 'name', name, Object.keys(schedules));
  checkOptions(`${where}.args`, args, { init_lr: ['lr'], ...schedules[name] });
  if (args.init_lr !== undefined && args.init_lr !== rate)
    throw new ConfigError(complaint(where, `init_lr ${rate}, the lr of Optim.args`, args.init_lr));
  switch (name) {
    case 'default':
      return undefined;
    case 'noam_learning_rate_decay':
      return { kind: 'noam', warmupSteps: args.warmup_steps ?? 4000, floor: (args.minimum ?? 0) / rate };
    case 'step_learning_rate_decay':
      return { kind: 'step', every: args.anneal_interval ?? 30_000, factor: args.anneal_rate ?? 0.98 };
    case 'cyclic_cosine_annealing': {
      const period = Math.floor(args.T / args.M);
      if (!(period >= 1)) throw new ConfigError(complaint(where, 'T >= M >= 1', `T ${args.T}, M ${args.M}`));
      const remainder = (step: number) => (((step - 1) % period) + period) % period;
      return (step) => (rate / 2) * (Math.cos((Math.PI * remainder(step)) / period) + 1);
    }
  }
}
