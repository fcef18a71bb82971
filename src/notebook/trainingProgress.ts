import type { Progress } from '../training';
import { progressText } from '../training/progress';
import { escapeMarkup, Figure } from './figure';
import { openSurface } from './surface';

/** Options of `fit` that show training in a notebook. */
export interface TrainingProgress {
  /** Nothing on standard error: a notebook would keep every line. */
  progress: 'none';
  onProgress: (progress: Progress) => void;
  /** The display in a page, for a cell of its own; kernels put it below the cell that trains. */
  element: HTMLElement | undefined;
}

/** Milliseconds between two displays. */
const PAUSE = 250;

/**
 * A bar with loss, speed and time left that stays in its place, for the options of `fit`: one output however long training takes.
 *
 * @throws FlowError in a program without a notebook
 * @example
 * await flow.fit(images, { steps: 1000, ...trainingProgress() });
 */
export function trainingProgress(): TrainingProgress {
  const surface = openSurface('trainingProgress');
  let last = Number.NEGATIVE_INFINITY;
  let shown = Promise.resolve();
  const options = {
    progress: 'none' as const,
    onProgress(progress: Progress) {
      if (!progress.epochEnd && performance.now() - last < PAUSE) return;
      last = performance.now();
      const figure = draw(progress);
      shown = shown.then(() => surface.put(figure));
    },
  };
  // No option of `fit`: not among what `...trainingProgress()` copies.
  return Object.defineProperty(options, 'element', { value: surface.element }) as TrainingProgress;
}

function draw(progress: Progress): Figure {
  const text = progressText(progress, false);
  const done = shareDone(progress);
  const bar =
    done === undefined
      ? ''
      : `<progress max="1" value="${done.toFixed(3)}" style="width: 100%; display: block"></progress>`;
  const html = `<div style="max-width: 40em; font-variant-numeric: tabular-nums">${bar}${escapeMarkup(text)}</div>`;
  return new Figure('text/html', html, text);
}

/** Share of the run that is done, where its end is known. */
function shareDone({ step, steps, epoch, epochs, stepInEpoch, stepsPerEpoch }: Progress): number | undefined {
  if (steps !== undefined) return step / steps;
  if (epochs === undefined) return undefined;
  return (epoch + (stepsPerEpoch === undefined ? 0 : stepInEpoch / stepsPerEpoch)) / epochs;
}
