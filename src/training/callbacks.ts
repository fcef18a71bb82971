import { ConfigError, complaint } from '../core/errors';
import { checkOptions, type OptionNames } from '../core/options';
import type { Logs } from './logs';
import { checkFunction, shown } from './optionChecks';

/**
 * What `fit` calls as it goes, as in tfjs-layers; every hook may be async and is awaited.
 *
 * Returning `false` from `onBatchEnd` or `onEpochEnd` stops training, and so does `this.model.stopTraining = true` in a tf.Callback.
 * What `tfvis.show.fitCallbacks` returns can be passed as it is.
 */
export interface FitCallbacks {
  onTrainBegin?(logs: Logs): unknown;
  onTrainEnd?(logs: Logs): unknown;
  onEpochBegin?(epoch: number, logs: Logs): unknown;
  /** Logs: `loss`, metrics, `val_` values, `learningRate`. */
  onEpochEnd?(epoch: number, logs: Logs): unknown;
  onBatchBegin?(batch: number, logs: Logs): unknown;
  /** Logs: `batch`, `size`, `loss`, metrics, `learningRate`. */
  onBatchEnd?(batch: number, logs: Logs): unknown;
  onYield?(epoch: number, batch: number, logs: Logs): unknown;
}

const hooks: OptionNames<FitCallbacks> = {
  onTrainBegin: true,
  onTrainEnd: true,
  onEpochBegin: true,
  onEpochEnd: true,
  onBatchBegin: true,
  onBatchEnd: true,
  onYield: true,
};

/**
 * Throws a ConfigError for a callback that is no object, and for a hook that nothing calls: an `on...` method of another name, or a
 * function of an object literal that speaks of training, epochs or batches.
 */
export function checkCallbacks(callbacks: FitCallbacks | readonly FitCallbacks[]): void {
  for (const callback of Array.isArray(callbacks) ? callbacks : [callbacks]) {
    if (typeof callback !== 'object' || callback === null) {
      const hint = 'Write { onEpochEnd: (epoch, logs) => ... }.';
      throw new ConfigError(complaint('fit', 'callbacks that are objects', shown(callback), hint));
    }
    checkOptions('fit (callbacks)', hooksOf(callback), hooks);
    for (const hook of Object.keys(hooks) as (keyof FitCallbacks)[]) {
      if (callback[hook] !== undefined) checkFunction('fit', `callbacks.${hook}`, callback[hook]);
    }
  }
}

/** What looks like a hook: besides its own, an instance of a class has those of all its ancestors. */
function hooksOf(callback: object): FitCallbacks {
  const found: Record<string, unknown> = {};
  const { prototype } = Object;
  for (let place = callback; place !== null && place !== prototype; place = Object.getPrototypeOf(place)) {
    const plain = [null, prototype].includes(Object.getPrototypeOf(place)) && place === callback;
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(place))) {
      if (typeof value === 'function' && (plain ? /^(on|train|epoch|batch)/i : /^on[A-Z]/).test(name)) {
        found[name] = value;
      }
    }
  }
  return found;
}

/** What a tf.Callback instance has besides the hooks. */
interface AttachedCallback extends FitCallbacks {
  setParams?(params: Record<string, unknown>): void;
  setModel?: unknown;
  model?: { stopTraining: boolean };
}

/** All callbacks of a run, called in order. */
export class CallbackList {
  private readonly callbacks: readonly AttachedCallback[];
  private readonly control = { stopTraining: false };

  constructor(callbacks: FitCallbacks | readonly FitCallbacks[], params: Record<string, unknown>) {
    this.callbacks = (Array.isArray(callbacks) ? callbacks : [callbacks]) as AttachedCallback[];
    for (const callback of this.callbacks) {
      callback.setParams?.(params);
      // setModel of tfjs-layers takes a LayersModel only; all that its callbacks use is this field.
      if (callback.setModel !== undefined) callback.model = this.control;
    }
  }

  /** True once a callback asked to stop. */
  get stopRequested(): boolean {
    return this.control.stopTraining;
  }

  async trainBegin(): Promise<void> {
    for (const callback of this.callbacks) await callback.onTrainBegin?.({});
  }

  async trainEnd(logs: Logs): Promise<void> {
    for (const callback of this.callbacks) await callback.onTrainEnd?.({ ...logs });
  }

  async epochBegin(epoch: number): Promise<void> {
    for (const callback of this.callbacks) await callback.onEpochBegin?.(epoch, {});
  }

  async epochEnd(epoch: number, logs: Logs): Promise<void> {
    for (const callback of this.callbacks) this.heed(await callback.onEpochEnd?.(epoch, { ...logs }));
  }

  async batchBegin(batch: number, size: number): Promise<void> {
    for (const callback of this.callbacks) await callback.onBatchBegin?.(batch, { batch, size });
  }

  async batchEnd(batch: number, logs: Logs): Promise<void> {
    for (const callback of this.callbacks) this.heed(await callback.onBatchEnd?.(batch, { ...logs }));
  }

  async yield(epoch: number, batch: number, logs: Logs): Promise<void> {
    for (const callback of this.callbacks) await callback.onYield?.(epoch, batch, { ...logs });
  }

  private heed(answer: unknown): void {
    if (answer === false) this.control.stopTraining = true;
  }
}
