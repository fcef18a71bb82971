import type { ChosenGradients } from './gradientMethod';
import type { Logs } from './logs';

/** Why training ended. */
export type StopReason = 'finished' | 'earlyStopping' | 'aborted' | 'callback';

/** One epoch as it ended: `epoch` counts from 0, `step` is the number of steps so far, losses are in the model's unit. */
export type EpochLogs = Logs & { epoch: number; step: number; loss: number; learningRate: number };

/** What happened in training; `JSON.stringify` keeps all of it. */
export interface History {
  /** Loss, metrics, `val_` values and learning rate of every epoch. */
  epochs: EpochLogs[];
  /** Loss of every step, before its update. */
  losses: number[];
  /** Why training ended. */
  stopped: StopReason;
  /** Unit of the losses, as in `bits/dim`. */
  lossUnit: string;
  /** How gradients were computed, which `gradients: 'auto'` chose; absent where no step was taken. */
  gradients?: ChosenGradients;
}
