import { complaint, FormatError } from '../../core/errors';
import { toFloat64 } from '../../core/numbers';
import { Matrix } from '../../linalg';
import { type Covariance, covarianceFromJSON, type SerializedCovariance } from '../../statistics/covariance';
import type { SubclassName } from '../labeled';
import type { BetweenRatios } from './between';

const FORMAT = 'tfjs-flows/prior';
const VERSION = 1;

/** What the prior remembers of one subclass it was fitted on. */
export interface ClassStatistics {
  subclass: SubclassName;
  /** Number of samples. */
  count: number;
  /** Their mean, [d]. */
  mean: Float64Array;
}

/** Neighbouring coordinates that share one pair of covariances. */
export interface PriorBlock {
  within: Covariance;
  between: BetweenRatios;
}

/** What makes up a prior. */
export interface PriorParts {
  readonly general: Float64Array;
  readonly blocks: readonly PriorBlock[];
  readonly degreesOfFreedom: number;
  readonly classes: readonly ClassStatistics[];
  readonly inflate: boolean;
}

/** A prior as plain JSON. */
export interface SerializedPrior {
  format: string;
  version: number;
  [field: string]: unknown;
}

interface SavedPrior {
  general: number[];
  degreesOfFreedom: number;
  inflate: boolean;
  classes: { subclass: SubclassName; count: number; mean: number[] }[];
  blocks: { within: SerializedCovariance; base: number; ratios: number[]; directions?: number[] }[];
}

export function serializePrior(prior: PriorParts): SerializedPrior {
  return {
    format: FORMAT,
    version: VERSION,
    general: Array.from(prior.general),
    degreesOfFreedom: prior.degreesOfFreedom,
    inflate: prior.inflate,
    classes: prior.classes.map((entry) => ({ ...entry, mean: Array.from(entry.mean) })),
    blocks: prior.blocks.map(({ within, between }) => ({
      within: within.toJSON(),
      base: between.base,
      ratios: Array.from(between.ratios),
      directions: between.directions && Array.from(between.directions.data),
    })),
  };
}

/** @throws FormatError unless the JSON is a prior of a version that this library reads */
export function readPrior(json: SerializedPrior): PriorParts {
  if (json?.format !== FORMAT || json.version !== VERSION) {
    throw new FormatError(
      complaint('Prior.fromJSON', `${FORMAT} version ${VERSION}`, `${json?.format} version ${json?.version}`),
    );
  }
  const saved = json as unknown as SavedPrior;
  const numbers = (what: string, values: number[]) => toFloat64('Prior.fromJSON', what, values);
  return {
    general: numbers('general', saved.general),
    degreesOfFreedom: saved.degreesOfFreedom,
    inflate: saved.inflate,
    classes: saved.classes.map((entry) => ({ ...entry, mean: numbers('mean', entry.mean) })),
    blocks: saved.blocks.map(({ within, base, ratios, directions }) => {
      const covariance = covarianceFromJSON(within);
      return {
        within: covariance,
        between: {
          base,
          ratios: numbers('ratios', ratios),
          directions:
            directions && new Matrix(numbers('directions', directions), ratios.length, covariance.dimension),
        },
      };
    }),
  };
}
