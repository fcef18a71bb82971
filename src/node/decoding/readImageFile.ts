import { DataError } from '../../core/errors';
import type { Shape } from '../../core/shapes';
import { readBytes } from '../datasets/files';
import { fitImage } from '../datasets/imageDataset';
import { decodeImage } from './decodeImage';

/** A file that is wanted as an image of one shape. */
export interface ImageTask {
  path: string;
  /** [h, w, c] */
  imageShape: Shape;
  centerCrop?: number;
}

/** Levels of a file's picture, cut and resized; a DataError that names the file where it cannot be read. */
export async function readImageFile({ path, ...options }: ImageTask): Promise<Uint8Array> {
  const bytes = await readBytes('openImages', path);
  try {
    return fitImage(await decodeImage(bytes), options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`openImages: '${path}' cannot be read. ${reason}`, { cause: error });
  }
}
