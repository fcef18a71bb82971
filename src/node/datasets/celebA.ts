import { join } from 'node:path';
import { complaint, DataError, FormatError } from '../../core/errors';
import { tableText } from '../../data/tableText';
import { firstExisting, isFolder, readBytes } from './files';
import { imageFiles } from './folder';
import type { ImageDataset, ImageOptions } from './imageDataset';

/** CelebA's attribute table. */
export interface AttributeTable {
  /** Names of the attributes. */
  names: string[];
  /** Names of the image files. */
  files: string[];
  /** 1 present, -1 absent, [files.length, names.length]. */
  values: Int8Array;
}

/**
 * Reads `list_attr_celeba.txt`: the number of images, the attributes' names, then per line a file name and 1 or -1 per attribute.
 * `list_attr_celeba.csv` is the same with commas; its first line names the files' column too, and there may be no number of images.
 *
 * @throws FormatError that names the first line that is not so
 * @see Liu et al., "Deep Learning Face Attributes in the Wild" (2015), arXiv:1411.7766
 * @example
 * readAttributeTable('1\nSmiling Young\n000001.jpg 1 -1\n').names; // ['Smiling', 'Young']
 * readAttributeTable('image_id,Smiling,Young\n000001.jpg,1,-1\n').names; // ['Smiling', 'Young']
 */
export function readAttributeTable(text: string): AttributeTable {
  const where = 'readAttributeTable';
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  while (lines.length > 0 && lines[lines.length - 1].trim() === '') lines.pop();
  const counted = /^\s*\d+\s*$/.test(lines[0] ?? '');
  const header = counted ? 1 : 0;
  const first = header + 1;
  const names = words(lines[header] ?? '');
  if (names.length === 0) {
    throw new FormatError(complaint(where, `names of attributes in line ${first}`, 'none'));
  }
  const count = lines.length - first;
  if (counted && count !== Number(lines[0])) {
    throw new FormatError(
      complaint(where, `${Number(lines[0])} lines of images, as line 1 says`, `${count}`),
    );
  }
  // In a table with commas the column of the files has a name as well.
  if (lines[header].includes(',') && count > 0 && words(lines[first]).length === names.length) names.shift();
  const files: string[] = [];
  const values = new Int8Array(count * names.length);
  for (let i = 0; i < count; i++) {
    const [file, ...entries] = words(lines[i + first]);
    const bad = entries.find((entry) => entry !== '1' && entry !== '-1');
    if (entries.length !== names.length || bad !== undefined) {
      const received = bad === undefined ? `${entries.length} of them` : `'${bad}'`;
      const expected = `a file name and ${names.length} entries 1 or -1 in line ${i + first + 1}`;
      throw new FormatError(complaint(where, expected, received));
    }
    files.push(file);
    entries.forEach((entry, j) => {
      values[i * names.length + j] = Number(entry);
    });
  }
  return { names, files, values };
}

/**
 * CelebA as it is distributed: `img_align_celeba/` beside `list_attr_celeba.txt` (or in `Img/` and `Anno/`), or as Kaggle has it, with the
 * table as .csv and the images in a folder of the same name once more.
 *
 * @throws DataError for missing files, FormatError for a wrong table
 */
export async function openCelebA(root: string, options: ImageOptions): Promise<ImageDataset> {
  const images = 'img_align_celeba';
  const folder = await firstFolder(join(root, images, images), join(root, images), join(root, 'Img', images));
  if (folder === undefined) {
    throw new DataError(complaint('openImages', `a folder '${images}'`, `none in '${root}'`));
  }
  const name = 'list_attr_celeba';
  const tables = [`${name}.txt`, join('Anno', `${name}.txt`), `${name}.csv`].map((path) => join(root, path));
  const table = (await firstExisting(...tables)) ?? tables[0];
  const { names, files, values } = readAttributeTable(
    tableText('openImages', await readBytes('openImages', table)),
  );
  return { ...imageFiles(folder, files, options), attributes: { names, values } };
}

async function firstFolder(...paths: string[]): Promise<string | undefined> {
  for (const path of paths) if (await isFolder(path)) return path;
  return undefined;
}

function words(line: string): string[] {
  return line.split(/[\s,]+/).filter((word) => word !== '');
}
