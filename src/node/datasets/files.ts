import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { complaint, DataError } from '../../core/errors';
import { isImageName } from '../decoding/format';

/** What lies in a folder. */
export interface Listing {
  /** Names of files, sorted. */
  files: string[];
  /** Names of folders, sorted. */
  folders: string[];
  /** Number of hidden files and folders, and of those that macOS puts beside others; they are not listed. */
  hidden: number;
}

/**
 * Names in a folder; no file of it is looked at but links, since there may be hundreds of thousands.
 *
 * @throws DataError where it is missing
 */
export async function listFolder(where: string, path: string): Promise<Listing> {
  const listing: Listing = { files: [], folders: [], hidden: 0 };
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (error) {
    throw missing(where, 'a folder', path, error);
  }
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith('.') || name === '__MACOSX') listing.hidden++;
    else if (entry.isDirectory() || (await leadsToFolder(path, entry))) listing.folders.push(name);
    else listing.files.push(name);
  }
  listing.files.sort();
  listing.folders.sort();
  return listing;
}

async function leadsToFolder(path: string, entry: Dirent): Promise<boolean> {
  return entry.isSymbolicLink() && !isImageName(entry.name) && (await isFolder(join(path, entry.name)));
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
