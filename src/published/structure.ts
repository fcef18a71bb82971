import { complaint, FormatError } from '../core/errors';
import { largest } from '../core/lists';
import type { GlowOptions } from '../flows';
import type { StoredTensors } from './storedTensor';

/** The options of a Glow that decide which weights it has. */
export type Structure = Required<
  Pick<
    GlowOptions,
    | 'imageShape'
    | 'levels'
    | 'stepsPerLevel'
    | 'hiddenChannels'
    | 'permutation'
    | 'lu'
    | 'coupling'
    | 'networkActnorm'
    | 'padding'
    | 'lastPadding'
    | 'learnTop'
    | 'classes'
  >
>;

/** What the shapes in a file say; some codes keep no trace of the images' size. */
export type InferredStructure = Omit<Structure, 'imageShape' | 'permutation'> & {
  /** Absent where the file does not tell: chaiyujin's reversals and shuffles look alike. */
  permutation?: Structure['permutation'];
  /** Channels of the images. */
  channels: number;
  /** Height and width of the images, where the file tells. */
  size?: [number, number];
};

/** Where a step's weights are, with the sizes that rules need. */
export interface StepPlace {
  level: number;
  step: number;
  /** Prefix of our weights. */
  ours: string;
  /** Channels after the squeeze. */
  channels: number;
  /** Output channels of the coupling network. */
  filters: number;
}

const ROOT = 'bijector/multiscale';

/** Channels inside a level. */
export function channelsOf({ imageShape }: Structure, level: number): number {
  return imageShape[2] * 4 * 2 ** level;
}

/** All steps in the order in which data meets them. */
export function stepsOf(structure: Structure): StepPlace[] {
  const { levels, stepsPerLevel, coupling } = structure;
  return Array.from({ length: levels * stepsPerLevel }, (_, i) => {
    const level = Math.floor(i / stepsPerLevel);
    const step = i % stepsPerLevel;
    const channels = channelsOf(structure, level);
    const filters = coupling === 'affine' ? channels : channels / 2;
    return { level, step, ours: `${ROOT}/level${level}/step${step}`, channels, filters };
  });
}

/** Prefixes of the splits' priors, one per level but the last, with the channels of their level. */
export function splitsOf(structure: Structure): { level: number; ours: string; channels: number }[] {
  return Array.from({ length: structure.levels - 1 }, (_, level) => ({
    level,
    ours: `${ROOT}/level${level}/split/network`,
    channels: channelsOf(structure, level),
  }));
}

/** Prefix of the top prior's weights. */
export function topPriorOf({ levels }: Structure): string {
  return `${ROOT}/level${levels - 1}/prior`;
}

/** Height and width of the top latents. */
export function topSizeOf({ imageShape, levels }: Structure): [number, number] {
  return [imageShape[0] / 2 ** levels, imageShape[1] / 2 ** levels];
}

/** Shape of the first tensor whose name fits; a FormatError where there is none. */
export function shapeOf(tensors: StoredTensors, pattern: RegExp): number[] {
  for (const [name, { shape }] of tensors) if (pattern.test(name)) return shape;
  const hint = 'The configuration is read from it. Is this a part of a checkpoint? Give all of it.';
  const expected = `a parameter named like '${nameLike(pattern)}'`;
  throw new FormatError(complaint('importCheckpoint', expected, `none among ${tensors.size}`, hint));
}

/** A name that fits a pattern, for people: any number is 0, of several parts the first stands. */
function nameLike({ source }: RegExp): string {
  return source
    .replaceAll('\\d+', '0')
    .replace(/\(([^|)]*)\|[^)]*\)/g, '$1')
    .replace(/\[(.)[^\]]*\]/g, '$1')
    .replace(/[\^$\\]/g, '')
    .replace(/^\./, '...');
}

/** Whether any name fits. */
export function hasName(tensors: StoredTensors, pattern: RegExp): boolean {
  return [...tensors.keys()].some((name) => pattern.test(name));
}

/**
 * One more than the largest number that the pattern captures in any name; 0 where none fits.
 *
 * @throws FormatError for a number that the file has not tensors enough for
 */
export function countOf(tensors: StoredTensors, pattern: RegExp): number {
  let count = 0;
  for (const name of tensors.keys()) {
    const number = pattern.exec(name)?.[1];
    if (number !== undefined && Number(number) >= tensors.size) {
      const received = `'${name.slice(0, 200)}'`;
      const expected = `layers that each have a tensor among ${tensors.size}`;
      throw new FormatError(complaint('importCheckpoint', expected, received));
    }
    if (number !== undefined) count = Math.max(count, Number(number) + 1);
  }
  return count;
}

/** Halvings of an image: one of 2^16 pixels a side has 16. */
const MOST_LEVELS = 16;
/** Values of an image. */
const LARGEST_IMAGE = 2 ** 26;

/**
 * Throws a FormatError for sizes that no Glow has: not whole, none at all, or more than its file can hold.
 */
export function checkInferred(structure: InferredStructure, tensors: StoredTensors): void {
  const { channels, levels, stepsPerLevel, hiddenChannels, size = [1, 1] } = structure;
  const whole = [channels, levels, stepsPerLevel, hiddenChannels, ...size].every(
    (count) => Number.isSafeInteger(count) && count > 0,
  );
  const held = levels <= MOST_LEVELS && levels * stepsPerLevel <= tensors.size;
  if (whole && held && channels * size[0] * size[1] <= LARGEST_IMAGE) return;
  const received =
    `${channels} channels of [${size.join(', ')}], ${levels} levels, ` +
    `${stepsPerLevel} steps, ${hiddenChannels} hidden channels`;
  const expected = `sizes of a Glow in its ${tensors.size} tensors`;
  throw new FormatError(complaint('importCheckpoint', expected, received, 'The file is damaged.'));
}

/** Length of the longest axis: codes write a vector of c channels as [c], [1, c, 1, 1] or [1, 1, 1, c]. */
export function longest(shape: readonly number[]): number {
  return largest(shape, 1);
}
