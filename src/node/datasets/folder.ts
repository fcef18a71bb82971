import { dirname, extname, isAbsolute, join, sep } from 'node:path';
import { complaint, DataError } from '../../core/errors';
import { append } from '../../core/lists';
import { DecodingThreads, defaultDecodingThreads } from '../decoding/decodingThreads';
import { imageFormats, isImageName } from '../decoding/format';
import { type Listing, listFolder } from './files';
import type { ImageDataset, ImageOptions } from './imageDataset';
import { quoted, splitOf } from './nameParts';

const WHERE = 'openImages';

/**
 * Images of a folder: those in it, or those in its subfolders, which then are the classes, in the order of their names. Hidden files
 * are left out, and files of other kinds are counted.
 *
 * @throws DataError for a missing folder, or none with images
 */
export async function openFolder(root: string, options: ImageOptions): Promise<ImageDataset> {
  const here = await listFolder(WHERE, root);
  const skipped = new SkippedFiles();
  const direct = skipped.without(here);
  const names: string[] = [];
  const values: number[] = [];
  const classes: string[] = [];
  const deeper: string[] = [];
  for (const folder of here.folders) {
    const listing = await listFolder(WHERE, join(root, folder));
    const files = skipped.without(listing);
    for (const file of files) {
      names.push(`${folder}${sep}${file}`);
      values.push(classes.length);
    }
    if (files.length > 0) classes.push(folder);
    else append(deeper, await firstWithImages(root, folder, listing.folders));
  }
  if (direct.length > 0 && names.length > 0) {
    const received = `'${direct[0]}' beside the folder '${classes[0]}'`;
    throw new DataError(complaint(WHERE, `images in '${root}' or in its subfolders`, received));
  }
  if (direct.length + names.length === 0) throw noImages(root, deeper, skipped);
  const notices = skipped.told();
  if (deeper.length > 0) notices.push(`Images two folders down are left out: ${quoted(deeper)}.`);
  if (direct.length > 0) return { ...imageFiles(root, direct, options), notices };
  const labels = { classes, values: Int32Array.from(values) };
  return { ...imageFiles(root, names, options), labels, notices };
}

/** Files that are no images, and hidden ones, by number. */
class SkippedFiles {
  private readonly counts = new Map<string, number>();

  /** The images among files; the others are counted. */
  without({ files, hidden }: Listing): string[] {
    this.count('hidden', hidden);
    return files.filter((file) => {
      const isImage = isImageName(file);
      if (!isImage) this.count(extname(file).toLowerCase() || 'without an ending', 1);
      return isImage;
    });
  }

  /** In a sentence, if there are any. */
  told(): string[] {
    const counts = [...this.counts].map(([kind, count]) => `${count} ${kind}`);
    return counts.length === 0 ? [] : [`Left out: ${counts.join(', ')}. ${imageFormats} are read.`];
  }

  private count(kind: string, more: number): void {
    if (more > 0) this.counts.set(kind, (this.counts.get(kind) ?? 0) + more);
  }
}

/** The first folder in a folder that has images. */
async function firstWithImages(root: string, folder: string, inner: readonly string[]): Promise<string[]> {
  for (const name of inner) {
    const { files } = await listFolder(WHERE, join(root, folder, name));
    if (files.some(isImageName)) return [join(folder, name)];
  }
  return [];
}

function noImages(root: string, deeper: readonly string[], skipped: SkippedFiles): DataError {
  const expected = `images in '${root}' or in its folders`;
  const place = deeper.find((path) => splitOf(path) === 'train') ?? deeper[0];
  if (place === undefined) return new DataError(complaint(WHERE, expected, 'none', skipped.told().join('')));
  const hint = `Give the folder that holds the classes, as '${join(root, dirname(place))}'.`;
  return new DataError(complaint(WHERE, expected, `images two folders down, in '${place}'`, hint));
}

/** Where a file lies that is named from a folder on, or from the root of the disk. */
export function placeOf(folder: string, file: string): string {
  return isAbsolute(file) ? file : join(folder, file);
}

/** Image files under a folder, read when asked for, on threads of their own. */
export function imageFiles(root: string, names: readonly string[], options: ImageOptions): ImageDataset {
  const { imageShape, centerCrop, threads = defaultDecodingThreads() } = options;
  const decoding = new DecodingThreads(threads);
  return {
    names,
    shape: imageShape,
    notices: [],
    read: (index) => decoding.read({ path: placeOf(root, names[index]), imageShape, centerCrop }),
  };
}
