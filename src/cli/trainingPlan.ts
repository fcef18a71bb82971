import { ConfigError, complaint } from '../core/errors';
import { checkInteger } from '../core/shapes';
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

/** Throws a ConfigError for the first number of a plan that is out of its range. */
export function checkPlan(where: string, { training, every, keep, pictures }: TrainingPlan): void {
  const { learningRate, beta1, beta2, epsilon, steps, batchSize } = training;
  const numbers: [name: string, value: unknown, valid: (value: number) => boolean, range: string][] = [
    ['the learning rate', learningRate, (value) => value > 0, 'above 0'],
    ['beta1', beta1, (value) => value >= 0 && value < 1, 'from 0 to below 1'],
    ['beta2', beta2, (value) => value >= 0 && value < 1, 'from 0 to below 1'],
    ['epsilon', epsilon, (value) => value > 0, 'above 0'],
    ['the temperature', pictures.temperature, (value) => value >= 0, 'of at least 0'],
  ];
  for (const [name, value, valid, range] of numbers) {
    if (typeof value === 'number' && Number.isFinite(value) && valid(value)) continue;
    throw new ConfigError(complaint(where, `${name} to be a number ${range}`, value));
  }
  checkInteger(where, 'the number of steps', steps);
  checkInteger(where, 'the batch size', batchSize);
  checkInteger(where, 'steps between checkpoints', every.checkpoint);
  checkInteger(where, 'steps between lines of the log', every.log);
  checkInteger(where, 'steps between pictures', every.pictures);
  checkInteger(where, 'checkpoints to keep', keep);
  checkInteger(where, 'images per picture', pictures.count);
}
