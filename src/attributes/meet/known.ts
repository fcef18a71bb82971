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
  const { consistency, consistencyError, consistencyReason, attributeDeviation = 1 } = direction;
  const error = typeof consistencyError === 'number' ? ` (standard error ${figure(consistencyError)})` : '';
  const shared =
    consistency === null ? `unknown${because(consistencyReason)}` : `${figure(consistency)}${error}`;
  return [
    `direction from ${prior.subclasses.length} subclasses: consistency ${shared}; one deviation is strength ${figure(attributeDeviation)}`,
    `positions along it, mixed, near normal: ${nearNormality(mixing, mixingReason)}`,
  ];
}

function nearNormality(
  mixing: (NearNormality & { statements?: MixingStatements }) | null,
  reason: string | null | undefined,
): string {
  if (mixing === null) return `not known${because(reason)}`;
  return `${mixing.nearNormal}${because(mixing.statements?.nearNormal.because)}`;
}

function because(reason: string | null | undefined): string {
  return typeof reason === 'string' ? `, ${reason}` : '';
}
