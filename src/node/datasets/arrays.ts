import { basename, dirname, join } from 'node:path';
import { complaint, DataError } from '../../core/errors';
import { largest } from '../../core/lists';
import { toFloat64 } from '../../core/numbers';
import { sizeOf } from '../../core/shapes';
import { type NdArray, readIdx, readNpy, readNpz } from '../../data';
import { firstExisting, isFolder, listFolder, readBytes } from './files';
import { fitImage, type ImageDataset, type ImageOptions } from './imageDataset';

/**
 * MNIST-like idx files, packed with gzip or not: an images file, or a folder that holds one (`train...` first), and its labels if they are there.
 *
 * @throws DataError for missing files, FormatError for damaged ones
 */
export async function openIdx(root: string, options: ImageOptions): Promise<ImageDataset> {
  const images = await findFile(root, /images.*idx3.*ubyte(\.gz)?$/i, 'an idx file of images');
  const array = readIdx(await readBytes('openImages', images));
  const sibling = basename(images).replace('images', 'labels').replace('idx3', 'idx1');
  const labelsPath = await firstExisting(
    join(dirname(images), sibling),
    join(dirname(images), sibling.replace(/\.gz$/, '')),
    join(dirname(images), `${sibling}.gz`),
  );
  const labels = labelsPath && readIdx(await readBytes('openImages', labelsPath));
  return fromArray(images, array, labels || undefined, options);
}

/**
 * Images of a .npy file, or of a .npz archive under `images`, `x` or the first name with images; labels under `labels`, `label` or `y`.
 *
 * @throws DataError for missing files or other shapes, FormatError for damaged files
 */
export async function openNumpy(root: string, options: ImageOptions): Promise<ImageDataset> {
  const path = await findFile(root, /\.np[yz]$/i, 'a .npy or .npz file');
  const bytes = await readBytes('openImages', path);
  if (path.toLowerCase().endsWith('.npy')) return fromArray(path, readNpy(bytes), undefined, options);
  const arrays = readNpz(bytes);
  const images = arrays.images ?? arrays.x ?? Object.values(arrays).find(({ shape }) => shape.length >= 3);
  if (images === undefined) {
    const names = Object.keys(arrays).join(', ');
    throw new DataError(complaint('openImages', `images [n, h, w] or [n, h, w, c] in '${path}'`, names));
  }
  return fromArray(path, images, arrays.labels ?? arrays.label ?? arrays.y, options);
}

function fromArray(
  path: string,
  images: NdArray,
  labels: NdArray | undefined,
  options: ImageOptions,
): ImageDataset {
  const { shape, data } = images;
  const [count, height, width, channels = 1] = shape;
  if (shape.length < 3 || shape.length > 4 || ![1, 3, 4].includes(channels)) {
    throw new DataError(complaint('openImages', `[n, h, w] or [n, h, w, c] in '${path}'`, shape));
  }
  const size = sizeOf([height, width, channels]);
  const dataset: ImageDataset = {
    names: Array.from({ length: count }, (_, i) => String(i)),
    shape: options.imageShape,
    read: async (index) => {
      const levels = data.subarray(index * size, (index + 1) * size);
      if (!levels.every((level) => Number.isInteger(level) && level >= 0 && level <= 255)) {
        throw new DataError(
          complaint('openImages', `levels 0 .. 255 in image ${index} of '${path}'`, 'other values'),
        );
      }
      const picture = { width, height, channels, data: Uint8Array.from(levels) };
      return fitImage(padTo(picture, options.imageShape), options);
    },
  };
  if (labels === undefined) return dataset;
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw new DataError(complaint('openImages', `${count} labels beside '${path}'`, labels.shape));
  }
  const values = classNumbers(path, labels);
  const classes = Array.from({ length: largest(values) + 1 }, (_, i) => String(i));
  return { ...dataset, labels: { classes, values } };
}

/** Labels as class numbers; what is none is no class, and never becomes one. */
function classNumbers(path: string, labels: NdArray): Int32Array {
  const values = toFloat64('openImages', 'labels', labels.data);
  const bad = values.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value < 2 ** 31));
  if (bad >= 0) {
    const expected = `class numbers 0, 1, ... as the labels of '${path}'`;
    const hint = 'Number the classes from 0, or leave the labels out.';
    throw new DataError(complaint('openImages', expected, `${values[bad]} for image ${bad}`, hint));
  }
  return Int32Array.from(values);
}

/** Black around a picture that is smaller than wanted (28 x 28 for a Glow of 32 x 32): arrays are not stretched. */
function padTo(picture: Parameters<typeof fitImage>[0], [height, width]: readonly number[]): typeof picture {
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

async function findFile(root: string, pattern: RegExp, expected: string): Promise<string> {
  if (!(await isFolder(root))) return root;
  const names = (await listFolder('openImages', root)).filter((name) => pattern.test(name));
  const name = names.find((entry) => entry.startsWith('train')) ?? names[0];
  if (name === undefined) throw new DataError(complaint('openImages', expected, `none in '${root}'`));
  return join(root, name);
}
