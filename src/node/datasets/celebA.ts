import { join } from 'node:path';
import { complaint, DataError, FormatError } from '../../core/errors';
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
 *
 * @throws FormatError that names the first line that is not so
 * @see Liu et al., "Deep Learning Face Attributes in the Wild" (2015), arXiv:1411.7766
 * @example
 * readAttributeTable('1\nSmiling Young\n000001.jpg 1 -1\n').names; // ['Smiling', 'Young']
 */
export function readAttributeTable(text: string): AttributeTable {
  const where = 'readAttributeTable';
  const lines = text.split(/\r?\n/);
  while (lines.length > 0 && lines[lines.length - 1].trim() === '') lines.pop();
  const count = Number(lines[0]);
  if (!Number.isInteger(count) || lines[0].trim() === '') {
    throw new FormatError(complaint(where, 'the number of images in line 1', `'${lines[0]}'`));
  }
  const names = words(lines[1] ?? '');
  if (names.length === 0) throw new FormatError(complaint(where, 'names of attributes in line 2', 'none'));
  if (lines.length - 2 !== count) {
    throw new FormatError(
      complaint(where, `${count} lines of images, as line 1 says`, `${lines.length - 2}`),
    );
  }
  const files: string[] = [];
  const values = new Int8Array(count * names.length);
  for (let i = 0; i < count; i++) {
    const [file, ...entries] = words(lines[i + 2]);
    const bad = entries.find((entry) => entry !== '1' && entry !== '-1');
    if (entries.length !== names.length || bad !== undefined) {
      const received = bad === undefined ? `${entries.length} of them` : `'${bad}'`;
      throw new FormatError(
        complaint(where, `a file name and ${names.length} entries 1 or -1 in line ${i + 3}`, received),
      );
    }
    files.push(file);
    entries.forEach((entry, j) => {
      values[i * names.length + j] = Number(entry);
    });
  }
  return { names, files, values };
}

/**
 * CelebA as it is distributed: `img_align_celeba/` beside `list_attr_celeba.txt` (or in `Img/` and `Anno/`).
 *
 * @throws DataError for missing files, FormatError for a wrong table
 */
export async function openCelebA(root: string, options: ImageOptions): Promise<ImageDataset> {
  const folder = await firstExisting(join(root, 'img_align_celeba'), join(root, 'Img', 'img_align_celeba'));
  if (folder === undefined || !(await isFolder(folder))) {
    throw new DataError(complaint('openImages', "a folder 'img_align_celeba'", `none in '${root}'`));
  }
  const name = 'list_attr_celeba.txt';
  const table = (await firstExisting(join(root, name), join(root, 'Anno', name))) ?? join(root, name);
  const text = new TextDecoder().decode(await readBytes('openImages', table));
  const { names, files, values } = readAttributeTable(text);
  return { ...imageFiles(folder, files, options), attributes: { names, values } };
}

function words(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== '');
}
