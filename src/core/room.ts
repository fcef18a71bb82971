import { complaint, FormatError } from './errors';

/** Numbers that may still be made while a module is built from a file. */
let left = Number.POSITIVE_INFINITY;

/** Counts numbers that are about to be made; a FormatError where a file asks for more than it holds. */
export function takeRoom(count: number): void {
  left -= count;
  if (left >= 0) return;
  const hint = 'Its configuration asks for a larger model than the weights beside it; the file is damaged.';
  throw new FormatError(complaint('loading', 'a model as large as its file', 'a larger one', hint));
}

/** Runs `make`, which may make so many numbers. */
export function withRoom<T>(room: number, make: () => T): T {
  const outer = left;
  left = Math.min(room, outer);
  try {
    return make();
  } finally {
    left = outer;
  }
}
