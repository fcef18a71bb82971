import { readFile } from 'node:fs/promises';
import { complaint, DataError } from '../core/errors';
import { parseJsonObject } from '../core/json';

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
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const received = code === 'ENOENT' ? `nothing at '${path}'` : `'${path}' (${code})`;
    throw new DataError(complaint(where, 'a JSON file', received));
  }
  return parseJsonObject(where, `'${path}'`, text, hint);
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
