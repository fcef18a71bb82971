import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withTemporary } from './underWay';

/**
 * Writes a file so that a crash at any moment leaves the old file or the new one, never a part:
 * a temporary file beside it is written, flushed to the disk and renamed.
 */
export async function writeFileAtomically(path: string, data: string | Uint8Array): Promise<void> {
  await withTemporary(path, async (temporary) => {
    await writeNewFile(temporary, data);
    await rename(temporary, path);
  });
  await flushDirectory(dirname(path));
}

/** Writes a file that must not exist, and flushes it to the disk. */
export async function writeNewFile(path: string, data: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(data);
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
