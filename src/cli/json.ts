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

/** The same of a file that may not be there. */
export async function readJsonObjectIfAny(
  where: string,
  path: string,
  hint: string,
): Promise<Record<string, unknown> | undefined> {
  const text = await textIfAny(where, path);
  return text === undefined ? undefined : parseJsonObject(where, `'${path}'`, text, hint);
}

/** What a JSON file holds, whatever it is. */
export async function readJson(where: string, path: string): Promise<unknown> {
  return parseJson(where, `'${path}'`, await textOf(where, path), '');
}

async function textOf(where: string, path: string): Promise<string> {
  const text = await textIfAny(where, path);
  if (text !== undefined) return text;
  throw new DataError(complaint(where, 'a JSON file', `nothing at '${path}'`));
}

async function textIfAny(where: string, path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new DataError(complaint(where, 'a JSON file', `'${path}' (${code})`));
  }
}
