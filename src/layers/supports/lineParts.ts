import { largest } from '../../core/lists';
import type { Shape } from '../../core/shapes';
import type { Bijector } from '../bijector';
import { type BijectorBuilder, Chain } from '../chain';
import { Flatten } from '../flatten';
import { Bounded } from './bounded';
import type { Column } from './columns';
import { Factorized } from './factorized';
import { HeavyTails } from './heavyTails';
import { MarginalQuantiles } from './marginalQuantiles';
import { Ordered } from './ordered';
import { Simplex } from './simplex';
import type { Support } from './support';

/** Columns that go to the line together. */
export interface LinePart {
  columns: readonly number[];
  /** Where their values lie. */
  support: Support;
  /** How many values they are there. */
  size: number;
}

/** The columns that are neither categories nor angles, by the layers that take them to the line. */
export function lineParts(columns: readonly Column[]): LinePart[] {
  const parts = new Map<string, { columns: number[]; support: Support }>();
  columns.forEach(({ support }, i) => {
    if (support.kind === 'categorical' || support.kind === 'circular') return;
    const key = isOnLine(support) ? '' : JSON.stringify(support);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, { columns: [i], support });
    else part.columns.push(i);
  });
  return [...parts.values()].map((part) => ({
    ...part,
    size: part.columns.length - Number(part.support.kind === 'simplex'),
  }));
}

/** Names of the values on the line. */
export function namesOnLine(columns: readonly Column[], parts: readonly LinePart[]): string[] {
  return parts.flatMap((part) => part.columns.slice(0, part.size).map((column) => columns[column].name));
}

/** The layer that takes the parts' columns to the line; none where they are there already. */
export function supportLayers(parts: readonly LinePart[]): BijectorBuilder[] {
  if (parts.every(({ support }) => isOnLine(support))) return [];
  const inOrder = parts.flatMap(({ columns }) => columns).sort((a, b) => a - b);
  return [
    (inputShape) =>
      new Factorized({
        inputShape,
        name: 'supports',
        factors: parts.map(({ columns, support }, i) => ({
          columns: columns.map((column) => inOrder.indexOf(column)),
          bijector: layerOf(support, [columns.length], `${support.kind}${i}`),
        })),
      }),
  ];
}

/** Whether a support is the line itself. */
function isOnLine(support: Support): boolean {
  const hasEnds = 'low' in support || 'high' in support;
  return support.kind === 'real' || ((support.kind === 'bounded' || support.kind === 'integer') && !hasEnds);
}

function layerOf(support: Support, inputShape: Shape, name: string): Bijector {
  switch (support.kind) {
    case 'bounded': {
      const { low, high, epsilon = 0, map } = support;
      const width = low === undefined || high === undefined ? 1 : high - low;
      return isOnLine(support)
        ? unchanged(inputShape, name)
        : new Bounded({ inputShape, name, map, ...widened(low, high, epsilon * width) });
    }
    case 'integer': {
      const { low, high } = support;
      // A whole number k is a point of [k, k + 1).
      const end = high === undefined ? undefined : high + 1;
      return isOnLine(support)
        ? unchanged(inputShape, name)
        : new Bounded({ inputShape, name, ...widened(low, end, marginOf(low, end)) });
    }
    case 'heavyTailed':
      return support.map === 'quantiles'
        ? quantiles(inputShape, name)
        : new HeavyTails({ inputShape, name, map: support.map });
    case 'ordered':
      return new Ordered({ inputShape, name });
    case 'simplex':
      return new Simplex({ inputShape, name });
    default:
      return unchanged(inputShape, name);
  }
}

/** Far values drawn in first: a spline's pieces cannot lie decades apart. */
function quantiles(inputShape: Shape, name: string): Bijector {
  const bijectors = [new HeavyTails({ inputShape }), new MarginalQuantiles({ inputShape })];
  return new Chain({ bijectors, name });
}

/** Room for noise that comes to the very ends of the first and the last whole number; float32 has to tell it. */
function marginOf(...ends: (number | undefined)[]): number {
  return (
    2 ** -10 *
    largest(
      ends.map((end = 0) => Math.abs(end) * 2 ** -11),
      1,
    )
  );
}

function widened(
  low: number | undefined,
  high: number | undefined,
  by: number,
): { low?: number; high?: number } {
  return {
    ...(low === undefined ? {} : { low: low - by }),
    ...(high === undefined ? {} : { high: high + by }),
  };
}

/** Of vectors, which Flatten leaves as they are. */
function unchanged(inputShape: Shape, name: string): Bijector {
  return new Flatten({ inputShape, name });
}
