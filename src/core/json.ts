import { complaint, FormatError } from './errors';

/** Objects within objects; files of this library have about twenty. */
const DEEPEST = 200;

/**
 * The object that JSON from outside says.
 *
 * @param place where it stands, for messages, as in 'the header'
 * @param hint what to do with a damaged one
 * @throws FormatError for text that is no JSON of an object, or nested deeper than anybody writes it
 */
export function parseJsonObject(
  where: string,
  place: string,
  text: string,
  hint = DAMAGED,
): Record<string, unknown> {
  const refusal = (expected: string, received: string, cause?: unknown) =>
    new FormatError(complaint(where, `${expected} in ${place}`, received, hint), { cause });
  if (depthOf(text) > DEEPEST) throw refusal('JSON', `values nested more than ${DEEPEST} times`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refusal('JSON', (error as Error).message, error);
  }
  if (isJsonObject(value)) return value;
  throw refusal('an object', Array.isArray(value) ? 'an array' : text.slice(0, 60));
}

const DAMAGED = 'The file is damaged or truncated.';

/** Whether a value of JSON is an object with names. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How deep brackets stand within brackets, outside of texts. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 0x5c) i++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x5d || code === 0x7d) depth--;
  }
  return deepest;
}
