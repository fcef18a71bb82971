import type { Figure } from '../figure';
import { checkPlotOptions, draw, type PlotLabels, palette } from './draw';

/** Learnable strengths of one sample. */
export interface RangeRow {
  name: string;
  /** Strengths that the prior and the samples together allow: `range` of a LearnableRange. */
  prior: readonly [number, number];
  /** Strengths between those of the subclass's own samples. */
  own: readonly [number, number];
  /** Strength that was applied. Default: none is marked. */
  applied?: number;
}

/**
 * What may be done to every sample: range of the prior (wide, blue), own range (green) and the strength applied (dot).
 *
 * @throws ConfigError for an unknown option; FlowError without @observablehq/plot, or linkedom outside a page
 * @example
 * await show(rangePlot([{ name: 'sample 1', prior: [-1, 2], own: [-0.5, 0.5], applied: 1.5 }]));
 */
export async function rangePlot(rows: readonly RangeRow[], options: PlotLabels = {}): Promise<Figure> {
  checkPlotOptions('rangePlot', options, {});
  const { title = 'Learnable strengths', ...size } = options;
  return draw('rangePlot', title, size, (plot) => ({
    x: { label: 'strength' },
    y: { label: null, domain: rows.map(({ name }) => name), padding: 0.5 },
    marks: [
      plot.ruleX([0], { stroke: palette.rule }),
      plot.ruleY(rows, {
        y: 'name',
        x1: (row: RangeRow) => row.prior[0],
        x2: (row: RangeRow) => row.prior[1],
        stroke: palette.main,
        strokeOpacity: 0.4,
        strokeWidth: 8,
      }),
      plot.ruleY(rows, {
        y: 'name',
        x1: (row: RangeRow) => row.own[0],
        x2: (row: RangeRow) => row.own[1],
        stroke: palette.own,
        strokeWidth: 4,
      }),
      plot.dot(
        rows.filter(({ applied }) => applied !== undefined),
        { y: 'name', x: 'applied', fill: 'black', r: 4 },
      ),
    ],
  }));
}
