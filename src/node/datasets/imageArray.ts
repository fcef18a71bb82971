import { complaint, DataError } from '../../core/errors';
import { type Shape, sizeOf } from '../../core/shapes';
import type { NdArray, NumericData, Raster } from '../../data';
import { isZeroAndOne } from '../../data/levels';
import { readClasses, saysClasses } from './imageClasses';
import { fitImage, type ImageDataset, type ImageOptions } from './imageDataset';

/** An array with the name of its member or file. */
export interface NamedArray {
  name: string;
  array: NdArray;
}

/** What was found in files of arrays. */
export interface FoundArrays {
  images: NamedArray;
  labels?: NamedArray;
  /** Whether labels were asked for by name: what is none is an error then. */
  labelsAreNamed?: boolean;
  /** What was chosen, in sentences. */
  notices: readonly string[];
}

/** Whether an array can be images, [n, h, w] or [n, h, w, c]. */
export function isImages({ shape }: NdArray): boolean {
  const [, , , channels = 1] = shape;
  return (shape.length === 3 || shape.length === 4) && [1, 3, 4].includes(channels);
}

/**
 * A data set of arrays: its images get a black border where they are smaller than wanted.
 *
 * @throws DataError for other shapes, levels or labels
 */
export function openArray(path: string, found: FoundArrays, options: ImageOptions): ImageDataset {
  const { name, array } = found.images;
  const { shape, data } = array;
  if (!isImages(array)) {
    const expected = `[n, h, w] or [n, h, w, c] in '${name}' of '${path}'`;
    throw new DataError(
      complaint('openImages', expected, shape, 'Another array: arrays: { images, labels }.'),
    );
  }
  const [count, ...imageShape] = shape;
  const factor = factorOf(name, data);
  const { labels, notices } = openLabels(path, found, count);
  const ofLabels =
    labels === undefined ? '' : `, ${labels.classes.length} classes of '${found.labels?.name}'`;
  return {
    names: Array.from({ length: count }, (_, i) => String(i)),
    shape: options.imageShape,
    notices: [
      ...found.notices,
      `${count} images of '${name}'${ofLabels}.`,
      ...(factor === 1 ? [] : [`'${name}' holds only 0 and 1: they are read as levels 0 and ${factor}.`]),
      ...notices,
    ],
    read: async (index) =>
      fitImage(bordered(pictureAt(found.images, imageShape, index, factor), options), options),
    ...(labels !== undefined && { labels }),
  };
}

/** By what values are multiplied to become levels: 0 and 1 alone, as booleans are read too, are black and white. */
function factorOf(name: string, data: NumericData): number {
  if (isZeroAndOne(data)) return WHITE;
  if (!data.every((value) => value >= 0 && value <= 1) || data.every(Number.isInteger)) return 1;
  const expected = `levels 0 .. ${WHITE} in '${name}'`;
  const hint = `Multiply by ${WHITE} and round.`;
  throw new DataError(complaint('openImages', expected, 'values in [0, 1]', hint));
}

const WHITE = 255;

function openLabels(
  path: string,
  { labels, labelsAreNamed = false }: FoundArrays,
  count: number,
): { labels?: ImageDataset['labels']; notices: readonly string[] } {
  if (labels === undefined) return { notices: [] };
  const { name, array } = labels;
  if (saysClasses(array, count)) return readClasses(`'${path}' ('${name}')`, array, count);
  if (labelsAreNamed || array.shape[0] !== count) {
    throw new DataError(complaint('openImages', `${count} labels in '${name}' of '${path}'`, array.shape));
  }
  const shape = array.shape.join(', ');
  return { notices: [`'${name}' is left out: labels are one class per image, [n], not [${shape}].`] };
}

function pictureAt({ name, array }: NamedArray, shape: Shape, index: number, factor: number): Raster {
  const [height, width, channels = 1] = shape;
  const size = sizeOf(shape);
  const data = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const level = array.data[index * size + i] * factor;
    if (!(Number.isInteger(level) && level >= 0 && level <= WHITE)) {
      throw new DataError(
        complaint('openImages', `levels 0 .. ${WHITE} in image ${index} of '${name}'`, level),
      );
    }
    data[i] = level;
  }
  return { width, height, channels, data };
}

/** Black around a picture that is smaller than wanted (28 x 28 for a Glow of 32 x 32): arrays are not stretched. */
function bordered(picture: Raster, { imageShape: [height, width] }: ImageOptions): Raster {
  if (picture.width >= width || picture.height >= height) return picture;
  const { channels } = picture;
  const data = new Uint8Array(width * height * channels);
  const left = Math.floor((width - picture.width) / 2);
  const top = Math.floor((height - picture.height) / 2);
  for (let row = 0; row < picture.height; row++) {
    const from = row * picture.width * channels;
    data.set(
      picture.data.subarray(from, from + picture.width * channels),
      ((top + row) * width + left) * channels,
    );
  }
  return { width, height, channels, data };
}
