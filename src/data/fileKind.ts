import { complaint, FormatError } from '../core/errors';
import { latin1 } from './latin1';

/** First bytes of formats that people mistake for one another: offset, bytes, name. */
const signatures: readonly [offset: number, start: string, name: string][] = [
  [0, '\x89PNG', 'a PNG picture'],
  [0, '\xff\xd8\xff', 'a JPEG picture'],
  [0, 'GIF8', 'a GIF picture'],
  [0, 'II*\0', 'a TIFF picture'],
  [0, 'MM\0*', 'a TIFF picture'],
  [8, 'WEBP', 'a WebP picture'],
  [4, 'ftypavif', 'an AVIF picture'],
  [4, 'ftyphei', 'a HEIC picture'],
  [0, '%PDF', 'a PDF document'],
  [0, '\x93NUMPY', 'a numpy array (npy)'],
  [0, '\x89HDF', 'an HDF5 file'],
  [0, 'MATLAB 5', 'a MATLAB file'],
  [0, 'PAR1', 'a Parquet file'],
  [0, 'ARROW1', 'an Arrow file'],
  [0, 'GGUF', 'a GGUF file'],
  [0, 'PK\x03\x04', 'a zip archive'],
  [0, 'PK\x05\x06', 'an empty zip archive'],
  [0, '\x1f\x8b', 'a gzip file'],
  [0, 'BZh', 'a bzip2 file'],
  [0, '\xfd7zXZ', 'an xz file'],
  [0, '7z\xbc\xaf', 'a 7z archive'],
  [0, '\x28\xb5\x2f\xfd', 'a zstd file'],
  [257, 'ustar', 'a tar archive'],
  [0, '\0\0\x08', 'an idx file'],
  [0, '\x80\x02', 'a pickle'],
  [0, '\x80\x03', 'a pickle'],
  [0, '\x80\x04', 'a pickle'],
  [0, '\x80\x05', 'a pickle'],
  [8, '{"', 'a safetensors file'],
];

/** Bytes that are looked at to say what a file is. */
const LOOKED_AT = 4096;

/** What a file is by its first bytes, for messages: 'a PNG picture', 'nothing (0 bytes)', "the text 'hello'", "bytes '01 02 03'". */
export function fileKind(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing (0 bytes)';
  const start = latin1(bytes.subarray(0, LOOKED_AT));
  const known = signatures.find(([offset, sign]) => start.startsWith(sign, offset));
  if (known !== undefined) return known[2];
  if (/^[\t\n\r\x20-\x7e]{4,}$/.test(start.slice(0, 200))) {
    const text = start.slice(0, 60).trim();
    return `the text '${text}'`;
  }
  const hex = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0'));
  return `${bytes.length} bytes that begin with '${hex.join(' ')}'`;
}

/** What comes in place of a file, whatever the file: by its start, its name and what to do about it. */
const standIns: readonly [start: RegExp, name: string, hint: string][] = [
  [
    /^\s*<(!doctype html|html|head|body)\b/i,
    'a web page (HTML)',
    'The download failed, or led to a page about the file; open the address in a browser.',
  ],
  [
    /^\s*<\?xml[^>]*>\s*<Error>/i,
    'the error of a file server (XML)',
    'The download failed; open the address in a browser.',
  ],
  [
    /^version https:\/\/git-lfs\.github\.com/,
    'a Git LFS pointer',
    "'git lfs pull' brings the file that it points to.",
  ],
  [
    /^\s*\{[\s\S]*"weight_map"\s*:/,
    'the index of sharded safetensors',
    'Read the .safetensors files that it names.',
  ],
];

/**
 * Throws a FormatError for bytes that are no file of any kind but what came in its place: a web page, a Git LFS pointer, an index.
 */
export function refuseStandIn(where: string, bytes: Uint8Array): void {
  // All of them are text; files of numbers and pictures are told from them by a byte or two.
  if (!/[\s<{v\xef]/.test(String.fromCharCode(bytes[0]))) return;
  const start = latin1(bytes.subarray(0, LOOKED_AT)).replace(/^\xef\xbb\xbf/, '');
  const found = standIns.find(([pattern]) => pattern.test(start));
  if (found !== undefined) throw new FormatError(complaint(where, 'the file itself', found[1], found[2]));
}
