import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Zip, ZipDeflate, ZipPassThrough } from 'fflate';
import { type NdArray, writeNpy } from '../data';
import { npyHeader } from '../data/npy';
import { writeFileAtomically } from './atomicFile';
import { withTemporary } from './underWay';

/** Bytes that are in memory at once on the way from file to file. */
const PIECE = 2 ** 20;

/** Rows of an array of float32 [n, width] that go to a disk as they come: of many, memory would not hold them. */
export interface FloatRows {
  /** Adds whole rows. */
  add(rows: Float32Array): Promise<void>;
}

/**
 * Writes rows as they come to an .npy file, or to an .npz file under `name` beside arrays that are known at the end. The file is there
 * whole or not at all; on the way the rows take as much room on the disk again.
 *
 * @param width values per row
 * @param produce adds the rows, and returns the arrays to stand beside them
 */
export async function writeFloatRows(
  path: string,
  name: string,
  width: number,
  produce: (rows: FloatRows) => Promise<Record<string, NdArray>>,
): Promise<void> {
  await withTemporary(path, async (values) => {
    let count = 0;
    const file = await open(values, 'wx');
    const beside = await produce({
      add: async (rows) => {
        await file.appendFile(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
        count += rows.length / width;
      },
    }).finally(() => file.close());
    const array = npyPieces(values, [count, width]);
    await writeFileAtomically(path, /\.npy$/i.test(path) ? array : npzPieces(name, array, beside));
  });
}

async function* npyPieces(values: string, shape: readonly number[]): AsyncGenerator<Uint8Array> {
  yield npyHeader('<f4', shape);
  yield* createReadStream(values, { highWaterMark: PIECE });
}

/** An archive of one large array, stored as it is (noise does not get smaller), and small ones, deflated. */
async function* npzPieces(
  name: string,
  large: AsyncIterable<Uint8Array>,
  small: Readonly<Record<string, NdArray>>,
): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const zip = new Zip((error, piece) => {
    if (error) throw error;
    ready.push(piece);
  });
  const begin = (file: ZipPassThrough | ZipDeflate) => {
    // The same arrays give the same bytes.
    file.mtime = new Date(1980, 0, 1);
    zip.add(file);
    return file;
  };
  const stored = begin(new ZipPassThrough(`${name}.npy`));
  for await (const piece of large) {
    stored.push(piece);
    yield* ready.splice(0);
  }
  stored.push(new Uint8Array(0), true);
  for (const [other, array] of Object.entries(small))
    begin(new ZipDeflate(`${other}.npy`)).push(writeNpy(array), true);
  zip.end();
  yield* ready;
}

/** Bytes that an .npz file without extensions of its format can hold. */
export const MOST_NPZ_BYTES = 2 ** 32 - 2 ** 20;
