import { complaint, DataError } from '../core/errors';
import { type Column, groupsOf, showColumn } from '../layers/supports/columns';
import type { Support } from '../layers/supports/support';

/** Largest whole number whose bin float32 can fill with noise. */
export const MOST_WHOLE = 2 ** 22;

/** How far shares may be from a sum of 1. */
export const SHARES_OFF = 1e-3;

/** What keeps a row from being an event of the flow. */
interface Fault {
  /** 'off': its density is 0; 'refused': it cannot be said whether, as on an open end. */
  kind: 'off' | 'refused';
  expected: string;
  received: string;
  hint?: string;
}

/** What keeps a single value from its column; undefined where nothing does. */
type ValueCheck = (value: number) => Fault | undefined;

/**
 * Looks at rows of columns on the host, where data come from.
 *
 * @param values row-major
 * @returns the rows off their supports
 * @throws DataError for a value that is not finite, on an open end, or off a circle; it names row, column and value
 */
export function rowsOff(where: string, columns: readonly Column[], values: ArrayLike<number>): number[] {
  const off: number[] = [];
  eachFault(columns, values, (row, fault) => {
    if (fault.kind === 'refused') throw faultError(where, row, fault);
    off.push(row);
  });
  return off;
}

/** The rows that are no events of the flow, whatever keeps them from it. */
export function noEvents(columns: readonly Column[], values: ArrayLike<number>): number[] {
  const rows: number[] = [];
  eachFault(columns, values, (row) => rows.push(row));
  return rows;
}

/**
 * Throws a DataError for the first row that is off its supports, too.
 *
 * @param firstRow number of the first row, for messages
 */
export function checkRows(
  where: string,
  columns: readonly Column[],
  values: ArrayLike<number>,
  firstRow = 0,
): void {
  eachFault(columns, values, (row, fault) => {
    throw faultError(where, row + firstRow, fault);
  });
}

function faultError(where: string, row: number, { expected, received, hint }: Fault): DataError {
  return new DataError(complaint(where, expected, `${received} in row ${row}`, hint));
}

/** Visits rows with a fault: a refusal where there is one, else the first. */
function eachFault(
  columns: readonly Column[],
  values: ArrayLike<number>,
  visit: (row: number, fault: Fault) => void,
): void {
  const { checks, groups } = checksOf(columns);
  const d = columns.length;
  for (let row = 0; row * d < values.length; row++) {
    let first: Fault | undefined;
    for (let j = 0; j < d; j++) {
      const fault = checks[j](values[row * d + j]);
      if (fault !== undefined && (first === undefined || fault.kind === 'refused')) first = fault;
    }
    for (const check of groups) first ??= check((column) => values[row * d + column]);
    if (first !== undefined) visit(row, first);
  }
}

interface Checks {
  checks: readonly ValueCheck[];
  groups: readonly GroupCheck[];
}

/** The checks of a flow's columns: made once, as they are asked in every pass. */
const made = new WeakMap<readonly Column[], Checks>();

function checksOf(columns: readonly Column[]): Checks {
  const before = made.get(columns);
  if (before !== undefined) return before;
  const checks = { checks: columns.map(valueCheck), groups: groupChecks(columns) };
  made.set(columns, checks);
  return checks;
}

function valueCheck({ name, support }: Column): ValueCheck {
  const column = showColumn(name);
  const inside = insideOf(column, support);
  return (value) =>
    Number.isFinite(value)
      ? inside(value)
      : {
          kind: 'refused',
          expected: `finite values in ${column}`,
          received: String(value),
          hint: 'Clean the data first: leave such rows out, or fill them in.',
        };
}

function insideOf(column: string, support: Support): ValueCheck {
  const fault = (kind: Fault['kind'], expected: string, hint = ''): ((value: number) => Fault) => {
    return (value) => ({ kind, expected: `${column} ${expected}`, received: String(value), hint });
  };
  switch (support.kind) {
    case 'bounded': {
      const { low, high, epsilon } = support;
      const [least, largest] = endsOf(low, high);
      const off = fault('off', between(low, high));
      if (epsilon !== undefined)
        return (value) => (value >= least && value <= largest ? undefined : off(value));
      const shown = `[${low ?? -Infinity}, ${high ?? Infinity}]`;
      const onEnd = fault(
        'refused',
        between(low, high),
        `{ within: ${shown} } as its support takes in the ends.`,
      );
      return (value) => {
        if (value > least && value < largest) return undefined;
        return value === least || value === largest ? onEnd(value) : off(value);
      };
    }
    case 'integer': {
      const [least, largest] = endsOf(support.low ?? -MOST_WHOLE, support.high ?? MOST_WHOLE);
      const whole = support.low === undefined && support.high === undefined;
      const off = fault('off', `to be whole numbers${whole ? '' : ` from ${least} to ${largest}`}`);
      return (value) =>
        Number.isInteger(value) && value >= least && value <= largest ? undefined : off(value);
    }
    case 'categorical': {
      const last = support.categories - 1;
      const off = fault('off', `to be categories 0 .. ${last}`);
      return (value) => (Number.isInteger(value) && value >= 0 && value <= last ? undefined : off(value));
    }
    case 'circular': {
      if (support.wrap) return () => undefined;
      const [least, largest] = endsOf(support.low, support.high);
      const hint = '{ circular: [low, high], wrap: true } as its support brings other turns into the first.';
      const beyond = fault('refused', `on its circle from ${support.low} to ${support.high}`, hint);
      return (value) => (value >= least && value <= largest ? undefined : beyond(value));
    }
    case 'simplex': {
      const onEnd = fault(
        'refused',
        'to be a share above 0',
        'Add a small number to all, and divide by their sum.',
      );
      const off = fault('off', 'to be a share above 0');
      return (value) => (value > 0 ? undefined : value === 0 ? onEnd(value) : off(value));
    }
    default:
      return () => undefined;
  }
}

type GroupCheck = (at: (column: number) => number) => Fault | undefined;

function groupChecks(columns: readonly Column[]): GroupCheck[] {
  const show = (column: number) => showColumn(columns[column].name);
  const ordered = groupsOf(columns, 'ordered').map(
    (group): GroupCheck =>
      (at) => {
        const place = group.findIndex((column, i) => i > 0 && !(at(column) > at(group[i - 1])));
        if (place < 0) return undefined;
        const [before, value] = [at(group[place - 1]), at(group[place])];
        return {
          kind: value === before ? 'refused' : 'off',
          expected: `${show(group[place])} above ${show(group[place - 1])}, ${before}`,
          received: String(value),
        };
      },
  );
  const shares = groupsOf(columns, 'simplex').map(
    (group): GroupCheck =>
      (at) => {
        const sum = group.reduce((total, column) => total + at(column), 0);
        if (Math.abs(sum - 1) <= SHARES_OFF) return undefined;
        return {
          kind: 'off',
          expected: `${group.map(show).join(', ')} to sum to 1`,
          received: String(Number(sum.toPrecision(6))),
          hint: 'Divide them by their sum.',
        };
      },
  );
  return [...ordered, ...shares];
}

/** Ends as float32 has them, in which the data are. */
function endsOf(low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY): [number, number] {
  return [Math.fround(low), Math.fround(high)];
}

function between(low: number | undefined, high: number | undefined): string {
  if (high === undefined) return `above ${low}`;
  return low === undefined ? `below ${high}` : `between ${low} and ${high}`;
}
