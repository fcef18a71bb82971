import { ConfigError, complaint } from '../core/errors';
import type { GlowOptions } from '../flows';
import type { FitOptions } from '../training';

/** What a training run does, whatever the file looked like that said it. */
export interface TrainingPlan {
  /** Folder of the run. */
  output: string;
  glow: GlowOptions;
  /** Side of the square that is cut from the middle of each image. */
  centerCrop?: number;
  /** Model to start from. */
  warmStart?: string;
  /** Model to use after training. */
  trained?: string;
  training: Pick<FitOptions, 'learningRate' | 'schedule' | 'clipValue' | 'clipNorm' | 'average'> & {
    optimizer: 'adam' | 'adamax' | 'sgd' | 'momentum' | 'rmsprop';
    /** Decay of Adam's means. */
    beta1: number;
    beta2: number;
    epsilon: number;
    steps: number;
    batchSize: number;
  };
  /** Steps between two checkpoints, log lines, and pictures. */
  every: { checkpoint: number; log: number; pictures: number };
  /** Checkpoints that are kept. */
  keep: number;
  /** Images per picture, and the temperature of samples. */
  pictures: { count: number; temperature: number };
  /** What the file says and this program does not do. */
  notices: string[];
}

export const trainingDefaults = {
  optimizer: 'adam',
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  steps: 10_000,
  batchSize: 32,
} as const;

/** Throws a ConfigError for a key that means nothing: mistyped options must not be lost. */
export function checkKeys(where: string, object: object, known: readonly string[]): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new ConfigError(complaint(where, `keys ${known.join(', ')}`, `'${unknown}'`));
}
