import type * as Plot from '@observablehq/plot';
import { type CornerColumn, scattered } from './cornerColumns';
import type { PlotModule } from './draw';

/** Points of one group that a panel shows. */
const MOST_POINTS = 600;
/** Bars of a histogram of numbers. */
const BARS = 28;
/** Half of the width that the bars or boxes of one value share. */
const HALF = 0.4;

/** What is drawn in one panel. */
export type Panel = (plot: PlotModule, colours: readonly string[]) => Plot.Markish[];

/** Histograms of one column, one per group: shares of a group's values, scaled to a highest of 1. */
export function histogramPanel(column: CornerColumn): Panel {
  return (plot, colours) => {
    const bars = column.groups.map((values) =>
      column.kind === 'real' ? densityBars(column, values) : valueBars(values),
    );
    const highest = bars.flat().reduce((most, { height }) => Math.max(most, height), 0);
    return bars.flatMap((group, g) => {
      const scaled = group.map((bar) => ({ ...bar, height: bar.height / highest }));
      if (column.kind !== 'real') {
        const [left, right] = besides(g, bars.length);
        const rows = scaled.map(({ at, height }) => ({ x1: at + left, x2: at + right, y: height }));
        return [plot.rect(rows, { x1: 'x1', x2: 'x2', y1: 0, y2: 'y', fill: colours[g], fillOpacity: 0.7 })];
      }
      const line = scaled.flatMap(({ at, width, height }) => [
        { x: at, y: height },
        { x: at + width, y: height },
      ]);
      const outline = plot.lineY(line, { x: 'x', y: 'y', stroke: colours[g], strokeWidth: 1.5 });
      if (g > 0) return [outline];
      return [plot.areaY(line, { x: 'x', y1: 0, y2: 'y', fill: colours[g], fillOpacity: 0.25 }), outline];
    });
  };
}

/** Two columns against each other: points and contours, boxes where one has few values, discs where both have. */
export function pairPanel(x: CornerColumn, y: CornerColumn): Panel {
  if (x.values.length > 0 && y.values.length > 0) return discs(x, y);
  if (x.values.length > 0) return boxes(x, y, false);
  if (y.values.length > 0) return boxes(y, x, true);
  return pointsAndContours(x, y);
}

function pointsAndContours(x: CornerColumn, y: CornerColumn): Panel {
  return (plot, colours) => {
    const groups = x.groups.map((values, g) => {
      const [xs, ys] = [scattered(x, values), scattered(y, y.groups[g])];
      return shown(values.length).map((i) => ({ x: xs[i], y: ys[i] }));
    });
    const opacity = (count: number) => Math.min(0.8, Math.max(0.3, 200 / count));
    const [first, ...others] = groups;
    const points = plot.dot(first, {
      x: 'x',
      y: 'y',
      r: 1.3,
      fill: colours[0],
      fillOpacity: opacity(first.length),
      clip: true,
    });
    const lines = (group: typeof first, g: number) =>
      plot.density(group, {
        x: 'x',
        y: 'y',
        stroke: colours[g],
        strokeWidth: 1.1,
        bandwidth: 9,
        thresholds: 5,
        clip: true,
      });
    return [
      points,
      ...(others.length === 0 ? [lines(first, 0)] : others.map((group, g) => lines(group, g + 1))),
    ];
  };
}

/** Quantiles of numbers for each of a few values: 5 % to 95 % thin, half of them thick, the median white. */
function boxes(of: CornerColumn, numbers: CornerColumn, across: boolean): Panel {
  return (plot, colours) =>
    of.groups.flatMap((places, g) => {
      const [left, right] = besides(g, of.groups.length);
      const rows = of.values.flatMap((value) => {
        const values = numbers.groups[g].filter((_, i) => places[i] === value).sort();
        if (values.length === 0) return [];
        const at = (share: number) => values[Math.round(share * (values.length - 1))];
        const middle = value + (left + right) / 2;
        const half = (right - left) / 2;
        return [
          {
            middle,
            low: value + left,
            high: value + right,
            half,
            q: [0.05, 0.25, 0.5, 0.75, 0.95].map(at),
          },
        ];
      });
      type Row = (typeof rows)[number];
      const q = (i: number) => (row: Row) => row.q[i];
      const turned = (category: string | ((row: Row) => number), low: number, high: number) =>
        across ? { y: category, x1: q(low), x2: q(high) } : { x: category, y1: q(low), y2: q(high) };
      const rule = across ? plot.ruleY : plot.ruleX;
      const tick = across ? { x: q(2), y1: 'low', y2: 'high' } : { y: q(2), x1: 'low', x2: 'high' };
      const box = across
        ? { y1: 'low', y2: 'high', x1: q(1), x2: q(3) }
        : { x1: 'low', x2: 'high', y1: q(1), y2: q(3) };
      return [
        rule(rows, { ...turned('middle', 0, 4), stroke: colours[g], strokeWidth: 1.2, clip: true } as never),
        plot.rect(rows, { ...box, fill: colours[g], fillOpacity: 0.75, clip: true } as never),
        (across ? plot.ruleX : plot.ruleY)(rows, {
          ...tick,
          stroke: 'white',
          strokeWidth: 1.5,
          clip: true,
        } as never),
      ];
    });
}

/** Discs whose areas are the shares of two values together. */
function discs(x: CornerColumn, y: CornerColumn): Panel {
  // Pixels of a disc of all: beside each other they stay apart.
  const whole = Math.min(16, 70 / x.values.length);
  return (plot, colours) =>
    x.groups.flatMap((places, g) => {
      const [left, right] = besides(g, x.groups.length);
      const counts = new Map<string, number>();
      places.forEach((place, i) => {
        const key = `${place} ${y.groups[g][i]}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      });
      const rows = [...counts].map(([key, count]) => {
        const [a, b] = key.split(' ').map(Number);
        return { x: a + (left + right) / 2, y: b, r: whole * Math.sqrt(count / places.length) };
      });
      return [
        plot.dot(rows, {
          x: 'x',
          y: 'y',
          r: { value: 'r', scale: null } as never,
          fill: colours[g],
          fillOpacity: 0.7,
        }),
      ];
    });
}

/** Where the g-th of several bars of one value stands, from its middle. */
function besides(g: number, groups: number): [left: number, right: number] {
  const width = (2 * HALF) / groups;
  return [g * width - HALF, (g + 1) * width - HALF];
}

function shown(count: number): number[] {
  const taken = Math.min(count, MOST_POINTS);
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken));
}

interface Bar {
  at: number;
  width: number;
  height: number;
}

function densityBars({ domain: [low, high] }: CornerColumn, values: Float64Array): Bar[] {
  const width = (high - low) / BARS;
  const counts = new Float64Array(BARS);
  for (const value of values) {
    const bar = Math.floor((value - low) / width);
    if (bar >= 0 && bar < BARS) counts[bar]++;
  }
  return Array.from(counts, (count, i) => ({ at: low + i * width, width, height: count / values.length }));
}

function valueBars(values: Float64Array): Bar[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([at, count]) => ({ at, width: 1, height: count / values.length }));
}
