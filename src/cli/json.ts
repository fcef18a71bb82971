import { readFile } from 'node:fs/promises';
import { complaint, DataError, FormatError } from '../core/errors';

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
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError(complaint(where, `JSON in '${path}'`, (error as Error).message, hint));
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>;
  const received = Array.isArray(json) ? 'an array' : JSON.stringify(json);
  throw new FormatError(complaint(where, `an object in '${path}'`, received, hint));
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
