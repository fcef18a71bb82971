import { dirname, resolve } from 'node:path';
import { ConfigError, complaint } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { checkInteger } from '../../core/shapes';
import type { GlowOptions } from '../../flows';
import { glowOptionNames } from '../../flows/glow';
import type { ImageTableOptions } from '../../node';
import { imageTableOptionNames } from '../../node/datasets/table';
import { readJsonObject } from '../json';

/** What is studied, how, and what of it is drawn. Paths count from the file that says it. */
export interface StudyConfig {
  /** Folder of all results. */
  output: string;
  data: ImageTableOptions & {
    /** Folder of images, or of subfolders that are the classes; with `csv` the one that its paths count from. */
    folder?: string;
    /** CSV table of images. */
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

const sections: OptionNames<StudyConfig> = {
  output: ['folder'],
  data: true,
  glow: ['model'],
  training: ['train'],
  report: true,
  seed: true,
};
const dataKeys: OptionNames<StudyConfig['data']> = {
  ...imageTableOptionNames,
  folder: ['images', 'root'],
  csv: ['table'],
  centerCrop: ['crop'],
  skipUnreadable: 'boolean',
  heldOut: ['validation', 'test'],
  fewImages: true,
};
const trainingKeys: OptionNames<StudyConfig['training']> = {
  steps: ['iterations', 'maxSteps'],
  batchSize: ['batch'],
  learningRate: ['lr', 'rate'],
  warmupSteps: true,
  clipNorm: ['maxGradNorm'],
  average: ['ema'],
  evaluateEvery: true,
  patience: true,
};
const reportKeys: OptionNames<StudyConfig['report']> = {
  samples: true,
  temperatures: true,
  originals: true,
  strengths: true,
};

/** Reads a study's JSON file, with what it leaves out by default. */
export async function readStudyConfig(path: string): Promise<StudyConfig> {
  const config = studyConfigOf(await readJsonObject('config', path));
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

export function studyConfigOf(json: object): StudyConfig {
  const given = json as Partial<StudyConfig>;
  checkOptions('config', given, sections);
  checkOptions('config.data', given.data, dataKeys);
  checkOptions('config.glow', given.glow, glowOptionNames);
  checkOptions('config.training', given.training, trainingKeys);
  checkOptions('config.report', given.report, reportKeys);
  const config: StudyConfig = {
    ...DEFAULTS,
    ...given,
    data: { ...DEFAULTS.data, ...given.data },
    glow: { ...DEFAULTS.glow, ...given.glow },
    training: { ...DEFAULTS.training, ...given.training },
    report: { ...DEFAULTS.report, ...given.report },
  };
  const { data, glow, training, report } = config;
  if (data.folder === undefined && data.csv === undefined) {
    const hint = 'As in "data": { "folder": "my-images" }.';
    throw new ConfigError(complaint('config', 'data.folder or data.csv', 'neither', hint));
  }
  const ofTables = Object.keys(imageTableOptionNames).filter((name) => name !== 'folder');
  const idle = ofTables.find((name) => name in data);
  if (data.csv === undefined && idle !== undefined)
    throw new ConfigError(complaint('config', `data.csv beside data.${idle}, which is of tables`, 'none'));
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
