import { complaint, FormatError } from '../core/errors';
import { gunzipIfNeeded } from './gzip';
import { latin1 } from './latin1';

/** What begins files that are tables, and not one of those that are read. */
const OTHER_FILES: readonly (readonly [start: string, hint: string])[] = [
  ['PK', 'A workbook? Save it as CSV. Arrays of an npz: readNpz(bytes).x.'],
  ['PAR1', 'A Parquet file: write it as CSV, or give its records.'],
  ['ARROW1', 'An Arrow file: write it as CSV, or give its records.'],
];

/**
 * The text of a table: UTF-8, or UTF-16 with its mark, packed by gzip or not.
 *
 * @throws FormatError for other kinds of files that hold tables, and other encodings
 */
export function tableText(where: string, packed: Uint8Array): string {
  const bytes = gunzipIfNeeded(where, packed);
  const start = latin1(bytes.subarray(0, 6));
  const other = OTHER_FILES.find(([mark]) => start.startsWith(mark));
  if (other !== undefined) {
    throw new FormatError(complaint(where, 'a CSV or npy file', `'${other[0]}...'`, other[1]));
  }
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    const hint = 'Another encoding? Decode it: new TextDecoder("windows-1252").decode(bytes).';
    throw new FormatError(complaint(where, 'text in UTF-8', 'bytes that are not', hint), { cause });
  }
}
