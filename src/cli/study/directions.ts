import { join } from 'node:path';
import { type AttributeDirection, manipulate, zDelta } from '../../attributes';
import { DataError } from '../../core/errors';
import { decodeLatents, encodeLatents, type Glow } from '../../flows';
import { Matrix } from '../../linalg';
import { strengthOf } from '../attributes/report';
import { writeGrid } from '../pictures';
import type { StudyConfig } from './config';
import { eventsAt, type StudyAttribute, type StudyImages } from './images';
import { scaleOf } from './pictures';

/** Latents of a study's images. */
export interface StudyLatents {
  training: Matrix;
  held: Matrix;
}

/** A direction that was learned on the training images and checked on the others. */
export interface StudyDirection {
  attribute: StudyAttribute;
  direction: AttributeDirection | null;
  /** Why there is no direction. */
  reason: string | null;
  /** Mean square of z_delta over its standard error; 1 where there is nothing. */
  signal: number | null;
  /** Share of held-out pairs that the direction puts in order; chance is 0.5. */
  order: { share: number; pairs: number };
  /** Whether held-out images show it, at least partly. */
  found: boolean;
  verdict: string;
  /** File of its picture. */
  picture: string | null;
}

/** Pairs below which their share says nothing. */
const FEWEST_PAIRS = 20;

export async function encodeStudy(glow: Glow, images: StudyImages): Promise<StudyLatents> {
  return {
    training: await encodeLatents(glow, eventsAt(images, images.training)),
    held: await encodeLatents(glow, eventsAt(images, images.held)),
  };
}

/** The directions of all attributes, each with a picture of held-out images moved along it. */
export async function findDirections(
  glow: Glow,
  images: StudyImages,
  latents: StudyLatents,
  config: StudyConfig,
): Promise<StudyDirection[]> {
  const directions: StudyDirection[] = [];
  for (const attribute of images.attributes) {
    const learned = learn(attribute, images, latents.training);
    if (typeof learned === 'string') {
      const order = { share: 0.5, pairs: 0 };
      const nothing = { direction: null, signal: null, order, found: false, picture: null };
      directions.push({ attribute, reason: learned, verdict: 'no direction', ...nothing });
      continue;
    }
    const order = heldOutOrder(attribute, learned, images, latents.held);
    const picture = `directions/${fileNameOf(attribute)}.png`;
    await drawSweep(glow, learned, attribute, latents.held, config, join(config.output, picture));
    const { signal } = strengthOf(learned);
    directions.push({
      attribute,
      direction: learned,
      reason: null,
      signal,
      order,
      ...judge(order),
      picture,
    });
  }
  return directions;
}

/** One step along a direction: from without to with, or two deviations of a number within its class. */
export function unitOf({ kind }: StudyAttribute, { attributeDeviation }: AttributeDirection): number {
  return kind === 'number' ? 2 * attributeDeviation : 1;
}

export function fileNameOf({ kind, name }: { kind: string; name: string }): string {
  return `${kind === 'class' ? 'class-' : ''}${name.replace(/[^\w-]/g, '_')}`;
}

/** The direction, or why there is none. */
function learn(
  { kind, values }: StudyAttribute,
  { training, labels }: StudyImages,
  z: Matrix,
): AttributeDirection | string {
  const labeled = {
    z,
    subclass: training.map((row) => labels[row]),
    attributes: Array.from(training, (row) => [values[row]]),
  };
  try {
    return zDelta(labeled, {
      mode: kind === 'number' ? 'slope' : 'binary',
      stratify: kind !== 'class',
    });
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
}

/** Over pairs of held-out images, of one class where the direction is one within classes: how many lie as the attribute says. */
function heldOutOrder(
  { kind, values }: StudyAttribute,
  { delta }: AttributeDirection,
  { held, labels }: StudyImages,
  z: Matrix,
): StudyDirection['order'] {
  const along = Float64Array.from(held, (_, i) =>
    z.row(i).reduce((sum, value, j) => sum + value * delta[j], 0),
  );
  let [pairs, ordered] = [0, 0];
  for (let i = 0; i < held.length; i++) {
    for (let j = 0; j < held.length; j++) {
      if (!(values[held[i]] > values[held[j]])) continue;
      if (kind !== 'class' && labels[held[i]] !== labels[held[j]]) continue;
      pairs++;
      if (along[i] > along[j]) ordered++;
    }
  }
  return { share: pairs === 0 ? 0.5 : ordered / pairs, pairs };
}

function judge({ share, pairs }: StudyDirection['order']): Pick<StudyDirection, 'found' | 'verdict'> {
  if (pairs < FEWEST_PAIRS) return { found: false, verdict: 'unknown: too few held-out images' };
  if (share >= 0.9) return { found: true, verdict: 'clear' };
  if (share >= 0.7) return { found: true, verdict: 'partly' };
  return { found: false, verdict: 'not found again in held-out images' };
}

/** Held-out images as rows, each moved by all strengths. */
async function drawSweep(
  glow: Glow,
  direction: AttributeDirection,
  attribute: StudyAttribute,
  held: Matrix,
  { report }: StudyConfig,
  path: string,
): Promise<void> {
  const count = Math.min(report.originals, held.rows);
  const originals = new Matrix(held.data.slice(0, count * held.cols), count, held.cols);
  const unit = unitOf(attribute, direction);
  const moved = manipulate(
    originals,
    direction,
    report.strengths.map((strength) => strength * unit),
  );
  const pictures = await decodeLatents(glow, moved.z);
  await writeGrid(path, pictures, {
    nBits: glow.nBits,
    columns: report.strengths.length,
    scale: scaleOf(pictures.shape),
  });
}
