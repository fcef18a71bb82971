import { complaint, FormatError } from './errors';

/** Objects within objects; files of this library have about twenty. */
const DEEPEST = 200;

/**
 * What JSON from outside says.
 *
 * @param what what it should be, for messages, as in 'a safetensors header'
 * @throws FormatError for text that is no JSON, or nested deeper than anybody writes it (other readers overflow their stack by it)
 */
export function parseJson(where: string, what: string, text: unknown, hint = DAMAGED): unknown {
  if (typeof text !== 'string')
    throw new FormatError(complaint(where, what, `no text but ${kindOf(text)}`, hint));
  if (depthOf(text) > DEEPEST) {
    throw new FormatError(complaint(where, what, `JSON nested more than ${DEEPEST} times`, hint));
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FormatError(complaint(where, what, `no JSON (${(error as Error).message})`, hint), {
      cause: error,
    });
  }
}

/** The same where it must be an object with names. */
export function parseJsonObject(
  where: string,
  what: string,
  text: unknown,
  hint = DAMAGED,
): Record<string, unknown> {
  const value = parseJson(where, what, text, hint);
  if (isJsonObject(value)) return value;
  throw new FormatError(complaint(where, what, `JSON that is ${kindOf(value)}`, hint));
}

const DAMAGED = 'The file is damaged or truncated.';

/** Whether a value of JSON is an object with names. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return value === undefined ? 'nothing' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
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
