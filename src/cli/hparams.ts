import { ConfigError, complaint } from '../core/errors';
import { checkOptions, type OptionNames } from '../core/options';
import type { GlowOptions } from '../flows';
import { glowOptionNames } from '../flows/glow';
import { readJsonObject } from './json';
import { fromPublished, isPublished } from './publishedHparams';
import { checkPlan, type TrainingPlan, trainingDefaults } from './trainingPlan';

/** The smaller layout of our own: options under their names in this library. */
interface OwnHparams {
  output?: string;
  glow?: GlowOptions;
  data?: { centerCrop?: number };
  training?: Partial<TrainingPlan['training']> & {
    warmStart?: string;
    checkpointEvery?: number;
    keepCheckpoints?: number;
    logEvery?: number;
    picturesEvery?: number;
    pictures?: number;
    temperature?: number;
  };
}

const sections: OptionNames<OwnHparams> = {
  output: ['folder'],
  glow: ['model'],
  data: true,
  training: ['train'],
};
const trainingKeys: OptionNames<NonNullable<OwnHparams['training']>> = {
  optimizer: ['optim'],
  learningRate: ['lr', 'rate'],
  beta1: true,
  beta2: true,
  epsilon: ['eps'],
  steps: ['iterations', 'numBatches'],
  batchSize: ['batch'],
  schedule: ['scheduler'],
  clipValue: ['maxGradClip'],
  clipNorm: ['maxGradNorm'],
  average: ['ema'],
  warmStart: true,
  checkpointEvery: ['checkpointsGap'],
  keepCheckpoints: ['maxCheckpoints'],
  logEvery: ['scalarLogGap'],
  picturesEvery: ['plotGap'],
  pictures: true,
  temperature: true,
};

/** Reads hparams in the published layout (Dir, Glow, Optim, Data, Train, ...) or in our own. */
export async function readHparams(path: string): Promise<TrainingPlan> {
  return planOf(await readJsonObject('hparams', path));
}

export function planOf(json: object): TrainingPlan {
  const plan = isPublished(json) ? fromPublished(json) : fromOwn(json);
  checkPlan('hparams', plan);
  return plan;
}

function fromOwn(hparams: OwnHparams): TrainingPlan {
  const { output = 'run', glow, data = {}, training = {} } = hparams;
  checkOptions('hparams', hparams, sections);
  checkOptions('hparams.glow', glow, glowOptionNames);
  checkOptions('hparams.data', data, { centerCrop: ['crop'] });
  checkOptions('hparams.training', training, trainingKeys);
  if (glow?.imageShape === undefined) {
    throw new ConfigError(
      complaint('hparams', 'glow.imageShape', 'none', 'As in "glow": { "imageShape": [32, 32, 3] }.'),
    );
  }
  const {
    warmStart,
    checkpointEvery = 1000,
    keepCheckpoints = 3,
    logEvery = 10,
    picturesEvery = 500,
    pictures = 16,
    temperature = 0.7,
    ...rest
  } = training;
  return {
    output,
    glow,
    centerCrop: data.centerCrop,
    warmStart,
    training: { ...trainingDefaults, ...rest },
    every: { checkpoint: checkpointEvery, log: logEvery, pictures: picturesEvery },
    keep: keepCheckpoints,
    pictures: { count: pictures, temperature },
    notices: [],
  };
}
