import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { complaint, DataError } from '../../core/errors';

/** Names in a folder, sorted; a DataError where it is missing. */
export async function listFolder(where: string, path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    throw missing(where, 'a folder', path, error);
  }
}

/** A file's bytes; a DataError where it is missing. */
export async function readBytes(where: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw missing(where, 'a file', path, error);
  }
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** The first of several paths that exists. */
export async function firstExisting(...paths: string[]): Promise<string | undefined> {
  for (const path of paths) if (await exists(path)) return path;
  return undefined;
}

function missing(where: string, kind: string, path: string, cause: unknown): DataError {
  const { code } = cause as NodeJS.ErrnoException;
  const received = code === 'ENOENT' ? `nothing at '${join(path)}'` : `'${join(path)}' (${code ?? cause})`;
  return new DataError(complaint(where, kind, received), { cause });
}
