import type * as Plot from '@observablehq/plot';
import { ConfigError, complaint } from '../../core/errors';
import type { Table } from '../../data';
import type { LatentsInput } from '../../statistics/inputs';
import { escapeMarkup, type Figure } from '../figure';
import { type CornerColumn, cornerColumns } from './cornerColumns';
import { histogramPanel, type Panel, pairPanel } from './cornerPanels';
import { checkPlotOptions, figureOf, loadPlot, type PlotLabels, type PlotModule, svgOf } from './draw';

/** Options of `cornerPlot`. */
export interface CornerPlotOptions extends Omit<PlotLabels, 'height'> {
  /** Names of the columns to draw, in order. Default: those of the first group. */
  columns?: readonly string[];
  /** Pixels of the whole, which is a square. Default: 130 per column, and room for the labels. */
  width?: number;
}

/** Pixels around the panels, between them, and of the title. */
const ROOM = { left: 76, bottom: 46, right: 8, gap: 6, top: 26 } as const;
const PANEL = 130;
/** More would be too small to see. */
const MOST_COLUMNS = 16;
const COLOURS = ['#4e79a7', '#e15759', '#59a14f', '#b07aa1', '#f28e2b', '#76b7b2'];

/**
 * Every column and every pair of columns: histograms on the diagonal, pairs below. Of several groups, data and samples of a model for
 * one, the first is drawn as points and the others as contours of their density.
 *
 * Whole numbers and categories have bars; few of them against numbers have boxes (half of the values, 5 % to 95 %, the median white), and
 * against each other discs whose areas are shares. Axes end where 0.2 % of the values lie beyond.
 *
 * @param groups tables, or rows [n, d], by name; with the same columns
 * @throws ConfigError for an unknown option, no groups, or more than 16 columns; DataError for a column that a group lacks; FlowError
 * without @observablehq/plot, or linkedom outside a page
 * @example
 * const samples = await vectorFlow.sampleTable(200, { seed: 1 });
 * await show(cornerPlot({ data: patients, samples }, { title: 'Patients and samples' }));
 */
export async function cornerPlot(
  groups: Readonly<Record<string, Table | LatentsInput>>,
  options: CornerPlotOptions = {},
): Promise<Figure> {
  const where = 'cornerPlot';
  checkPlotOptions(where, options as PlotLabels & CornerPlotOptions, { columns: true });
  const names = Object.keys(groups);
  const { title = names.join(' and '), columns: chosen } = options;
  const columns = cornerColumns(where, groups, chosen);
  if (columns.length > MOST_COLUMNS) {
    const hint = 'Choose some: columns: [...].';
    throw new ConfigError(complaint(where, `at most ${MOST_COLUMNS} columns`, columns.length, hint));
  }
  const { left, right, top, bottom } = ROOM;
  const width = options.width ?? Math.max(left + right + PANEL * columns.length, 320);
  const size = (width - left - right) / columns.length;
  const plot = await loadPlot(where);
  const parts: string[] = [];
  for (const [row, y] of columns.entries()) {
    for (const [column, x] of columns.slice(0, row + 1).entries()) {
      const panel = row === column ? histogramPanel(x) : pairPanel(x, y);
      const place = { x: left + column * size, y: top + row * size };
      const axes = { x: row === columns.length - 1, y: column === 0 && row > 0 };
      parts.push(await drawn(where, plot, panel, x, row === column ? undefined : y, axes, place, size));
    }
  }
  const height = top + columns.length * size + bottom;
  const attributes = ` width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="10" style="background: white; color: black;" fill="currentColor"`;
  const legend = names.length > 1 ? key(names, width, top) : '';
  return figureOf(title, width, { attributes, inside: parts.join('') + legend });
}

/** One panel in its place, with axes to the left and below where they are asked for. */
async function drawn(
  where: string,
  plot: PlotModule,
  panel: Panel,
  x: CornerColumn,
  y: CornerColumn | undefined,
  axes: { x: boolean; y: boolean },
  place: { x: number; y: number },
  size: number,
): Promise<string> {
  const { left, bottom, gap } = ROOM;
  const { inside } = await svgOf(where, plot, {
    width: left + size,
    height: size + bottom,
    marginLeft: left,
    marginBottom: bottom,
    marginTop: gap,
    marginRight: gap,
    style: { background: 'transparent', fontSize: '10px', overflow: 'visible' },
    x: { ...axisOf(x), axis: null },
    y: y === undefined ? { domain: [0, 1.06], axis: null } : { ...axisOf(y), axis: null },
    marks: [
      plot.frame({ stroke: '#ccc' }),
      ...panel(plot, COLOURS),
      ...(axes.x
        ? [
            plot.axisX({
              ...ticksOf(x, size, 'x'),
              label: x.name,
              labelAnchor: 'center',
              labelOffset: 38,
              labelArrow: 'none',
            }),
          ]
        : []),
      ...(axes.y && y !== undefined
        ? [
            plot.axisY({
              ...ticksOf(y, size, 'y'),
              label: y.name,
              labelAnchor: 'center',
              labelOffset: 68,
              labelArrow: 'none',
            }),
          ]
        : []),
    ],
  });
  const at = `translate(${(place.x - left).toFixed(1)},${place.y.toFixed(1)})`;
  return `<g class="panel" transform="${at}" text-anchor="middle">${inside}</g>`;
}

function axisOf({ domain }: CornerColumn): Plot.ScaleOptions {
  return { domain, type: 'linear' };
}

/** Ticks of a column: categories by name, cut where they are long; whole numbers as such. */
function ticksOf({ kind, categories, values }: CornerColumn, size: number, side: 'x' | 'y'): object {
  // Beside each other below, below each other at the side.
  const letters = side === 'y' ? 9 : Math.max(3, Math.floor(size / 6.5 / values.length));
  const cut = (name: string) => (name.length > letters ? `${name.slice(0, letters - 1)}…` : name);
  if (kind === 'categorical') {
    return { ticks: [...values], tickFormat: (place: number) => cut(categories[place] ?? '') };
  }
  return values.length > 0 ? { ticks: [...values], tickFormat: String } : { ticks: size < 110 ? 3 : 4 };
}

/** Names of the groups in their colours, in the empty corner. */
function key(names: readonly string[], width: number, top: number): string {
  return names
    .map((name, g) => {
      const y = top + 20 + 18 * g;
      const colour = COLOURS[g % COLOURS.length];
      return `<text x="${width - 16}" y="${y}" text-anchor="end" font-size="13" font-weight="bold" fill="${colour}">${escapeMarkup(name)}</text>`;
    })
    .join('');
}
