import { ConfigError, complaint } from '../../core/errors';
import { named } from '../../core/numbers';
import { columnPlace } from '../../data/table';
import type { Column } from '../../layers/supports/columns';
import { checkRows } from '../columnValues';
import { numberOf } from '../tableRows';
import type { ColumnFlow } from './columnFlow';
import { factorsOf } from './flowFactors';

/**
 * Places of columns that one chose.
 *
 * @throws ConfigError for no list, none, unknown ones or one twice
 */
export function chosenPlaces(where: string, columns: readonly Column[], chosen: readonly string[]): number[] {
  if (!Array.isArray(chosen) || chosen.length === 0) {
    const received = Array.isArray(chosen) ? 'none' : named(chosen)[0];
    throw new ConfigError(complaint(where, "names of columns, as in ['age', 'sex']", received));
  }
  const names = columns.map(({ name }) => name);
  const places = chosen.map((name) => columnPlace(where, names, name));
  const twice = chosen.find((name, i) => chosen.indexOf(name) !== i);
  if (twice === undefined) return places;
  throw new ConfigError(complaint(where, 'each column once', `'${twice}' twice`));
}

/**
 * Values that are given, by column place.
 *
 * @throws ConfigError for unknown columns and categories, none or all of the columns
 */
export function givenValues(
  where: string,
  columns: readonly Column[],
  given: Readonly<Record<string, number | string>>,
): Map<number, number> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConfigError(complaint(where, 'values by column, as in { age: 40 }', named(given)[0]));
  }
  const places = chosenPlaces(where, columns, Object.keys(given));
  if (places.length === columns.length) {
    throw new ConfigError(complaint(where, 'a column that is not given', 'values of all', 'Ask logProb.'));
  }
  const values = Object.values(given).map((value, i) => numberOf(where, columns[places[i]], value));
  return new Map(places.map((place, i) => [place, values[i]]));
}

/** Throws a DataError for a value that is given off its support. */
export function checkGiven(
  where: string,
  columns: readonly Column[],
  given: ReadonlyMap<number, number>,
): void {
  const chosen = [...given.keys()].map((place) => columns[place]);
  checkRows(where, chosen, Float32Array.from(given.values()));
}

/**
 * Throws a ConfigError where importance sampling would have to draw shares of a whole, whose density is one of a surface, or where
 * only some of them are given.
 */
export function checkShares(where: string, flow: ColumnFlow, given: readonly number[]): void {
  if (factorsOf(flow, given) !== undefined) return;
  const share = flow.columns.find(
    ({ support }, place) => support.kind === 'simplex' && !given.includes(place),
  );
  if (share === undefined) return;
  const hint = 'Samples of any columns: flow.sampleTable(n).select([...]).';
  throw new ConfigError(complaint(where, `the share '${share.name}' among the columns`, 'none', hint));
}
