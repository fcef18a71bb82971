import { ConfigError, complaint } from '../core/errors';

/** How often training lets the event loop run: a number is in milliseconds, 'auto' is 125 ms as in tfjs-layers. */
export type YieldEvery = 'auto' | 'step' | 'epoch' | 'never' | number;

/** Throws a ConfigError unless `value` says how often to yield. */
export function checkYieldEvery(value: YieldEvery): void {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return;
  const choices = ['auto', 'step', 'epoch', 'never'];
  if (choices.includes(value as string)) return;
  const expected = `yieldEvery to be one of ${choices.join(', ')}, or milliseconds`;
  throw new ConfigError(complaint('fit', expected, String(value)));
}

/** Lets pages paint and signals arrive while training holds the thread. */
export class Yielder {
  private last = now();

  constructor(private readonly every: YieldEvery) {}

  /** True where it is time to yield, after a step or at the end of an epoch. */
  due(atEpochEnd: boolean): boolean {
    if (this.every === 'step') return true;
    if (this.every === 'epoch') return atEpochEnd;
    if (this.every === 'never') return false;
    return now() - this.last >= (this.every === 'auto' ? 125 : this.every);
  }

  /** Waits for one turn of the event loop. */
  async pause(): Promise<void> {
    await nextTask();
    this.last = now();
  }
}

/** A new task by a message: unlike animation frames and timers it also comes in a hidden tab. */
function nextTask(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

function now(): number {
  return performance.now();
}
