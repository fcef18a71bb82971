import { readFile } from 'node:fs/promises';
import { complaint, DataError } from '../core/errors';
import { parseJson, parseJsonObject } from '../core/json';

/**
 * The object that a JSON file holds.
 *
 * @param where what the file is to the command, as in 'hparams'
 * @param hint what to do with a damaged one
 * @throws DataError where there is no file, FormatError for anything but JSON of an object
 */
export async function readJsonObject(
  where: string,
  path: string,
  hint = '',
): Promise<Record<string, unknown>> {
  return parseJsonObject(where, `'${path}'`, await textOf(where, path), hint);
}

/** What a JSON file holds, whatever it is. */
export async function readJson(where: string, path: string): Promise<unknown> {
  return parseJson(where, `'${path}'`, await textOf(where, path), '');
}

async function textOf(where: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const received = code === 'ENOENT' ? `nothing at '${path}'` : `'${path}' (${code})`;
    throw new DataError(complaint(where, 'a JSON file', received));
  }
}

/** The same of a file that may not be there. */
export async function readJsonObjectIfAny(
  where: string,
  path: string,
  hint: string,
): Promise<Record<string, unknown> | undefined> {
  const there = await readFile(path).catch((error: NodeJS.ErrnoException) => error.code !== 'ENOENT');
  return there === false ? undefined : readJsonObject(where, path, hint);
}
