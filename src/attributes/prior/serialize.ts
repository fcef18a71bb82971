import { complaint, FormatError } from '../../core/errors';
import { toFloat64 } from '../../core/numbers';
import { Matrix } from '../../linalg';
import { covarianceFromJSON, type SerializedCovariance } from '../../statistics/covariance';
import type { SubclassName } from '../labeled';
import type { PriorBlock } from './blocks';
import type { NoveltyCalibration } from './calibrate';
import type { SubclassStatistics } from './novelty';

const FORMAT = 'tfjs-flows/prior';
const VERSION = 2;

/** What makes up a prior. */
export interface PriorParts {
  readonly mean: Float64Array;
  readonly blocks: readonly PriorBlock[];
  readonly withinWeight: number;
  readonly subclasses: readonly SubclassStatistics[];
  readonly inflate: boolean;
  readonly calibration: NoveltyCalibration | 'known' | null;
  readonly notes: readonly string[];
}

/** A prior as plain JSON. */
export interface SerializedPrior {
  format: string;
  version: number;
  [field: string]: unknown;
}

interface SavedPrior {
  mean: number[];
  withinWeight: number;
  inflate: boolean;
  calibration: NoveltyCalibration | 'known' | null;
  notes: string[];
  subclasses: { subclass: SubclassName; count: number; mean: number[] }[];
  blocks: { within: SerializedCovariance; base: number; ratios: number[]; directions?: number[] }[];
}

export function serializePrior(prior: PriorParts): SerializedPrior {
  return {
    format: FORMAT,
    version: VERSION,
    mean: Array.from(prior.mean),
    withinWeight: prior.withinWeight,
    inflate: prior.inflate,
    calibration: prior.calibration,
    notes: [...prior.notes],
    subclasses: prior.subclasses.map((entry) => ({ ...entry, mean: Array.from(entry.mean) })),
    blocks: prior.blocks.map(({ within, between }) => ({
      within: within.toJSON(),
      base: between.base,
      ratios: Array.from(between.ratios),
      directions: between.directions && Array.from(between.directions.data),
    })),
  };
}

/** Version 1 had other names, and took T and W for known. */
function fromVersion1({ general, degreesOfFreedom, classes, ...rest }: SerializedPrior): SavedPrior {
  return {
    ...rest,
    mean: general,
    withinWeight: degreesOfFreedom,
    subclasses: classes,
    calibration: 'known',
    notes: [],
  } as unknown as SavedPrior;
}

/** @throws FormatError unless the JSON is a prior of a version that this library reads */
export function readPrior(json: SerializedPrior): PriorParts {
  if (json?.format !== FORMAT || (json.version !== VERSION && json.version !== 1)) {
    const received = `${json?.format} version ${json?.version}`;
    throw new FormatError(complaint('Prior.fromJSON', `${FORMAT}, at most version ${VERSION}`, received));
  }
  const saved = json.version === 1 ? fromVersion1(json) : (json as unknown as SavedPrior);
  const numbers = (what: string, values: number[]) => toFloat64('Prior.fromJSON', what, values);
  return {
    mean: numbers('mean', saved.mean),
    withinWeight: saved.withinWeight,
    inflate: saved.inflate,
    calibration: saved.calibration,
    notes: saved.notes,
    subclasses: saved.subclasses.map((entry) => ({ ...entry, mean: numbers('mean', entry.mean) })),
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
