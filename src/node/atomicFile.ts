import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withTemporary } from './underWay';

/** What a file shall hold, at once or in pieces. */
export type FileContent = string | Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Writes a file so that a crash at any moment leaves the old file or the new one, never a part:
 * a temporary file beside it is written, flushed to the disk and renamed.
 */
export async function writeFileAtomically(path: string, data: FileContent): Promise<void> {
  await withTemporary(path, async (temporary) => {
    await writeNewFile(temporary, data);
    await rename(temporary, path);
  });
  await flushDirectory(dirname(path));
}

/** Writes a file that must not exist, and flushes it to the disk. */
export async function writeNewFile(path: string, data: FileContent): Promise<void> {
  const file = await open(path, 'wx');
  try {
    // It takes pieces as well; its declaration does not say so.
    await file.writeFile(data as Uint8Array);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes new names and renames themselves durable. Windows cannot open directories, and needs it less. */
async function flushDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
