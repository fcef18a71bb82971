import { readFile } from 'node:fs/promises';
import { ConfigError, complaint, DataError, FormatError } from '../core/errors';
import type { GlowOptions } from '../flows';
import { fromPublished, isPublished } from './publishedHparams';
import { checkKeys, type TrainingPlan, trainingDefaults } from './trainingPlan';

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

/** Reads hparams in the published layout (Dir, Glow, Optim, Data, Train, ...) or in our own. */
export async function readHparams(path: string): Promise<TrainingPlan> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new DataError(`There are no hparams at '${path}' (${(error as NodeJS.ErrnoException).code}).`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError(complaint('hparams', `JSON in '${path}'`, (error as Error).message));
  }
  return planOf(json);
}

export function planOf(json: unknown): TrainingPlan {
  if (typeof json !== 'object' || json === null)
    throw new FormatError(complaint('hparams', 'an object', json));
  return isPublished(json) ? fromPublished(json) : fromOwn(json as OwnHparams);
}

function fromOwn(hparams: OwnHparams): TrainingPlan {
  const { output = 'run', glow, data = {}, training = {} } = hparams;
  checkKeys('hparams', hparams, ['output', 'glow', 'data', 'training']);
  checkKeys('hparams.data', data, ['centerCrop']);
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
  checkKeys('hparams.training', rest, [
    ...Object.keys(trainingDefaults),
    'schedule',
    'clipValue',
    'clipNorm',
    'average',
  ]);
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
