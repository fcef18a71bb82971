import { join } from 'node:path';
import {
  type AttributeDirection,
  fitPrior,
  type LearnableRange,
  mixedNormality,
  type NearNormality,
  type Posterior,
  type Prior,
  transferDelta,
} from '../../attributes';
import { DataError, NotLearnableError } from '../../core/errors';
import { decodeLatents, encodeLatents, type Glow } from '../../flows';
import { Matrix } from '../../linalg';
import { writeGrid } from '../pictures';
import type { StudyConfig } from './config';
import { fileNameOf, type StudyDirection, type StudyLatents, unitOf } from './directions';
import { eventsAt, type StudyImages } from './images';
import { scaleOf } from './pictures';

/** A direction carried to a class of which few images are known. */
export interface Carried {
  attribute: string;
  verdict: string;
  /** Strength that each image was moved by, in steps of the direction; 0 where every move was refused. */
  strengths: number[];
}

/** What is known of a class of few images. */
export interface FewReport {
  name: string;
  count: number;
  /** How much more it scatters than the prior expects, and how far out it lies; both 1 where it looks like the others. */
  inflation: Posterior['inflation'];
  carried: Carried[];
  /** Its images, and beside each what `carried` moved it to. */
  picture: string;
}

/** Meets every class of few images with a prior of the others' held-out images, and carries the directions over. */
export async function meetFew(
  glow: Glow,
  images: StudyImages,
  latents: StudyLatents,
  directions: readonly StudyDirection[],
  config: StudyConfig,
): Promise<{ reports: FewReport[]; refusal: string | null }> {
  if (images.few.length === 0) return { reports: [], refusal: null };
  const subclass = images.held.map((row) => images.labels[row]);
  let prior: Prior;
  try {
    // Latents of training images are normal by construction; only held-out ones tell how wide a class is.
    prior = fitPrior({ z: latents.held, subclass }, { layout: glow.latentLayout });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { reports: [], refusal: error.message };
  }
  const within = directions.flatMap(({ attribute, direction, found }) =>
    direction === null || attribute.kind === 'class' || !found
      ? []
      : [{ attribute, direction, mixing: mixingAlong(direction, latents.held, subclass) }],
  );
  const reports: FewReport[] = [];
  for (const { name, rows } of images.few) {
    const z = await encodeLatents(glow, eventsAt(images, rows));
    const posterior = prior.posterior(z);
    const moved = within.map(({ attribute, direction, mixing }) => {
      const { verdict, strengths } = carry(direction, posterior, mixing);
      const unit = unitOf(attribute, direction);
      return {
        carried: { attribute: attribute.name, verdict, strengths: strengths.map((value) => value / unit) },
        z: movedBy(z, direction, strengths),
      };
    });
    const picture = `few/${fileNameOf({ kind: 'few', name })}.png`;
    const columns = [z, ...moved.map((entry) => entry.z)];
    const side = Matrix.fromRows(
      Array.from({ length: z.rows }, (_, i) => columns.map((column) => column.row(i))).flat(),
    );
    const pictures = await decodeLatents(glow, side);
    const layout = { nBits: glow.nBits, columns: columns.length, scale: scaleOf(pictures.shape) };
    await writeGrid(join(config.output, picture), pictures, layout);
    reports.push({
      name,
      count: rows.length,
      inflation: posterior.inflation,
      carried: moved.map((entry) => entry.carried),
      picture,
    });
  }
  return { reports, refusal: null };
}

/** Whether positions along the direction, mixed over classes, are near normal, as far as the held-out images tell. */
function mixingAlong(direction: AttributeDirection, z: Matrix, subclass: Int32Array): NearNormality {
  const sizes = [...new Set(subclass)].map((label) => subclass.filter((other) => other === label).length);
  // Mixtures of many small classes where a single one is too small.
  const fewest = Math.ceil(Math.max(8, sizes.length) / Math.min(...sizes));
  const between = Math.ceil((fewest + sizes.length) / 2);
  const counts = [...new Set([fewest, between, sizes.length])].filter((count) => count <= sizes.length);
  try {
    return mixedNormality({ z, subclass }, { along: direction, counts, seed: 1 });
  } catch (error) {
    // Too few classes or images to say anything.
    if (error instanceof Error && ['DataError', 'ConfigError'].includes(error.name)) {
      return { nearNormal: 'undecided', along: direction.delta };
    }
    throw error;
  }
}

/** Strengths that the images of a class may be moved by, and what stands behind them. */
function carry(
  direction: AttributeDirection,
  posterior: Posterior,
  mixing: NearNormality,
): { verdict: string; strengths: number[] } {
  const strengths: number[] = [];
  let range: LearnableRange | null = null;
  let refused = 'nothing is learnable';
  for (let i = 0; i < posterior.samples.rows; i++) {
    try {
      const transferred = transferDelta(direction, posterior, { z: posterior.samples.row(i), mixing });
      range = transferred.range;
      strengths.push(transferred.strength);
    } catch (error) {
      if (!(error instanceof NotLearnableError)) throw error;
      refused = error.message;
      strengths.push(0);
    }
  }
  if (range === null) return { verdict: `refused: ${refused}`, strengths };
  const verdict =
    range.refusal === null
      ? 'granted: the other classes vouch for it, as far as the prior reaches'
      : `only as far as its own images differ: ${range.refusal}`;
  return { verdict, strengths };
}

/** Every row moved by its own strength. */
function movedBy(z: Matrix, { delta }: AttributeDirection, strengths: readonly number[]): Matrix {
  return Matrix.fromRows(
    strengths.map((strength, i) => z.row(i).map((value, j) => value + strength * delta[j])),
  );
}
