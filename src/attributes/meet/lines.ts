import { figure, pFigure } from '../../core/printable';
import type { KnownAttribute } from './learnAttribute';
import type { MetSubclass } from './meetSubclass';

/** Of a learned attribute in a few lines. */
export function knownLines({ direction, mixing, mixingReason, prior }: KnownAttribute): string[] {
  const { consistency, consistencyError, consistencyReason, attributeDeviation = 1 } = direction;
  const error = typeof consistencyError === 'number' ? ` (standard error ${figure(consistencyError)})` : '';
  const shared =
    consistency === null ? `unknown${because(consistencyReason)}` : `${figure(consistency)}${error}`;
  return [
    `direction from ${prior.subclasses.length} subclasses: consistency ${shared}; one deviation is strength ${figure(attributeDeviation)}`,
    `positions along it, mixed, near normal: ${mixing === null ? `not known${because(mixingReason)}` : mixing.nearNormal}`,
  ];
}

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
    `  first sample, in deviations: own ${own === null ? 'none' : interval(...own)}, ${
      refusal === null ? `transferable ${further || 'none'}` : `not transferable: ${refusal}`
    }`,
    `  moved by, in deviations: ${transfers.map((step) => inDeviations(step?.strength ?? 0)).join(', ')}`,
    ...notes.map((note) => `  ${note}`),
  ];
}

function because(reason: string | null | undefined): string {
  return typeof reason === 'string' ? `, ${reason}` : '';
}
