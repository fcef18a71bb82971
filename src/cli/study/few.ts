import { join } from 'node:path';
import {
  fitPrior,
  learnAttribute,
  type MetSubclass,
  meetSubclass,
  type Posterior,
  type Prior,
} from '../../attributes';
import { DataError } from '../../core/errors';
import { decodeLatents, encodeLatents, type Glow } from '../../flows';
import { Matrix } from '../../linalg';
import { fileNames } from '../fileNames';
import { writeGrid } from '../pictures';
import type { StudyConfig } from './config';
import { type StudyDirection, type StudyLatents, unitOf } from './directions';
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
  const held = { z: latents.held, subclass: images.held.map((row) => images.labels[row]) };
  let prior: Prior;
  try {
    // Latents of training images are normal by construction; only held-out ones tell how wide a class is.
    prior = fitPrior(held, { layout: glow.latentLayout });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { reports: [], refusal: error.message };
  }
  const within = directions.flatMap(({ attribute, direction, found }) =>
    direction === null || attribute.kind === 'class' || !found
      ? []
      : [{ attribute, learned: learnAttribute(held, { direction, prior, seed: 1 }) }],
  );
  const reports: FewReport[] = [];
  const files = fileNames(images.few.map(({ name }) => name));
  for (const [place, { name, rows }] of images.few.entries()) {
    const z = await encodeLatents(glow, eventsAt(images, rows));
    const moved = await Promise.all(
      within.map(async ({ attribute, learned }) => {
        const met = await meetSubclass(learned, z);
        const unit = unitOf(attribute, met.direction);
        const strengths = met.transfers.map((step) => (step?.strength ?? 0) / unit);
        return { carried: { attribute: attribute.name, verdict: verdictOn(met), strengths }, z: met.moved };
      }),
    );
    const picture = `few/${files[place]}.png`;
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
      inflation: prior.posterior(z).inflation,
      carried: moved.map((entry) => entry.carried),
      picture,
    });
  }
  return { reports, refusal: null };
}

/** What stands behind the strengths that the images of a class may be moved by. */
function verdictOn({ transfers, refusal }: MetSubclass): string {
  if (transfers.every((step) => step === null))
    return `refused: ${refusal ?? 'nothing above 0 is learnable'}`;
  return refusal === null
    ? 'granted: the other classes vouch for it, as far as the prior reaches'
    : `only as far as its own images differ: ${refusal}`;
}
