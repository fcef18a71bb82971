import { complaint, DataError } from '../../core/errors';

/**
 * Parts that data sets are shipped in.
 *
 * @example
 * datasetSplits.includes('test');
 */
export const datasetSplits = ['train', 'test', 'validation'] as const;

/**
 * Which part of a data set is meant.
 *
 * @example
 * const split: DatasetSplit = datasetSplits[1]; // 'test'
 */
export type DatasetSplit = (typeof datasetSplits)[number];

const SPLITS: readonly [split: DatasetSplit, words: RegExp][] = [
  ['train', /^[xy]?(train|training|tr)$/],
  ['test', /^[xy]?(test|testing|te|t\d+k|test\d+k)$/],
  ['validation', /^[xy]?(val|valid|validation|dev)$/],
];

/** Words of a name in small letters: x_train and xTrain are x and train. */
export function wordsOf(name: string): string[] {
  const words = name.match(/[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z][a-z0-9]*|[0-9]+/g) ?? [];
  return words.map((word) => word.toLowerCase());
}

/** The part that a name speaks of, if of any. */
export function splitOf(name: string): DatasetSplit | undefined {
  const words = wordsOf(name);
  return SPLITS.find(([, known]) => words.some((word) => known.test(word)))?.[0];
}

/** What is looked for, and where, for messages. */
export interface Sought {
  /** As in 'one array of images'. */
  what: string;
  path: string;
  /** What to do where it is not clear which one is meant. */
  hint: string;
}

/**
 * The one name that is meant: of the wanted part; else of the training part; else of none; else the only one.
 *
 * @param fits looks closer where names leave several
 * @throws DataError that lists the names where there is not one such
 */
export function chooseByName(
  names: readonly string[],
  split: DatasetSplit | undefined,
  { what, path, hint }: Sought,
  fits: (name: string) => boolean = () => true,
): string {
  const wanted = split ?? (['train', undefined] as const).find((part) => names.some(isOf(part)));
  const ofWanted = names.length > 1 || split !== undefined ? names.filter(isOf(wanted)) : names;
  const fitting = ofWanted.length > 1 ? ofWanted.filter(fits) : ofWanted;
  if (fitting.length === 1) return fitting[0];
  const ofPart = split === undefined ? '' : ` of the part '${split}'`;
  const received = names.length === 0 ? 'none' : quoted(fitting.length > 0 ? fitting : names);
  throw new DataError(complaint('openImages', `${what}${ofPart} in '${path}'`, received, hint));
}

function isOf(part: DatasetSplit | undefined): (name: string) => boolean {
  return (name) => splitOf(name) === part;
}

/** Names in quotation marks, the first of many. */
export function quoted(names: readonly string[]): string {
  const shown = names.slice(0, MOST_SHOWN).map((name) => `'${name}'`);
  const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : '';
  return `${shown.join(', ')}${more}`;
}

const MOST_SHOWN = 12;
