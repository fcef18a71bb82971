import { complaint, DataError } from '../../core/errors';
import { checkOptions } from '../../core/options';
import { sizeOf } from '../../core/shapes';
import { type NdArray, reduceBits } from '../../data';
import { checkDataset, checkLevelBits, type ImageDataset } from './imageDataset';
import { inOrder } from './inOrder';

/** Options of `readImages`. */
export interface ReadImagesOptions {
  /** Bits of the levels to give. Default: 8. */
  nBits?: number;
  /** Whether images that cannot be read are left out. Default: false. */
  skipUnreadable?: boolean;
  /** Called after every image with the number looked at and their total. Default: nothing. */
  onProgress?: (done: number, total: number) => void;
}

/** All images of a data set, in memory. */
export interface ReadImages {
  /** Levels 0 .. 2^nBits - 1, [n, h, w, c]. */
  images: NdArray<Uint8Array>;
  /** Place of each image in the data set, [n]. */
  indices: Int32Array;
  /** Why images were left out, in sentences that name them. */
  skipped: string[];
}

/** Images that are read at a time, on all threads together. */
const AHEAD = 64;
/** Unreadable images that an error tells in full. */
const TOLD = 3;

/**
 * Reads all images of a data set at once, and finds all that cannot be read.
 *
 * Shapes: n images of [h, w, c] -> [n, h, w, c], n h w c bytes.
 *
 * @throws ConfigError for wrong options; DataError that counts the unreadable images and tells the first; or where none can be read
 * @example
 * const dataset = await openImages('folder', 'celeba/img_align_celeba', { imageShape: [32, 32, 3] });
 * const { images } = await readImages(dataset, { nBits: 5 }); // images.shape: [n, 32, 32, 3]
 */
export async function readImages(
  dataset: ImageDataset,
  options: ReadImagesOptions = {},
): Promise<ReadImages> {
  checkDataset('readImages', dataset);
  checkOptions('readImages', options, { nBits: ['bits'], skipUnreadable: 'boolean', onProgress: true });
  const { nBits = 8, skipUnreadable = false, onProgress } = options;
  checkLevelBits('readImages', nBits);
  const total = dataset.names.length;
  const size = sizeOf(dataset.shape);
  const levels = new Uint8Array(total * size);
  const indices: number[] = [];
  const skipped: string[] = [];
  let done = 0;
  for await (const outcome of inOrder(total, AHEAD, (i) => dataset.read(i))) {
    if ('value' in outcome) {
      levels.set(outcome.value, indices.length * size);
      indices.push(done);
    } else skipped.push(outcome.error.message);
    done++;
    onProgress?.(done, total);
  }
  if (indices.length === 0 || (skipped.length > 0 && !skipUnreadable)) {
    const more = skipped.length > TOLD ? ` And ${skipped.length - TOLD} more.` : '';
    throw new DataError(
      complaint(
        'readImages',
        `${total} images that can be read`,
        `${skipped.length} that cannot`,
        `${skipped.slice(0, TOLD).join(' ')}${more}`,
      ),
    );
  }
  const data = levels.subarray(0, indices.length * size);
  return {
    images: {
      shape: [indices.length, ...dataset.shape],
      data: nBits < 8 ? reduceBits(data, 8, nBits) : data,
    },
    indices: Int32Array.from(indices),
    skipped,
  };
}
