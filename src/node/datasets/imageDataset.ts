import { ConfigError, complaint, DataError } from '../../core/errors';
import { named } from '../../core/numbers';
import { checkInteger, type Shape } from '../../core/shapes';
import { centerCrop, convertChannels, type Raster, type ReadTableOptions, resizeRaster } from '../../data';
import type { DatasetSplit } from './nameParts';

/** Images on a disk, one at a time. */
export interface ImageDataset {
  /** Name of each image: its file, or its number in an array. */
  names: readonly string[];
  /** [h, w, c] */
  shape: Shape;
  /** Class of each image, and the classes' names, where there are classes. */
  labels?: { classes: readonly string[]; values: Int32Array };
  /** Attributes of each image, 1 or -1, [n, names.length], where there is a table of them. */
  attributes?: { names: readonly string[]; values: Int8Array };
  /** Real-valued attributes of each image, [n, names.length], where a table has numbers. */
  measurements?: { names: readonly string[]; values: Float64Array };
  /** What was chosen, and what was left out, in sentences. */
  notices: readonly string[];
  /** Levels 0 .. 255 of one image, [h, w, c]; throws a DataError or FormatError that names it. */
  read(index: number): Promise<Uint8Array>;
}

/** Which columns of a table are read, and as what; what `readTable` knows too means the same here. */
export interface ImageTableOptions extends ReadTableOptions {
  /** Column of the image files. Default: the first one. */
  fileColumn?: string;
  /** Column of the classes. Default: the one named 'class', if there is one. */
  classColumn?: string;
  /** Columns to read as attributes and measurements. Default: all others. */
  columns?: readonly string[];
  /** Folder that the paths of `openImages` count from. Default: the folder of the table. */
  folder?: string;
}

/** Names of arrays in an archive. */
export interface ImageArrayNames {
  /** Array of the images, [n, h, w] or [n, h, w, c]. */
  images: string;
  /** Array of the classes, [n]. Default: none. */
  labels?: string;
}

/** How images become events of one shape. */
export interface ImageOptions {
  /** [h, w, c] of the images to give, c 1 or 3. */
  imageShape: Shape;
  /** Side of the square that is cut from the middle first, in pixels. Default: the largest part of the wanted proportions. */
  centerCrop?: number;
  /** Part of a data set that holds several, for 'npz' and 'idx': 'train', 'test' or 'validation'. Default: 'train' where there is one. */
  split?: DatasetSplit;
  /** Names of the arrays of images and labels, for 'npz'. Default: by their names, or the only array that can be images. */
  arrays?: ImageArrayNames;
  /** Threads that read and decode files while the main one does other things; 0 for none. Default: one per core, at most 4. */
  threads?: number;
  /** Columns of the table, for 'csv'. Default: the file first, then attributes. */
  table?: ImageTableOptions;
}

/** Throws a DataError unless `openImages` has opened the data set, and is awaited. */
export function checkDataset(where: string, dataset: ImageDataset): void {
  if (typeof dataset?.read === 'function' && Array.isArray(dataset.shape)) return;
  const [received, hint] = named(dataset);
  throw new DataError(
    complaint(
      where,
      'a data set that openImages opened',
      received,
      (dataset as unknown) instanceof Promise ? hint : '',
    ),
  );
}

/** Images have 8 bits, of which some or all are wanted. */
export function checkLevelBits(where: string, nBits: number): void {
  checkInteger(where, 'nBits', nBits);
  if (nBits > 8) throw new ConfigError(complaint(where, 'nBits from 1 to 8', nBits));
}

/** Cut, size and channels as wanted. */
export function fitImage(
  picture: Raster,
  { imageShape, centerCrop: side }: Pick<ImageOptions, 'imageShape' | 'centerCrop'>,
): Uint8Array {
  const [height, width, channels] = imageShape;
  const factor = Math.min(picture.width / width, picture.height / height);
  const [cutWidth, cutHeight] =
    side === undefined
      ? [Math.max(1, Math.round(width * factor)), Math.max(1, Math.round(height * factor))]
      : [side, side];
  const cut = centerCrop(convertChannels(picture, channels), cutWidth, cutHeight);
  return resizeRaster(cut, width, height).data;
}
