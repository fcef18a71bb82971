import { complaint, ShapeError } from '../../core/errors';
import { type LatentsInput, toLatents } from '../../statistics/inputs';
import type { Figure } from '../figure';
import { checkPlotOptions, draw, key, type PlotLabels } from './draw';

/** Options of `scatterPlot`. */
export interface ScatterPlotOptions extends PlotLabels {
  /** Names of the axes. Default: 'x1' and 'x2'. */
  axes?: readonly [string, string];
}

/**
 * Points in the plane, in one colour per group.
 *
 * Shapes: [n, 2] per group.
 *
 * @param groups points by name
 * @throws ConfigError for an unknown option; ShapeError for other points than pairs; FlowError without @observablehq/plot, or linkedom outside a page
 * @example
 * await show(scatterPlot({ data: [[0, 1], [1, 0]], samples: [[1, 1]] }, { title: 'Data and samples' }));
 */
export async function scatterPlot(
  groups: Readonly<Record<string, LatentsInput>>,
  options: ScatterPlotOptions = {},
): Promise<Figure> {
  checkPlotOptions('scatterPlot', options, { axes: true });
  const { axes = ['x1', 'x2'], title = Object.keys(groups).join(' and '), ...size } = options;
  const points = Object.entries(groups).flatMap(([group, values]) => {
    const rows = toLatents('scatterPlot', values);
    if (rows.cols !== 2) throw new ShapeError(complaint('scatterPlot', '[n, 2]', [rows.rows, rows.cols]));
    return Array.from({ length: rows.rows }, (_, i) => ({ x: rows.at(i, 0), y: rows.at(i, 1), group }));
  });
  const names = Object.keys(groups);
  return draw('scatterPlot', title, size, (plot) => ({
    x: { label: axes[0], nice: true },
    y: { label: axes[1], nice: true, labelAnchor: 'center' },
    color: { domain: names },
    marks: [
      plot.frame({ stroke: '#ddd' }),
      plot.dot(points, { x: 'x', y: 'y', fill: 'group', r: 1.8, fillOpacity: 0.7 }),
      ...(names.length > 1 ? key(plot, names) : []),
    ],
  }));
}
