import * as tf from '@tensorflow/tfjs-core';
import {
  encodeLatents,
  fitPrior,
  type Glow,
  type Labeled,
  learnAttribute,
  Matrix,
  type Prior,
  zDelta,
} from 'tfjs-flows';
import type { AttributeFile, StatisticsFile } from '../src/modelFiles';
import { type Attribute, type LabelledPictures, split, tensorOf } from './dataset';

/** Factors of the prior's covariances: few, as the file is to stay small. */
const RANK = 12;

/** Latents of some images of a data set. */
interface EncodedRows {
  z: Matrix;
  /** Row of the data set that every latent came from. */
  rows: Int32Array;
  subclass: number[];
}

/** What `statistics.json` tells of a flow: direction and prior from the images it was trained on, near-normality from held-out ones. */
export async function learnStatistics(data: LabelledPictures, glow: Glow): Promise<StatisticsFile> {
  const { training, held } = split(data);
  const known = await encoded(data, glow, training);
  const unseen = await encoded(data, glow, held);
  const prior = fitPrior(known, { covariance: 'lowRank', rank: RANK, layout: glow.latentLayout });
  const heldImages = tensorOf(data, held);
  const heldOutBitsPerDim = tf.tidy(() => tf.mean(glow.bitsPerDim(heldImages, { seed: 1 })).dataSync()[0]);
  heldImages.dispose();
  return {
    title: data.title,
    source: data.source,
    subclasses: data.subclasses,
    novel: data.novel,
    attributes: data.attributes.map((attribute) => describeAttribute(attribute, known, unseen, prior)),
    prior: JSON.parse(JSON.stringify(prior), (_, value) =>
      typeof value === 'number' ? round(value) : value,
    ),
    heldOutBitsPerDim,
  };
}

async function encoded(data: LabelledPictures, glow: Glow, rows: Int32Array): Promise<EncodedRows> {
  const images = tensorOf(data, rows);
  const z = await encodeLatents(glow, images);
  images.dispose();
  return { z, rows, subclass: Array.from(rows, (row) => data.subclass[row]) };
}

function describeAttribute(
  { name, mode, value }: Attribute,
  known: EncodedRows,
  unseen: Labeled,
  prior: Prior,
): AttributeFile {
  // Some images say nothing about an attribute.
  const told = Array.from(known.rows.keys()).filter((i) => value(known.rows[i]) !== undefined);
  const learnedFrom = {
    z: Matrix.fromRows(told.map((i) => known.z.row(i))),
    subclass: told.map((i) => known.subclass[i]),
    attributes: told.map((i) => value(known.rows[i]) as number),
  };
  const { direction, mixing } = learnAttribute(unseen, { direction: zDelta(learnedFrom, { mode }), prior });
  const unit = mode === 'slope' ? direction.attributeDeviation : 1;
  return {
    name,
    unit: mode === 'slope' ? 'deviation' : 'with',
    delta: Array.from(direction.delta, (shift) => round(shift * unit)),
    consistency: direction.consistency,
    consistencyError: direction.consistencyError,
    consistencyReason: direction.consistencyReason,
    nearNormal: mixing?.nearNormal ?? 'undecided',
  };
}

function round(value: number): number {
  return Number(value.toPrecision(5));
}
