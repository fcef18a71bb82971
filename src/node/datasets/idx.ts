import { basename, dirname, join } from 'node:path';
import { readIdx } from '../../data';
import { findDataFile } from './dataFiles';
import { listFolder, readBytes } from './files';
import { openArray } from './imageArray';
import type { ImageDataset, ImageOptions } from './imageDataset';
import { chooseByName } from './nameParts';

const isImagesFile = (name: string) => /images.*idx[34].*ubyte(\.gz)?$/i.test(name);

/**
 * MNIST-like idx files, packed with gzip or not: an images file, or a folder that holds one, the training part first, and its labels if
 * they are there.
 *
 * @throws DataError for missing files, or where it is not clear which one is meant; FormatError for damaged ones
 */
export async function openIdx(root: string, options: ImageOptions): Promise<ImageDataset> {
  const what = 'one idx file of images';
  const { path, split, notices } = await findDataFile(root, isImagesFile, what, options.split);
  if (split !== undefined) chooseByName([basename(path)], split, { what, path: dirname(path), hint: '' });
  const images = { name: basename(path), array: readIdx(await readBytes('openImages', path)) };
  const labelsPath = await labelsBeside(path);
  if (labelsPath === undefined) {
    notices.push(`No labels: '${labelsNameOf(images.name)}' is not there.`);
    return openArray(path, { images, notices }, options);
  }
  const labels = { name: basename(labelsPath), array: readIdx(await readBytes('openImages', labelsPath)) };
  return openArray(path, { images, labels, notices }, options);
}

/** The file of labels in the same folder; or, where archives were unpacked to folders of their own names, in the one beside. */
async function labelsBeside(path: string): Promise<string | undefined> {
  const wanted = plain(labelsNameOf(basename(path)));
  const own = dirname(path);
  const isUnpacked = plain(basename(own)) === plain(basename(path));
  for (const folder of isUnpacked ? [own, dirname(own)] : [own]) {
    const { files, folders } = await listFolder('openImages', folder);
    const file = files.find((name) => plain(name) === wanted);
    if (file !== undefined) return join(folder, file);
    const unpacked = folders.find((name) => plain(name) === wanted);
    if (unpacked === undefined) continue;
    const inner = await listFolder('openImages', join(folder, unpacked));
    const found = inner.files.find((name) => plain(name) === wanted);
    if (found !== undefined) return join(folder, unpacked, found);
  }
  return undefined;
}

function labelsNameOf(name: string): string {
  return name.replace(/images/i, 'labels').replace(/idx[34]/i, 'idx1');
}

/** The same name whether packed or not, written with dots or dashes. */
function plain(name: string): string {
  return name.toLowerCase().replace(/\.gz$/, '').replaceAll('.', '-');
}
