import type { RandomStream } from '../../core/random';
import type { Column } from '../../layers/supports/columns';
import { type ColumnLine, lineOf } from './columnLine';
import type { Points } from './points';

/** Some columns of rows as points: those on lines, and categories beside them. */
export class ColumnPoints {
  /** Places of the columns on lines. */
  readonly onLine: readonly number[];
  /** Places of the categorical ones. */
  readonly ofCategories: readonly number[];
  private readonly lines: readonly ColumnLine[];

  /**
   * @param places the columns that it is about
   * @param rows rows of all columns, by which lines are scaled
   */
  constructor(
    private readonly columns: readonly Column[],
    places: readonly number[],
    rows: Float64Array,
  ) {
    const isCategory = (place: number) => columns[place].support.kind === 'categorical';
    this.onLine = places.filter((place) => !isCategory(place));
    this.ofCategories = places.filter(isCategory);
    const d = columns.length;
    const valuesOf = (place: number) =>
      Float64Array.from({ length: rows.length / d }, (_, i) => rows[i * d + place]);
    this.lines = this.onLine.map((place) => lineOf(columns[place], valuesOf(place)));
  }

  /** The points of rows [n, d]. */
  of(rows: Float64Array): Points {
    const d = this.columns.length;
    const count = rows.length / d;
    const { onLine, ofCategories, lines } = this;
    const [c, m] = [onLine.length, ofCategories.length];
    const line = new Float64Array(count * c);
    const categories = new Int32Array(count * m);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < c; j++) line[i * c + j] = lines[j].toLine(rows[i * d + onLine[j]]);
      for (let j = 0; j < m; j++) categories[i * m + j] = Math.floor(rows[i * d + ofCategories[j]]);
    }
    return { count, line, categories };
  }

  /** Writes points into rows [n, d]; categories stand in the middle of theirs. */
  write(points: Points, rows: Float64Array): void {
    const d = this.columns.length;
    const { onLine, ofCategories, lines } = this;
    const [c, m] = [onLine.length, ofCategories.length];
    for (let i = 0; i < points.count; i++) {
      for (let j = 0; j < c; j++) rows[i * d + onLine[j]] = lines[j].fromLine(points.line[i * c + j]);
      for (let j = 0; j < m; j++) rows[i * d + ofCategories[j]] = points.categories[i * m + j] + 0.5;
    }
  }

  /** log|dv/dx| of all lines of each point. */
  logSlopes({ count, line }: Points): Float64Array {
    const c = this.lines.length;
    const result = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < c; j++) result[i] += this.lines[j].logSlope(line[i * c + j]);
    }
    return result;
  }
}

/** Rows that all begin as a given one, whole numbers with a noise of their own. */
export function repeatedRow(
  columns: readonly Column[],
  given: ReadonlyMap<number, number>,
  n: number,
  random: RandomStream,
): Float64Array {
  const d = columns.length;
  const rows = new Float64Array(n * d);
  for (const [place, value] of given) {
    const { kind } = columns[place].support;
    for (let i = 0; i < n; i++) {
      const noise = kind === 'integer' ? random.uniformNumber() : kind === 'categorical' ? 0.5 : 0;
      rows[i * d + place] = value + noise;
    }
  }
  return rows;
}
