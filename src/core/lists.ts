/*
 * What Math.max, Math.min and push do, of lists as long as data: as arguments of a call they overflow the stack from about
 * 100,000 values on. A lint rule (lint/noListAsArguments.grit) keeps such calls out.
 */

/** The largest of the values and `least`; NaN where one is. */
export function largest(values: Iterable<number>, least = Number.NEGATIVE_INFINITY): number {
  let most = least;
  for (const value of values) most = Math.max(most, value);
  return most;
}

/** The smallest of the values and `most`; NaN where one is. */
export function smallest(values: Iterable<number>, most = Number.POSITIVE_INFINITY): number {
  let least = most;
  for (const value of values) least = Math.min(least, value);
  return least;
}

/** Adds values at the end of a list. */
export function append<T>(list: T[], values: Iterable<T>): void {
  for (const value of values) list.push(value);
}
