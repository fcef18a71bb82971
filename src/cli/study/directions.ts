import { join } from 'node:path';
import {
  type AttributeDirection,
  directionSignal,
  type Labeled,
  manipulate,
  type OrderAlong,
  orderAlong,
  zDelta,
} from '../../attributes';
import { DataError } from '../../core/errors';
import { encodePng, imageGrid } from '../../data';
import { decodeLatents, encodeLatents, type Glow } from '../../flows';
import { Matrix } from '../../linalg';
import { writeFileAtomically } from '../../node/atomicFile';
import { fileNames } from '../fileNames';
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
  /** Whether the direction puts held-out images in order, within classes where it is one within classes. */
  order: OrderAlong | null;
  /** Whether held-out images show it, at least partly. */
  found: boolean;
  verdict: string;
  /** File of its picture. */
  picture: string | null;
  /** Strengths at which moved images have patches of black or white: beyond what the model has learned. */
  brokenStrengths: number[];
}

/** Largest probability at which chance could have put the held-out images in that order. */
const LEVEL = 0.05;
/** Share of values at the ends of the scale, beyond the image's own, from which on a moved image counts as broken. */
const BROKEN_SHARE = 0.1;

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
  const files = fileNames(
    images.attributes.map(({ kind, name }) => `${kind === 'class' ? 'class-' : ''}${name}`),
  );
  for (const [place, attribute] of images.attributes.entries()) {
    const learned = learn(attribute, images, latents.training);
    if (typeof learned === 'string') {
      const nothing = { direction: null, signal: null, order: null, found: false, picture: null };
      directions.push({
        attribute,
        reason: learned,
        verdict: 'no direction',
        brokenStrengths: [],
        ...nothing,
      });
      continue;
    }
    const order = orderAlong(labeledBy(attribute, images, images.held, latents.held), learned, {
      stratify: attribute.kind !== 'class',
    });
    const picture = `directions/${files[place]}.png`;
    const path = join(config.output, picture);
    const brokenStrengths = await drawSweep(glow, learned, attribute, latents.held, config, path);
    directions.push({
      attribute,
      direction: learned,
      reason: null,
      signal: directionSignal(learned),
      order,
      ...judge(order),
      picture,
      brokenStrengths,
    });
  }
  return directions;
}

/** One step along a direction: from without to with, or two deviations of a number within its class. */
export function unitOf({ kind }: StudyAttribute, { attributeDeviation }: AttributeDirection): number {
  return kind === 'number' ? 2 * attributeDeviation : 1;
}

/** The direction, or why there is none. */
function learn(attribute: StudyAttribute, images: StudyImages, z: Matrix): AttributeDirection | string {
  try {
    return zDelta(labeledBy(attribute, images, images.training, z), {
      mode: attribute.kind === 'number' ? 'slope' : 'binary',
      stratify: attribute.kind !== 'class',
    });
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
}

/** Latents of some rows with one attribute. */
function labeledBy(
  { values }: StudyAttribute,
  { labels }: StudyImages,
  rows: Int32Array,
  z: Matrix,
): Labeled {
  return {
    z,
    subclass: rows.map((row) => labels[row]),
    attributes: Float64Array.from(rows, (row) => values[row]),
  };
}

function judge({ share, pairs, p }: OrderAlong): Pick<StudyDirection, 'found' | 'verdict'> {
  if (share === null) return { found: false, verdict: 'unknown: no held-out images that differ in it' };
  if (p > LEVEL) return { found: false, verdict: `not found again in ${pairs} pairs of held-out images` };
  return { found: share >= 0.7, verdict: share >= 0.9 ? 'clear' : share >= 0.7 ? 'partly' : 'weak' };
}

/** Held-out images as rows, each moved by all strengths; returns the strengths at which images break. */
async function drawSweep(
  glow: Glow,
  direction: AttributeDirection,
  attribute: StudyAttribute,
  held: Matrix,
  { report }: StudyConfig,
  path: string,
): Promise<number[]> {
  const { strengths } = report;
  const count = Math.min(report.originals, held.rows);
  const originals = new Matrix(held.data.slice(0, count * held.cols), count, held.cols);
  const unit = unitOf(attribute, direction);
  // The images themselves come last, to compare with, and are not drawn.
  const all = [...strengths, 0].map((strength) => strength * unit);
  const decoded = await decodeLatents(glow, manipulate(originals, direction, all).z);
  const [, ...shape] = decoded.shape;
  const levels = await decoded.data();
  decoded.dispose();
  const size = levels.length / (count * all.length);
  const pictureOf = (row: number, step: number) => {
    const at = (row * all.length + step) * size;
    return levels.subarray(at, at + size) as Float32Array;
  };
  const drawn = new Float32Array(count * strengths.length * size);
  const broken = new Set<number>();
  for (let row = 0; row < count; row++) {
    const usual = extremeShare(pictureOf(row, strengths.length), glow.nBits);
    strengths.forEach((strength, step) => {
      drawn.set(pictureOf(row, step), (row * strengths.length + step) * size);
      if (extremeShare(pictureOf(row, step), glow.nBits) > usual + BROKEN_SHARE) broken.add(strength);
    });
  }
  const grid = { shape: [count * strengths.length, ...shape], data: drawn };
  const layout = { nBits: glow.nBits, columns: strengths.length, scale: scaleOf(grid.shape) };
  await writeFileAtomically(path, encodePng(imageGrid(grid, layout)));
  return strengths.filter((strength) => broken.has(strength));
}

/** Share of a picture's values at the lowest or highest level. */
function extremeShare(levels: Float32Array, nBits: number): number {
  const highest = 2 ** nBits - 1;
  return levels.reduce((sum, level) => sum + Number(level === 0 || level === highest), 0) / levels.length;
}
