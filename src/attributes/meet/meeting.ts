import { figure, pFigure } from '../../core/printable';
import type { Matrix } from '../../linalg';
import type { Calibration } from '../calibrate';
import type { Posterior } from '../prior';
import type { LearnableRange } from '../range';
import type { TransferredDelta } from '../transfer';
import { type KnownAttribute, knownLines } from './known';
import type { LearnedAttribute } from './learnAttribute';

/** What a meeting adds to what was known before. */
export interface Meeting {
  /** Response of decoded images to the direction; null without `calibrate` and where images do not follow. */
  calibration: Calibration | null;
  posterior: Posterior;
  /** The direction as it is applied, [d]: coloured where `match` asks for it. */
  coloured: Float64Array;
  /** What every one of the few samples, or of `z`, may be moved by. */
  ranges: LearnableRange[];
  /** Why nothing beyond the own samples is learnable; null where the other subclasses vouch for it. */
  refusal: string | null;
  /** The largest learnable step of every one, at most 2 deviations of the attribute; null where nothing above 0 is learnable. */
  transfers: (TransferredDelta | null)[];
  /** The samples moved by those, [n, d]. */
  moved: Matrix;
  /** What was found on the way, in sentences. */
  notes: string[];
}

/** A subclass of which few samples are known, after all that other subclasses say of it. */
export type MetSubclass<Known extends KnownAttribute = LearnedAttribute> = Known & Meeting;

/** Of a meeting in a few lines, strengths in deviations. */
export function meetingLines(met: MetSubclass<KnownAttribute>): string[] {
  const { posterior, calibration, direction, ranges, refusal, transfers, notes } = met;
  const inDeviations = (strength: number) => figure(strength / (direction.attributeDeviation ?? 1));
  const interval = (low: number, high: number) => `${inDeviations(low)} .. ${inDeviations(high)}`;
  const [{ own, transferable }] = ranges;
  const { lambda, tauSquared } = posterior.inflation;
  const { p, novel } = posterior.novelty;
  const further = transferable.map(([low, high]) => interval(low, high)).join(' and ');
  return [
    `Subclass of ${posterior.count} samples in ${posterior.dimension} dimensions`,
    `  looks ${novel ? 'unlike' : 'like'} the others (${pFigure(p)}; lambda ${figure(lambda)}, tau squared ${figure(tauSquared)})`,
    ...knownLines(met).map((line) => `  ${line}`),
    ...(calibration === null
      ? []
      : [
          `  calibrated on images, asked for and moved: ${calibration.response.map(({ asked, moved }) => `${asked}: ${figure(moved)}`).join(', ')}`,
        ]),
    `  first sample, in deviations: own ${own === null ? 'none' : interval(...own)}${
      refusal === null ? `, transferable ${further || 'none'}` : ''
    }`,
    ...(refusal === null ? [] : [`    not transferable: ${refusal}`]),
    `  moved by, in deviations: ${transfers.map((step) => inDeviations(step?.strength ?? 0)).join(', ')}`,
    ...notes.map((note) => `  ${note}`),
  ];
}
