import { complaint, DataError } from '../../core/errors';
import { largest } from '../../core/lists';
import { toFloat64 } from '../../core/numbers';
import { sizeOf } from '../../core/shapes';
import { decodeText, type NdArray } from '../../data';
import type { ImageDataset } from './imageDataset';
import { quoted } from './nameParts';

/** More classes than this have an image each, or they are no class numbers. */
const MOST_CLASSES = 2 ** 16;

/** Classes by their place, and what is to be told of them. */
export interface ImageClasses {
  labels: NonNullable<ImageDataset['labels']>;
  notices: string[];
}

/** Whether an array holds one number per image, [n] or [n, 1]. */
export function isPerImage({ shape }: NdArray, count: number): boolean {
  return shape.length > 0 && shape[0] === count && sizeOf(shape) === count;
}

/**
 * Classes of images from class numbers 0, 1, ..., or from text.
 *
 * @param source where the labels stand, for messages
 * @throws DataError for values that are no class numbers, with the image
 */
export function readClasses(source: string, array: NdArray, count: number): ImageClasses {
  const texts = textOf(array);
  if (texts !== undefined) return { labels: classesOf(texts), notices: [] };
  const values = classNumbers(source, array, count);
  const classes = Array.from({ length: largest(values, -1) + 1 }, (_, i) => String(i));
  const present = new Set(values);
  const empty = classes.filter((_, place) => !present.has(place));
  const notices =
    empty.length === 0
      ? []
      : [`${empty.length} of ${classes.length} classes have no image: ${quoted(empty)}.`];
  return { labels: { classes, values }, notices };
}

/** The class of every image by what is said of it, the different ones in order. */
export function classesOf(
  texts: readonly string[],
  order?: (a: string, b: string) => number,
): ImageClasses['labels'] {
  const classes = [...new Set(texts)].sort(order);
  const places = new Map(classes.map((text, place) => [text, place]));
  return { classes, values: Int32Array.from(texts, (text) => places.get(text)!) };
}

function classNumbers(source: string, { data }: NdArray, count: number): Int32Array {
  const values = toFloat64('openImages', 'labels', data);
  const most = Math.max(MOST_CLASSES, count);
  const bad = values.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value < most));
  if (bad >= 0) {
    const expected = `class numbers 0, 1, ... as the labels of ${source}`;
    const hint = `Number the classes from 0 to at most ${most - 1}, or leave the labels out.`;
    throw new DataError(complaint('openImages', expected, `${values[bad]} for image ${bad}`, hint));
  }
  return Int32Array.from(values);
}

/** Whether an array says a class of every image, by number or in words. */
export function saysClasses(array: NdArray, count: number): boolean {
  return isPerImage(array, count) || textOf(array) !== undefined;
}

/** Words, where numbers are the letters of some: padding behind, and nothing below a space. */
function textOf({ shape, data }: NdArray): string[] | undefined {
  const [count, width] = shape;
  // Text of |S1 would look like numbers of a byte.
  const isOfLetters = data instanceof Uint32Array || (data instanceof Uint8Array && width > 1);
  if (shape.length !== 2 || !isOfLetters || count === 0) return undefined;
  for (let i = 0; i < data.length; i++) {
    if (data[i] < SPACE && (data[i] !== 0 || i % width === 0)) return undefined;
  }
  return decodeText({ shape, data });
}

const SPACE = 32;
