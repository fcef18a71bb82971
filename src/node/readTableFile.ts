import { type ReadTableOptions, readTable, type Table } from '../data';
import { readBytes } from './datasets/files';
import { checkPath } from './paths';

/**
 * `readTable` of a file.
 *
 * @param path a CSV, TSV or npy file, packed by gzip or not
 * @throws DataError for a file that is not there; else as `readTable`
 * @example
 * const read = await readTableFile('patients.csv', { kinds: { pressure: 'real' } });
 * read.rows; // 40
 */
export async function readTableFile(path: string, options: ReadTableOptions = {}): Promise<Table> {
  checkPath('readTableFile', path);
  return readTable(await readBytes('readTableFile', path), options);
}
