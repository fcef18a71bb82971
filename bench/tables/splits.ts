import { readFileSync } from 'node:fs';
import { gatherRows, type NdArray, readNpy, readNpz } from 'tfjs-flows';

/** Rows of float32 values, [n, d]. */
export type Rows = NdArray<Float32Array>;

/** One division of a table into rows to train on, to stop by and to judge by. */
export interface Split {
  train: Rows;
  validation: Rows;
  test: Rows;
  /** Where the rows to judge by belong among all that are judged. */
  places: Int32Array;
}

export const TABLES = ['wine_red', 'wine_white', 'parkinsons_15', 'ionosphere_32', 'two_moons'] as const;
export type TableName = (typeof TABLES)[number];

const FOLDS = 10;

/** The arrays of a file in `data`. */
export function readData(file: string): Record<string, NdArray> {
  return readNpz(readFileSync(new URL(`./data/${file}`, import.meta.url)));
}

/**
 * The splits that a table is judged by: one, that of the PyTorch figures, or ten folds in which each row is judged once.
 * Columns are in units of the standard deviation of the training rows, but those of two moons.
 *
 * @param ionosphere path of ionosphere_32.npy, which is not kept here
 */
export function splitsOf(name: TableName, ionosphere?: string): Split[] {
  const splits = readData('splits.npz');
  const parts = (['train', 'validation', 'test'] as const).map((part) => splits[`${name}_${part}`]);
  if (name === 'two_moons') {
    const [train, validation, test] = parts as Rows[];
    return [{ train, validation, test, places: counted(test.shape[0]) }];
  }
  if (name !== 'ionosphere_32') {
    const rows = parts.map(({ data }) => data as Int32Array);
    return [{ ...standardized(readData('tables.npz')[name] as Rows, rows), places: counted(rows[2].length) }];
  }
  if (ionosphere === undefined)
    throw new Error('ionosphere_32 needs --ionosphere and the path of ionosphere_32.npy');
  const table = readNpy(readFileSync(ionosphere)) as Rows;
  const fold = splits[`${name}_fold`].data as Int32Array;
  const rowsWhere = (belongs: (fold: number) => boolean) =>
    counted(fold.length).filter((i) => belongs(fold[i]));
  return Array.from({ length: FOLDS }, (_, k) => {
    const next = (k + 1) % FOLDS;
    const places = rowsWhere((f) => f === k);
    const rows = [rowsWhere((f) => f !== k && f !== next), rowsWhere((f) => f === next), places];
    return { ...standardized(table, rows), places };
  });
}

/** Three parts of a table in units of the first one's mean and standard deviation, by columns. */
function standardized(table: Rows, parts: Int32Array[]): Omit<Split, 'places'> {
  const d = table.shape[1];
  const [train, validation, test] = parts.map((rows) => gatherRows(table, rows));
  const n = train.shape[0];
  const mean = new Float64Array(d);
  const variance = new Float64Array(d);
  train.data.forEach((value, at) => {
    mean[at % d] += value / n;
  });
  train.data.forEach((value, at) => {
    variance[at % d] += (value - mean[at % d]) ** 2 / n;
  });
  const inUnits = ({ shape, data }: Rows): Rows => ({
    shape,
    data: data.map((value, at) => (value - mean[at % d]) / Math.sqrt(variance[at % d])),
  });
  return { train: inUnits(train), validation: inUnits(validation), test: inUnits(test) };
}

function counted(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}
