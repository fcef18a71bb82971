import { fitPrior, type Glow, Matrix, mixedNormality, type SerializedPrior, zDelta } from 'tfjs-flows';
import type { AttributeFile } from '../src/modelFiles';
import type { Attribute, LabelledPictures } from './dataset';

/** Factors of the prior's covariances: few, as the file is to stay small. */
const RANK = 12;

/** Latents of some images of a data set. */
export interface EncodedRows {
  z: Matrix;
  /** Row of the data set that every latent came from. */
  rows: Int32Array;
}

/** The direction of an attribute from `known` latents, and from `held` ones whether its mixture is near normal. */
export function learnDirection(
  { subclass }: LabelledPictures,
  { name, mode, value }: Attribute,
  known: EncodedRows,
  held: EncodedRows,
): AttributeFile {
  const told = indicesWhere(known, (row) => value(row) !== undefined);
  const direction = zDelta(
    {
      z: Matrix.fromRows(told.map((i) => known.z.row(i))),
      subclass: told.map((i) => subclass[known.rows[i]]),
      attributes: told.map((i) => [value(known.rows[i]) as number]),
    },
    { mode },
  );
  const unit = mode === 'slope' ? direction.attributeDeviation : 1;
  const delta = direction.delta.map((shift) => shift * unit);
  const { nearNormal } = mixedNormality(
    { z: held.z, subclass: Array.from(held.rows, (row) => subclass[row]) },
    { along: direction },
  );
  return {
    name,
    unit: mode === 'slope' ? 'deviation' : 'with',
    delta: Array.from(delta, round),
    consistency: direction.consistency,
    consistencyError: direction.consistencyError,
    mixing: nearNormal,
  };
}

/** The prior over subclasses, rounded to five digits. */
export function learnPrior({ subclass }: LabelledPictures, known: EncodedRows, glow: Glow): SerializedPrior {
  const labels = Array.from(known.rows, (row) => subclass[row]);
  const prior = fitPrior(
    { z: known.z, subclass: labels },
    { covariance: 'lowRank', rank: RANK, layout: glow.latentLayout },
  );
  return JSON.parse(JSON.stringify(prior), (_, value) => (typeof value === 'number' ? round(value) : value));
}

function indicesWhere({ rows }: EncodedRows, test: (row: number) => boolean): number[] {
  return Array.from(rows.keys()).filter((i) => test(rows[i]));
}

function round(value: number): number {
  return Number(value.toPrecision(5));
}
