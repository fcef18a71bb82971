import { checkOptions } from '../../core/options';
import { checkChoice, checkEventShape, checkInteger } from '../../core/shapes';
import { pathOf } from '../paths';
import { openCelebA } from './celebA';
import { openCsv } from './csv';
import { openFolder } from './folder';
import { openIdx } from './idx';
import type { ImageDataset, ImageOptions } from './imageDataset';
import { datasetSplits } from './nameParts';
import { openNumpy } from './numpy';

export { type ImageBatch, type ImageBatchOptions, imageBatches } from './batches';
export { type AttributeTable, readAttributeTable } from './celebA';
export type { ImageArrayNames, ImageDataset, ImageOptions, ImageTableOptions } from './imageDataset';
export { type DatasetSplit, datasetSplits } from './nameParts';
export { type ReadImages, type ReadImagesOptions, readImages } from './readImages';
export { type ImageTable, readImageTable } from './table';

/** Layouts of images on a disk. */
export type ImageDatasetKind = 'celeba' | 'folder' | 'csv' | 'idx' | 'npz' | 'npy';

/**
 * All layouts that `openImages` reads.
 *
 * @example
 * imageDatasetKinds.includes('folder');
 */
export const imageDatasetKinds: readonly ImageDatasetKind[] = [
  'celeba',
  'folder',
  'csv',
  'idx',
  'npz',
  'npy',
];

/** Bytes of decoded images that are kept for the next pass. */
const CACHE_BYTES = 512 * 2 ** 20;

/**
 * Opens images on a disk; each is decoded, cut and resized when it is read, and kept while there is room.
 *
 * @param kind 'celeba' (img_align_celeba and list_attr_celeba.txt), 'folder' (subfolders are classes), 'csv' (a table, see `readImageTable`), 'idx' (MNIST), 'npz' or 'npy'
 * @param root folder or file
 * @throws DataError for missing files, FormatError for damaged ones, ConfigError for wrong options
 * @example
 * const faces = await openImages('celeba', 'celeba', { imageShape: [64, 64, 3], centerCrop: 160 });
 */
export async function openImages(
  kind: ImageDatasetKind,
  root: string,
  options: ImageOptions,
): Promise<ImageDataset> {
  checkChoice('openImages', 'kind', kind, imageDatasetKinds);
  const path = pathOf('openImages', root);
  checkImageOptions(kind, options);
  const openers = {
    celeba: openCelebA,
    csv: openCsv,
    folder: openFolder,
    idx: openIdx,
    npz: openNumpy,
    npy: openNumpy,
  };
  return remembering(await openers[kind](path, options));
}

function checkImageOptions(kind: ImageDatasetKind, options: ImageOptions): void {
  const where = 'openImages';
  checkOptions(where, options, {
    imageShape: ['size'],
    centerCrop: ['crop'],
    split: ['part', 'subset'],
    arrays: ['keys', 'names'],
    threads: ['workers', 'numWorkers'],
    table: ['columns'],
  });
  checkEventShape(where, options?.imageShape, [3]);
  const { centerCrop, split, arrays, threads } = options;
  if (threads !== undefined) checkInteger(where, 'threads', threads, 0);
  if (centerCrop !== undefined) checkInteger(where, 'centerCrop', centerCrop);
  if (split !== undefined) {
    checkChoice(where, 'split', split, datasetSplits);
    checkChoice(where, 'a kind with split', kind, ['idx', 'npz', 'npy']);
  }
  if (arrays !== undefined) {
    checkChoice(where, 'a kind with arrays', kind, ['npz']);
    checkOptions(`${where}.arrays`, arrays, { images: ['x'], labels: ['y'] });
  }
}

function remembering(dataset: ImageDataset): ImageDataset {
  const kept = new Map<number, Uint8Array>();
  const size = dataset.shape.reduce((product, length) => product * length, 1);
  return {
    ...dataset,
    read: async (index) => {
      const known = kept.get(index);
      if (known !== undefined) return known;
      const image = await dataset.read(index);
      if ((kept.size + 1) * size <= CACHE_BYTES) kept.set(index, image);
      return image;
    },
  };
}
