import { basename } from 'node:path';
import { ConfigError, complaint, DataError, FormatError } from '../../core/errors';
import { type NdArray, readNpy, readNpz } from '../../data';
import { findDataFile } from './dataFiles';
import { readBytes } from './files';
import { isImages, type NamedArray, openArray } from './imageArray';
import { isPerImage } from './imageClasses';
import type { ImageDataset, ImageOptions } from './imageDataset';
import { chooseByName, type DatasetSplit, quoted, splitOf, wordsOf } from './nameParts';

const IMAGES = /^(x|xs|images?|imgs?|pictures?|faces?|data|x(train|test|val))$/;
const LABELS = /^(y|ys|labels?|targets?|class|classes|y(train|test|val))$/;

type Arrays = Record<string, NdArray>;

/**
 * Images of a .npy file, or of a .npz archive: those that `arrays` names, else the ones that are called so (images, x_train, train_images,
 * imgs, ...), the training part first, else the only array that can be images. Labels are those of the same part.
 *
 * @throws DataError for missing files, other shapes, or where it is not clear which array is meant; FormatError for damaged files
 */
export async function openNumpy(root: string, options: ImageOptions): Promise<ImageDataset> {
  const isWanted = (name: string) => /\.np[yz]$/i.test(name);
  const { path, split, notices } = await findDataFile(root, isWanted, 'one .npy or .npz file', options.split);
  const bytes = await readBytes('openImages', path);
  if (path.toLowerCase().endsWith('.npy')) {
    if (options.arrays !== undefined) {
      throw new ConfigError(complaint('openImages', 'a .npz file with arrays by name', `'${path}'`));
    }
    return openArray(path, { images: { name: basename(path), array: readNpy(bytes) }, notices }, options);
  }
  const arrays = readNpz(bytes);
  if (options.arrays !== undefined) {
    const { images, labels } = options.arrays;
    const given = {
      images: arrayNamed(path, arrays, images),
      labels: labels === undefined ? undefined : arrayNamed(path, arrays, labels),
      labelsAreNamed: true,
    };
    return openArray(path, { ...given, notices }, options);
  }
  const images = arrayNamed(path, arrays, chooseImages(path, arrays, split));
  const labels = findLabels(arrays, images.name, notices);
  const others = Object.keys(arrays).filter((name) => name !== images.name && name !== labels?.name);
  if (others.length > 0) notices.push(`Other arrays of '${path}' are left out: ${quoted(others)}.`);
  return openArray(path, { images, labels, notices }, options);
}

function arrayNamed(path: string, arrays: Arrays, name: string): NamedArray {
  if (Object.hasOwn(arrays, name)) return { name, array: arrays[name] };
  throw new DataError(
    complaint('openImages', `an array '${name}' in '${path}'`, quoted(Object.keys(arrays))),
  );
}

/** The array of images by its name; shapes are looked at where names leave several, or none. */
function chooseImages(path: string, arrays: Arrays, split: DatasetSplit | undefined): string {
  const names = Object.keys(arrays);
  const called = names.filter((name) => speaksOf(name, IMAGES) && !speaksOf(name, LABELS));
  const holdsImages = (name: string) => {
    const array = readable(arrays, name);
    return array !== undefined && isImages(array);
  };
  const candidates = called.length > 0 ? called : names.filter(holdsImages);
  const hint = `Say which: arrays: { images, labels }${split === undefined ? '' : ', or another split'}. Arrays: ${quoted(names)}.`;
  const what = 'one array of images [n, h, w] or [n, h, w, c]';
  return chooseByName(candidates, split, { what, path, hint }, holdsImages);
}

/** The labels of the same part by their name; what else could be labels is told. */
function findLabels(arrays: Arrays, images: string, notices: string[]): NamedArray | undefined {
  const [count] = arrays[images].shape;
  const others = Object.keys(arrays).filter((name) => name !== images);
  const called = others.filter((name) => speaksOf(name, LABELS) && splitOf(name) === splitOf(images));
  const own = called.filter((name) => distinction(name) === distinction(images));
  const [name] = own.length === 1 ? own : called;
  if (called.length === 1 || own.length === 1) return { name, array: arrays[name] };
  const unknown = others.filter((other) => !speaksOf(other, IMAGES) && !speaksOf(other, LABELS));
  const possible =
    called.length > 0
      ? called
      : unknown.filter((other) => {
          const array = readable(arrays, other);
          return array !== undefined && isPerImage(array, count);
        });
  if (possible.length > 0) {
    const say = `arrays: { images: '${images}', labels: '${possible[0]}' }`;
    notices.push(`No labels are read; ${quoted(possible)} could be some: say ${say}.`);
  }
  return undefined;
}

function speaksOf(name: string, role: RegExp): boolean {
  return wordsOf(name).some((word) => role.test(word));
}

/** What a name says besides its role and its part. */
function distinction(name: string): string {
  const rest = wordsOf(name).filter(
    (word) => !IMAGES.test(word) && !LABELS.test(word) && splitOf(word) === undefined,
  );
  return rest.join(' ');
}

/** An array that is plain numbers; others (objects, damaged ones) may lie beside. */
function readable(arrays: Arrays, name: string): NdArray | undefined {
  try {
    return arrays[name];
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return undefined;
  }
}
