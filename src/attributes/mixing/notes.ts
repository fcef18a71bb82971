import type { Matrix } from '../../linalg';

/** Pooled latents this close to mean 0 and deviation 1 look like a flow's own training data (a Real NVP on digits: 0.19). */
const STANDARD = 0.25;
/** Root of the energy excess up to which single subclasses may have been made normal by a flow (Real NVPs on digits: 0.004, 0.057; the attributes themselves: 0.086). */
const NEARLY_NORMAL = 0.07;

const LOSS =
  'training pushes their mixture to N(0, I), so closeness to normal says something of the loss, not of the subclasses. Use held-out data.';

/**
 * What a reader of the verdict must know about where the latents come from.
 *
 * @param excess of the fewest subclasses that were mixed
 */
export function originNotes(z: Matrix, excess: number, trainingLatents: boolean): string[] {
  if (trainingLatents) return [`These are latents of the flow's own training data: ${LOSS}`];
  if (excess > NEARLY_NORMAL || !looksStandard(z)) return [];
  return [
    `Pooled coordinates have mean 0 and deviation 1, and single subclasses are hardly apart from normal. If these are latents of the flow's own training data (then say so: trainingLatents), ${LOSS}`,
  ];
}

/** Whether means are near 0 and deviations near 1, root mean square over the coordinates. */
function looksStandard(z: Matrix): boolean {
  let sum = 0;
  for (let j = 0; j < z.cols; j++) {
    const values = z.column(j);
    const mean = values.reduce((total, value) => total + value, 0) / z.rows;
    const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / z.rows;
    sum += mean ** 2 + (Math.sqrt(variance) - 1) ** 2;
  }
  return Math.sqrt(sum / (2 * z.cols)) < STANDARD;
}
