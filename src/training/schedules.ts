import { ConfigError, complaint } from '../core/errors';
import { checkOptions, type OptionNames } from '../core/options';
import { checkChoice, checkInteger } from '../core/shapes';
import { shown } from './optionChecks';

/** Options that every schedule takes. */
export interface WarmupOptions {
  /** Steps over which the rate first rises linearly from near 0 to its full value. Default: 0 (4000 for 'noam'). */
  warmupSteps?: number;
}

/** The same rate at every step; with `warmupSteps` this is plain linear warm-up. */
export interface ConstantSchedule extends WarmupOptions {
  kind: 'constant';
}

/** Half a cosine from the full rate down to `floor`. */
export interface CosineSchedule extends WarmupOptions {
  kind: 'cosine';
  /** Step at which the floor is reached, warm-up included. */
  steps: number;
  /** Lowest rate, as a fraction of the learning rate. Default: 0. */
  floor?: number;
}

/** The rate is multiplied by `factor` after every `every` steps. */
export interface StepSchedule extends WarmupOptions {
  kind: 'step';
  /** Steps between two drops. */
  every: number;
  /** What a drop multiplies the rate by. Default: 0.1. */
  factor?: number;
}

/** Linear warm-up, then decay with the inverse square root of the step. */
export interface NoamSchedule extends WarmupOptions {
  kind: 'noam';
  /** Lowest rate after warm-up, as a fraction of the learning rate. Default: 0.1. */
  floor?: number;
}

/** How the learning rate runs over the steps: plain JSON, or a function from step (from 0) to the rate itself. */
export type Schedule =
  | ConstantSchedule
  | CosineSchedule
  | StepSchedule
  | NoamSchedule
  | ((step: number) => number);

/**
 * Learning rate of one step; a pure function, so a resumed run needs the step alone.
 *
 * With r = learningRate, s = step + 1, W = warmupSteps:
 *
 *     constant   r
 *     cosine     r * (floor + (1 - floor) * (1 + cos(pi * (step - W) / (steps - W))) / 2)
 *     step       r * factor^floor(step / every)
 *     noam       r * sqrt(W) * min(s * W^-1.5, s^-0.5), at least r * floor once s > W
 *
 * and the first three are multiplied by min(1, s / W). A step is never taken at rate 0 during warm-up.
 *
 * @param step from 0
 * @param learningRate the full rate; a function schedule ignores it
 * @throws ConfigError for a schedule that is out of its range, or a function's answer that is no rate
 *
 * Sources: Loshchilov and Hutter, "SGDR" (2017), equation 5, arXiv:1608.03983; Vaswani et al., "Attention Is All You Need" (2017),
 * section 5.3, arXiv:1706.03762, scaled as in the PyTorch Glow of chaiyujin so that the peak is the learning rate.
 *
 * @example
 * learningRateAt({ kind: 'constant', warmupSteps: 100 }, 49, 1e-3); // 5e-4
 */
export function learningRateAt(schedule: Schedule, step: number, learningRate: number): number {
  if (typeof schedule === 'function') return checkedRate(schedule(step), step);
  checkSchedule(schedule);
  const warmupSteps = schedule.warmupSteps ?? (schedule.kind === 'noam' ? 4000 : 0);
  const warmup = warmupSteps === 0 ? 1 : Math.min(1, (step + 1) / warmupSteps);
  switch (schedule.kind) {
    case 'constant':
      return learningRate * warmup;
    case 'cosine': {
      const { steps, floor = 0 } = schedule;
      const progress = Math.min(1, Math.max(0, step - warmupSteps) / Math.max(1, steps - warmupSteps));
      return learningRate * warmup * (floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2);
    }
    case 'step':
      return learningRate * warmup * (schedule.factor ?? 0.1) ** Math.floor(step / schedule.every);
    case 'noam':
      if (step + 1 <= warmupSteps) return learningRate * warmup;
      return learningRate * Math.max(schedule.floor ?? 0.1, Math.sqrt(warmupSteps / (step + 1)));
  }
}

function checkedRate(rate: unknown, step: number): number {
  if (typeof rate === 'number' && rate >= 0 && Number.isFinite(rate)) return rate;
  const received = `${shown(rate)} at step ${step}`;
  throw new ConfigError(complaint('schedule', 'a learning rate >= 0 from the function', received));
}

const warmup = ['warmup', 'warmup_steps'];
const names = {
  constant: { kind: true, warmupSteps: warmup } satisfies OptionNames<ConstantSchedule>,
  cosine: {
    kind: true,
    warmupSteps: warmup,
    steps: ['T_max', 'totalSteps', 'decaySteps'],
    floor: ['eta_min', 'alpha'],
  } satisfies OptionNames<CosineSchedule>,
  step: {
    kind: true,
    warmupSteps: warmup,
    every: ['step_size', 'stepSize', 'steps'],
    factor: ['gamma', 'decay'],
  } satisfies OptionNames<StepSchedule>,
  noam: { kind: true, warmupSteps: warmup, floor: true } satisfies OptionNames<NoamSchedule>,
};

/** Throws a ConfigError unless every field of the schedule is known and in its range. */
export function checkSchedule(schedule: Schedule): void {
  if (typeof schedule === 'function') return;
  if (typeof schedule !== 'object' || schedule === null) {
    const hint = "Write { kind: 'cosine', steps: 1000 }.";
    throw new ConfigError(
      complaint('schedule', 'an object with a kind, or a function', shown(schedule), hint),
    );
  }
  checkChoice('schedule', 'kind', schedule.kind, Object.keys(names));
  checkOptions(`schedule '${schedule.kind}'`, schedule, names[schedule.kind] as OptionNames<typeof schedule>);
  if (schedule.warmupSteps !== undefined) {
    checkInteger('schedule', 'warmupSteps', schedule.warmupSteps, schedule.kind === 'noam' ? 1 : 0);
  }
  if (schedule.kind === 'cosine') checkInteger('schedule', 'steps', schedule.steps);
  if (schedule.kind === 'step') {
    checkInteger('schedule', 'every', schedule.every);
    checkFraction('factor', schedule.factor ?? 0.1);
  }
  if (schedule.kind === 'cosine' || schedule.kind === 'noam') checkFraction('floor', schedule.floor ?? 0);
}

function checkFraction(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) {
    throw new ConfigError(complaint('schedule', `${name} between 0 and 1`, value));
  }
}
