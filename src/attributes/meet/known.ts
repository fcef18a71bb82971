import { figure } from '../../core/printable';
import type { VectorInput } from '../../statistics/inputs';
import type { Labeled } from '../labeled';
import type { MixingStatements } from '../mixing';
import type { Prior } from '../prior';
import type { NearNormality } from '../range';

/** A direction as it is carried to another subclass; that of `zDelta` is one. */
export interface CarriedDirection {
  /** Latent shift of strength 1, [d]. */
  delta: VectorInput;
  consistency: number | null;
  consistencyError?: number | null;
  consistencyReason?: string | null;
  /** Strength of one standard deviation of the attribute within subclasses. Default: 1. */
  attributeDeviation?: number;
}

/** What is known of an attribute before a subclass is met, from `learnAttribute` or from elsewhere. */
export interface KnownAttribute {
  direction: CarriedDirection;
  /** Whether positions along the direction mix to a normal; null where that is not known. */
  mixing: NearNormality | null;
  /** Why `mixing` is null. */
  mixingReason?: string | null;
  prior: Prior;
  /** The samples that all of it was learned from, which `calibrate` needs. */
  samples?: Labeled;
}

/** Of a learned attribute in a few lines. */
export function knownLines({ direction, mixing, mixingReason, prior }: KnownAttribute): string[] {
  // A report of mixedNormality says why.
  const report: (NearNormality & { statements?: MixingStatements }) | null = mixing;
  const { consistency, consistencyError, consistencyReason, attributeDeviation = 1 } = direction;
  const error = typeof consistencyError === 'number' ? ` (standard error ${figure(consistencyError)})` : '';
  const shared =
    consistency === null ? `unknown${because(consistencyReason)}` : `${figure(consistency)}${error}`;
  return [
    `direction from ${prior.subclasses.length} subclasses: consistency ${shared}; one deviation is strength ${figure(attributeDeviation)}`,
    `positions along it, mixed, near normal: ${report?.nearNormal ?? 'not known'}`,
    ...reasons(report === null ? mixingReason : report.statements?.nearNormal.because),
  ];
}

/** The parts of a reason, one a line. */
function reasons(reason: string | null | undefined): string[] {
  return reason?.split('; ').map((part) => `  ${part}`) ?? [];
}

function because(reason: string | null | undefined): string {
  return typeof reason === 'string' ? `, ${reason}` : '';
}
