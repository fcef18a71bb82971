/** Work in small steps: yields how many of its parts are done, and returns its result. */
export type Work<T> = Generator<number, T, void>;

/** How to follow work that runs long, and how to end it. */
export interface WorkOptions {
  /** Called with the parts done and their total, some times a second. Default: nothing. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work with the signal's reason. Default: none. */
  signal?: AbortSignal;
}

/** Milliseconds of work between two turns of the event loop: a page stays alive, and the pauses cost little. */
const TURN = 40;

/** Does the work without a pause. */
export function atOnce<T>(work: Work<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/**
 * Does the work in turns, between which timers, input and drawing have theirs.
 *
 * @throws the signal's reason
 */
export async function inTurns<T>(
  work: Work<T>,
  total: number,
  { onProgress, signal }: WorkOptions,
): Promise<T> {
  signal?.throwIfAborted();
  let began = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done) {
      onProgress?.(total, total);
      return step.value;
    }
    if (performance.now() - began < TURN) continue;
    onProgress?.(step.value, total);
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    began = performance.now();
  }
}
