import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ConfigError, complaint, DataError, FormatError } from '../../core/errors';
import { checkInteger } from '../../core/shapes';
import type { GlowOptions } from '../../flows';
import type { ImageTableOptions } from '../../node';
import { checkKeys } from '../trainingPlan';

/** What is studied, how, and what of it is drawn. Paths count from the file that says it. */
export interface StudyConfig {
  /** Folder of all results. */
  output: string;
  data: ImageTableOptions & {
    /** Folder of images, or of subfolders that are the classes. */
    folder?: string;
    /** CSV table of images, in place of a folder. */
    csv?: string;
    /** Side of the square that is cut from the middle of each image. */
    centerCrop?: number;
    /** Whether images that cannot be read are left out. */
    skipUnreadable: boolean;
    /** Share of every class that is kept out of training. */
    heldOut: number;
    /** Classes with at most so many images are kept out of training, and then met as new ones. */
    fewImages: number;
  };
  glow: GlowOptions;
  training: {
    steps: number;
    batchSize: number;
    learningRate: number;
    /** Steps over which the learning rate rises. */
    warmupSteps: number;
    /** Largest norm of the gradients. */
    clipNorm: number;
    /** Decay of the averaged weights. */
    average: number;
    /** Steps between two looks at the held-out images, each with a checkpoint. */
    evaluateEvery: number;
    /** Looks without improvement after which training ends. */
    patience: number;
  };
  report: {
    /** Samples per temperature. */
    samples: number;
    temperatures: number[];
    /** Held-out images that are drawn. */
    originals: number;
    /** Steps along a direction: 1 leads from without to with, or two deviations of a number. */
    strengths: number[];
  };
  seed: number;
}

const DEFAULTS: StudyConfig = {
  output: 'study',
  data: { skipUnreadable: false, heldOut: 0.2, fewImages: 10 },
  glow: { imageShape: [32, 32, 3], levels: 3, stepsPerLevel: 6, hiddenChannels: 64, nBits: 5 },
  training: {
    steps: 600,
    batchSize: 32,
    learningRate: 1e-3,
    warmupSteps: 50,
    clipNorm: 100,
    average: 0.98,
    evaluateEvery: 50,
    patience: 3,
  },
  report: {
    samples: 16,
    temperatures: [0.5, 0.7, 1],
    originals: 6,
    strengths: [-0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1],
  },
  seed: 1,
};

const DATA_KEYS = [
  'folder',
  'csv',
  'centerCrop',
  'fileColumn',
  'classColumn',
  'columns',
  ...Object.keys(DEFAULTS.data),
];

/** Reads a study's JSON file, with what it leaves out by default. */
export async function readStudyConfig(path: string): Promise<StudyConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new DataError(`There is no config at '${path}' (${(error as NodeJS.ErrnoException).code}).`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError(complaint('config', `JSON in '${path}'`, (error as Error).message));
  }
  const config = studyConfigOf(json);
  const place = (relative: string) => resolve(dirname(path), relative);
  const { folder, csv } = config.data;
  return {
    ...config,
    output: place(config.output),
    data: {
      ...config.data,
      ...(folder !== undefined && { folder: place(folder) }),
      ...(csv !== undefined && { csv: place(csv) }),
    },
  };
}

export function studyConfigOf(json: unknown): StudyConfig {
  if (typeof json !== 'object' || json === null)
    throw new FormatError(complaint('config', 'an object', json));
  checkKeys('config', json, Object.keys(DEFAULTS));
  const given = json as Partial<StudyConfig>;
  const config: StudyConfig = {
    ...DEFAULTS,
    ...given,
    data: { ...DEFAULTS.data, ...given.data },
    glow: { ...DEFAULTS.glow, ...given.glow },
    training: { ...DEFAULTS.training, ...given.training },
    report: { ...DEFAULTS.report, ...given.report },
  };
  const { data, glow, training, report } = config;
  checkKeys('config.data', data, DATA_KEYS);
  checkKeys('config.training', training, Object.keys(DEFAULTS.training));
  checkKeys('config.report', report, Object.keys(DEFAULTS.report));
  if ((data.folder === undefined) === (data.csv === undefined)) {
    const received = data.folder === undefined ? 'neither' : 'both';
    const hint = 'As in "data": { "folder": "my-images" }.';
    throw new ConfigError(complaint('config', 'data.folder or data.csv', received, hint));
  }
  if (!(data.heldOut > 0 && data.heldOut < 1))
    throw new ConfigError(complaint('config', 'data.heldOut between 0 and 1', data.heldOut));
  checkInteger('config', 'data.fewImages', data.fewImages, 0);
  checkInteger('config', 'training.evaluateEvery', training.evaluateEvery);
  checkInteger('config', 'report.samples', report.samples);
  checkInteger('config', 'report.originals', report.originals);
  for (const name of ['temperatures', 'strengths'] as const) {
    const numbers =
      Array.isArray(report[name]) && report[name].length > 0 && report[name].every(Number.isFinite);
    if (!numbers) throw new ConfigError(complaint('config', `report.${name} to be numbers`, report[name]));
  }
  for (const name of ['folder', 'csv'] as const) {
    if (data[name] !== undefined && typeof data[name] !== 'string')
      throw new ConfigError(complaint('config', `data.${name} to be a path`, data[name]));
  }
  if (glow.classes !== undefined) {
    const hint = 'Directions need latents that do not know their class.';
    throw new ConfigError(complaint('config', 'a Glow without classes', `classes ${glow.classes}`, hint));
  }
  return config;
}
