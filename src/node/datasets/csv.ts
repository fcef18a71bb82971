import { dirname, join } from 'node:path';
import { complaint, DataError } from '../../core/errors';
import { exists, readBytes } from './files';
import { imageFiles } from './folder';
import type { ImageDataset, ImageOptions } from './imageDataset';
import { readImageTable } from './table';

/**
 * Images that a CSV file lists; their paths count from the file's folder.
 *
 * @throws DataError for files that are not there, FormatError for a wrong table, ConfigError for columns that it does not have
 */
export async function openCsv(path: string, options: ImageOptions): Promise<ImageDataset> {
  const text = new TextDecoder().decode(await readBytes('openImages', path));
  const { files, lines, ...known } = readImageTable(text, options.table);
  const folder = dirname(path);
  const missing: number[] = [];
  for (let i = 0; i < files.length; i++) if (!(await exists(join(folder, files[i])))) missing.push(i);
  if (missing.length > 0) {
    const [first] = missing;
    const more = missing.length === 1 ? '' : `, and ${missing.length - 1} more files are missing`;
    const received = `no '${files[first]}' (line ${lines[first]}${more})`;
    throw new DataError(complaint('openImages', `the images of '${path}' in '${folder}'`, received));
  }
  return { ...imageFiles(folder, files, options), ...known };
}
