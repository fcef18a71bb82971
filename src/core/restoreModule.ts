import { BackendError, complaint, FormatError } from './errors';
import { isJsonObject } from './json';
import { deserializeModule, type Module, type SerializedModule, WEIGHT_ROOM } from './module';
import { withRoom } from './room';
import { sizeOf } from './shapes';

/** Numbers beyond those of the file that a module may draw: orders and starting values that other weights take the place of. */
const SPARE = 2 ** 16;
/** Values of an event, whatever the file's size: those of a picture of 1,024 x 1,024. */
const LARGEST_EVENT = 2 ** 22;
/** Anything else that is counted, whatever the file's size. */
const MOST = 2 ** 16;
/** Options that say how much there is of something. */
const amounts =
  /(shape|dimensions|features|channels|units|size|levels|steps|layers|blocks|bins|knots|classes|categories|components|reflections|passes|count)/i;

/**
 * The module that a file describes, with fresh weights, no more of them than the file holds: a small file cannot ask for a giant model.
 *
 * @param held the file's tensors
 * @throws FormatError for what is no description of a module, or one that cannot be built
 */
export function restoreModule<T extends Module>(
  where: string,
  serialized: unknown,
  held: Iterable<{ shape: readonly number[] }>,
): T {
  const { className, config } = isJsonObject(serialized) ? serialized : {};
  if (typeof className !== 'string' || !isJsonObject(config)) {
    throw new FormatError(complaint(where, 'className and config of a module', 'something else', DAMAGED));
  }
  let values = 0;
  let room = SPARE;
  for (const { shape } of held) {
    values += sizeOf(shape);
    room += WEIGHT_ROOM;
  }
  try {
    checkAmounts(where, config, 8 * values);
    // Starting values are drawn, and kept.
    return withRoom(room + 2 * values, () => deserializeModule<T>(serialized as unknown as SerializedModule));
  } catch (error) {
    if (error instanceof FormatError || error instanceof BackendError) throw error;
    const reason = (error as Error).message;
    throw new FormatError(complaint(where, 'a module that can be built', `'${reason}'`, DAMAGED), {
      cause: error,
    });
  }
}

const DAMAGED = 'The file is damaged, or was written by another version.';

function checkAmounts(where: string, config: object, held: number): void {
  for (const [name, value] of Object.entries(config)) {
    if (typeof value === 'object' && value !== null) checkAmounts(where, value, held);
    if (!amounts.test(name)) continue;
    const amount = isNumbers(value) ? sizeOf(value) : value;
    const most = Math.max(isNumbers(value) ? LARGEST_EVENT : MOST, held);
    if (typeof amount === 'number' && amount > most) {
      throw new FormatError(complaint(where, `${name} of at most ${most}`, amount, DAMAGED));
    }
  }
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'number');
}
