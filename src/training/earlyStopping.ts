import type * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import { checkOptions, type OptionNames } from '../core/options';
import { checkChoice, checkInteger } from '../core/shapes';
import type { Logs } from './logs';
import { checkFlag, shown } from './optionChecks';
import { WeightSnapshot } from './weightSnapshot';

/** When to stop because nothing improves any more. */
export interface EarlyStoppingOptions {
  /** Which of the epoch's logs to watch. Default: 'val_loss' with validation, else 'loss'. */
  monitor?: string;
  /** Which way is better. Default: 'min'. */
  mode?: 'min' | 'max';
  /** Evaluations without improvement after which training stops. Default: 0, at the first. */
  patience?: number;
  /** Smallest change that counts as improvement, in the unit of what is watched. Default: 0. */
  minDelta?: number;
  /** End with the weights of the best epoch, however training ends. Default: true. */
  restoreBest?: boolean;
}

const names: OptionNames<EarlyStoppingOptions> = {
  monitor: ['metric'],
  mode: true,
  patience: true,
  minDelta: ['min_delta', 'tolerance'],
  restoreBest: ['boolean', 'restoreBestWeights', 'restore_best_weights'],
};

/** Throws a ConfigError for the first option that is unknown or out of its range. */
export function checkEarlyStopping(options: EarlyStoppingOptions): void {
  checkOptions('fit (earlyStopping)', options, names);
  const { monitor, mode = 'min', patience = 0, minDelta = 0, restoreBest = true } = options;
  if (monitor !== undefined && typeof monitor !== 'string') {
    throw new ConfigError(complaint('fit', 'earlyStopping.monitor to be a name', shown(monitor)));
  }
  checkChoice('fit', 'earlyStopping.mode', mode, ['min', 'max']);
  checkInteger('fit', 'earlyStopping.patience', patience, 0);
  if (!(minDelta >= 0 && Number.isFinite(minDelta))) {
    throw new ConfigError(complaint('fit', 'earlyStopping.minDelta >= 0', shown(minDelta)));
  }
  checkFlag('fit', 'earlyStopping.restoreBest', restoreBest);
}

/** Plain JSON of an early stopping in progress; the best weights are kept beside it. */
export interface EarlyStoppingState {
  best: number | null;
  waited: number;
}

/** Watches one value over the epochs and remembers the weights of its best. */
export class EarlyStopping {
  private readonly monitor: string;
  private readonly sign: number;
  private readonly patience: number;
  private readonly minDelta: number;
  private readonly restoresBest: boolean;
  private best: number | null = null;
  private waited = 0;
  /** Weights of the best epoch. */
  readonly bestWeights: WeightSnapshot;

  constructor(options: EarlyStoppingOptions, variables: readonly tf.Variable[], hasValidation: boolean) {
    const { mode = 'min', patience = 0 } = options;
    this.monitor = options.monitor ?? (hasValidation ? 'val_loss' : 'loss');
    if (this.monitor.startsWith('val_') && !hasValidation) throw this.unknownMonitor('no validation data');
    this.sign = mode === 'min' ? 1 : -1;
    this.patience = patience;
    this.minDelta = options.minDelta ?? 0;
    this.restoresBest = options.restoreBest ?? true;
    this.bestWeights = new WeightSnapshot(variables);
  }

  /** Looks at an epoch's logs; true where training should stop. */
  shouldStop(logs: Logs): boolean {
    if (!(this.monitor in logs)) {
      if (this.monitor.startsWith('val_')) return false; // no validation was due in this epoch
      throw this.unknownMonitor(Object.keys(logs).join(', '));
    }
    const value = this.sign * logs[this.monitor];
    if (this.best === null || value < this.best - this.minDelta) {
      this.best = value;
      this.waited = 0;
      if (this.restoresBest) this.bestWeights.capture();
      return false;
    }
    this.waited++;
    return this.waited >= this.patience;
  }

  state(): EarlyStoppingState {
    return { best: this.best, waited: this.waited };
  }

  restore(state: EarlyStoppingState, bestWeights: readonly tf.Tensor[]): void {
    this.best = state.best;
    this.waited = state.waited;
    if (bestWeights.length > 0) this.bestWeights.capture(bestWeights);
  }

  private unknownMonitor(received: string): ConfigError {
    return new ConfigError(
      complaint('fit', `earlyStopping.monitor '${this.monitor}' among the logs`, received),
    );
  }
}
