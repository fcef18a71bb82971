import { readdir } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { complaint, DataError } from '../../core/errors';
import { tableText } from '../../data/tableText';
import { exists, readBytes } from './files';
import { imageFiles, placeOf } from './folder';
import type { ImageDataset, ImageOptions } from './imageDataset';
import { readImageTable } from './table';

/**
 * Images that a CSV file lists; their paths count from the file's folder, or from the one that `table.folder` names.
 *
 * @throws DataError for files that are not there, FormatError for a wrong table, ConfigError for columns that it does not have
 */
export async function openCsv(path: string, options: ImageOptions): Promise<ImageDataset> {
  const text = tableText('openImages', await readBytes('openImages', path));
  const { files, lines, ...known } = readImageTable(text, options.table);
  const folder = options.table?.folder ?? dirname(path);
  const missing = await placesOfMissing(files.map((file) => placeOf(folder, file)));
  if (missing.length > 0) {
    const [first] = missing;
    const more = missing.length === 1 ? '' : `, and ${missing.length - 1} more of ${files.length}`;
    const received = `no '${files[first]}' (line ${lines[first]}${more})`;
    const elsewhere = (await exists(files[first])) ? resolve('.') : undefined;
    const hint = `Paths count from ${elsewhere === undefined ? 'there' : `there, and '${elsewhere}' has it`}; table: { folder } says another folder.`;
    throw new DataError(complaint('openImages', `the images of '${path}' in '${folder}'`, received, hint));
  }
  return { ...imageFiles(folder, files, options), ...known };
}

/** Which of many files are not there. Folders are listed once: looking for each file alone would take minutes. */
async function placesOfMissing(paths: readonly string[]): Promise<number[]> {
  const listed = new Map<string, Set<string>>();
  const missing: number[] = [];
  for (const [i, path] of paths.entries()) {
    const folder = dirname(path);
    const names = listed.get(folder) ?? new Set(await readdir(folder).catch(() => []));
    listed.set(folder, names);
    // File systems that ignore case, or write accents otherwise, find more than the list shows.
    if (!names.has(basename(path)) && !(await exists(path))) missing.push(i);
  }
  return missing;
}
