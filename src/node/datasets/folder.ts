import { isAbsolute, join } from 'node:path';
import { complaint, DataError } from '../../core/errors';
import { decodeImage } from '../decoding/decodeImage';
import { isImageName } from '../decoding/format';
import { isFolder, listFolder, readBytes } from './files';
import { fitImage, type ImageDataset, type ImageOptions } from './imageDataset';

/**
 * Images of a folder: those in it, or those in its subfolders, which then are the classes, in the order of their names.
 *
 * @throws DataError for a missing folder, or none with images
 */
export async function openFolder(root: string, options: ImageOptions): Promise<ImageDataset> {
  const where = 'openImages';
  const entries = await listFolder(where, root);
  const direct = entries.filter(isImageName);
  const names: string[] = [];
  const values: number[] = [];
  const classes: string[] = [];
  for (const folder of entries) {
    if (!(await isFolder(join(root, folder)))) continue;
    const files = (await listFolder(where, join(root, folder))).filter(isImageName);
    if (files.length === 0) continue;
    for (const file of files) {
      names.push(join(folder, file));
      values.push(classes.length);
    }
    classes.push(folder);
  }
  if (direct.length > 0 && names.length > 0) {
    const received = `'${direct[0]}' beside the folder '${classes[0]}'`;
    throw new DataError(complaint(where, `images in '${root}' or in its subfolders`, received));
  }
  if (direct.length > 0) return imageFiles(root, direct, options);
  if (names.length === 0) throw new DataError(complaint(where, 'image files', `none in '${root}'`));
  return { ...imageFiles(root, names, options), labels: { classes, values: Int32Array.from(values) } };
}

/** Where a file lies that is named from a folder on, or from the root of the disk. */
export function placeOf(folder: string, file: string): string {
  return isAbsolute(file) ? file : join(folder, file);
}

/** Image files under a folder, read when asked for. */
export function imageFiles(root: string, names: readonly string[], options: ImageOptions): ImageDataset {
  return {
    names,
    shape: options.imageShape,
    read: async (index) => {
      const path = placeOf(root, names[index]);
      const bytes = await readBytes('openImages', path);
      try {
        return fitImage(await decodeImage(bytes), options);
      } catch (error) {
        throw new DataError(`openImages: '${path}' cannot be read. ${(error as Error).message}`, {
          cause: error,
        });
      }
    },
  };
}
