import { complaint, FormatError } from './errors';

/** Objects within objects; files of this library have about twenty. */
const DEEPEST = 200;
/** Objects and lists; a file of tensors has three for each. */
const MOST = 2 ** 20;

/**
 * What JSON from outside says.
 *
 * @param place where it stands, for messages, as in 'the header'
 * @param hint what to do with a damaged one
 * @throws FormatError for text that is no JSON, or nested deeper or longer than anybody writes it
 */
export function parseJson(where: string, place: string, text: string, hint = DAMAGED): unknown {
  const refusal = (received: string, cause?: unknown) =>
    new FormatError(complaint(where, `JSON in ${place}`, received, hint), { cause });
  const { deepest, count } = brackets(text);
  if (deepest > DEEPEST) throw refusal(`values nested more than ${DEEPEST} times`);
  if (count > MOST) throw refusal(`${count} objects, more than ${MOST}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refusal((error as Error).message, error);
  }
}

/** The same where it must be an object with names. */
export function parseJsonObject(
  where: string,
  place: string,
  text: string,
  hint = DAMAGED,
): Record<string, unknown> {
  const value = parseJson(where, place, text, hint);
  if (isJsonObject(value)) return value;
  const received = Array.isArray(value) ? 'an array' : text.slice(0, 60);
  throw new FormatError(complaint(where, `an object in ${place}`, received, hint));
}

const DAMAGED = 'The file is damaged or truncated.';

/** Whether a value of JSON is an object with names. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How many brackets there are outside of texts, and how deep they stand within each other. */
function brackets(text: string): { deepest: number; count: number } {
  let depth = 0;
  let deepest = 0;
  let count = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 0x5c) i++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x5b || code === 0x7b) {
      deepest = Math.max(deepest, ++depth);
      count++;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return { deepest, count };
}
