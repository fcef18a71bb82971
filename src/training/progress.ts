import { checkChoice } from '../core/shapes';
import type { ChosenGradients } from './gradientMethod';

/** Where training stands. */
export interface Progress {
  /** Present epoch, from 0. */
  epoch: number;
  /** Epochs in all, where that is how the run is limited. */
  epochs?: number;
  /** Steps so far. */
  step: number;
  /** Steps in all, where known. */
  steps?: number;
  /** Steps so far in this epoch. */
  stepInEpoch: number;
  /** Steps of an epoch, where known. */
  stepsPerEpoch?: number;
  /** Mean loss of the epoch so far. */
  loss: number;
  /** Loss on the validation data, at the end of an epoch that has one. */
  validationLoss?: number;
  /** Unit of the loss, as the model has it. */
  lossUnit: string;
  /** What is counted: images for inputs of rank 4. */
  exampleKind: 'images' | 'examples';
  /** Training speed of this run, evaluation not counted. */
  examplesPerSecond: number;
  /** Time left at this speed, where the end is known. */
  secondsLeft?: number;
  /** True for the report that closes an epoch. */
  epochEnd: boolean;
  /** How gradients are computed, which `gradients: 'auto'` chose; absent before the first step. */
  gradients?: ChosenGradients;
}

/** Speed of the recent steps: an exponential mean over about ten. */
export class SpeedMeter {
  private seconds = 0;
  private examples = 0;
  private weight = 0;

  add(seconds: number, examples: number): void {
    this.seconds = 0.9 * this.seconds + seconds;
    this.examples = 0.9 * this.examples + examples;
    this.weight = 0.9 * this.weight + 1;
  }

  get examplesPerSecond(): number {
    return this.seconds > 0 ? this.examples / this.seconds : 0;
  }

  get secondsPerStep(): number {
    return this.weight > 0 ? this.seconds / this.weight : 0;
  }
}

/** How progress is shown: a bar on a terminal and lines elsewhere ('auto'), or one of them, or nothing. */
export type ProgressStyle = 'auto' | 'bar' | 'lines' | 'none';

export const progressStyles: readonly ProgressStyle[] = ['auto', 'bar', 'lines', 'none'];

/** The part of a Node stream that is written to. */
export interface ProgressStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * A display of training on a terminal; without one (in a page) it shows nothing. `fit` makes its own by its `progress` option.
 *
 * @example
 * const bar = new ProgressBar('bar', process.stdout);
 * await fit(flow, data, { progress: 'none', onProgress: (progress) => bar.show(progress) });
 */
export class ProgressBar {
  private readonly style: ProgressStyle;
  private lastShown = Number.NEGATIVE_INFINITY;
  private announced = false;

  /**
   * @param style Default: 'auto'.
   * @param stream Default: the process's standard error, if there is a process.
   * @param clock milliseconds. Default: performance.now.
   */
  constructor(
    style: ProgressStyle = 'auto',
    private readonly stream: ProgressStream | undefined = standardError(),
    private readonly clock: () => number = () => performance.now(),
  ) {
    checkChoice('fit', 'progress', style, progressStyles);
    this.style = style === 'auto' ? (stream?.isTTY === true ? 'bar' : 'lines') : style;
  }

  /** Shows a report if it is time: how gradients are computed first, then the bar ten times a second, lines every ten seconds, the end of an epoch always. */
  show(progress: Progress): void {
    if (this.style === 'none' || this.stream === undefined) return;
    if (!this.announced && progress.gradients !== undefined) {
      this.announced = true;
      this.stream.write(`gradients: ${progress.gradients}\n`);
    }
    const pause = this.style === 'bar' ? 100 : 10_000;
    const elapsed = this.clock() - this.lastShown;
    if (!progress.epochEnd && elapsed < pause) return;
    if (this.style === 'lines' && this.lastShown === Number.NEGATIVE_INFINITY && !progress.epochEnd) {
      this.lastShown = this.clock();
      return;
    }
    this.lastShown = this.clock();
    if (this.style === 'lines') this.stream.write(`${progressText(progress, false)}\n`);
    else {
      const text = progressText(progress, true).slice(0, (this.stream.columns ?? 120) - 1);
      this.stream.write(`\r${text}\x1b[K${progress.epochEnd ? '\n' : ''}`);
    }
  }
}

/** One line: `epoch 2/10 [=====>    ] 12/24  2.412 bits/dim  validation 2.430  1,250 images/s  0:42 left`. */
export function progressText(progress: Progress, withBar: boolean): string {
  const { epoch, epochs, stepInEpoch, stepsPerEpoch, loss, validationLoss, secondsLeft } = progress;
  const parts = [epochs === undefined ? `epoch ${epoch + 1}` : `epoch ${epoch + 1}/${epochs}`];
  if (withBar && stepsPerEpoch !== undefined) parts[0] += ` ${bar(stepInEpoch / stepsPerEpoch)}`;
  parts[0] +=
    stepsPerEpoch === undefined
      ? ` step ${stepInEpoch}`
      : ` ${withBar ? '' : 'step '}${stepInEpoch}/${stepsPerEpoch}`;
  parts.push(`${loss.toFixed(3)} ${progress.lossUnit}`);
  if (validationLoss !== undefined) parts.push(`validation ${validationLoss.toFixed(3)}`);
  parts.push(`${thousands(progress.examplesPerSecond)} ${progress.exampleKind}/s`);
  if (secondsLeft !== undefined) parts.push(`${duration(secondsLeft)} left`);
  return parts.join('  ');
}

function bar(fraction: number): string {
  const width = 20;
  const filled = Math.min(width, Math.round(fraction * width));
  const head = filled > 0 && filled < width ? `${'='.repeat(filled - 1)}>` : '='.repeat(filled);
  return `[${head.padEnd(width)}]`;
}

function thousands(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

function standardError(): ProgressStream | undefined {
  return (globalThis as { process?: { stderr?: ProgressStream } }).process?.stderr;
}
