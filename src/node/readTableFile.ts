import { type ReadTableOptions, readTable, type Table } from '../data';
import { readBytes } from './datasets/files';
import { pathOf } from './paths';

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
  const where = 'readTableFile';
  return readTable(await readBytes(where, pathOf(where, path)), options);
}
