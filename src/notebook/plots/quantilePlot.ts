import { normality } from '../../attributes';
import type { VectorInput } from '../../statistics/inputs';
import type { Figure } from '../figure';
import { checkPlotOptions, draw, key, type PlotLabels, palette } from './draw';

/**
 * Quantiles of samples against those of a normal with their mean and deviation: normal samples lie on the line.
 *
 * @param groups samples by name, each in one colour
 * @throws ConfigError for an unknown option; DataError for fewer than 3 values or constant ones; FlowError without @observablehq/plot, or linkedom outside a page
 * @example
 * const random = new RandomStream(1);
 * await show(quantilePlot({ normal: random.normalArray(50), logNormal: random.normalArray(50).map(Math.exp) }));
 */
export async function quantilePlot(
  groups: Readonly<Record<string, VectorInput>>,
  options: PlotLabels = {},
): Promise<Figure> {
  checkPlotOptions('quantilePlot', options, {});
  const { title = 'Normal quantiles', ...size } = options;
  const points = Object.entries(groups).flatMap(([group, values]) => {
    const { quantilePlot: quantiles, mean, standardDeviation } = normality(values);
    return Array.from(quantiles.theoretical, (x, i) => ({
      x,
      y: (quantiles.observed[i] - mean) / standardDeviation,
      group,
    }));
  });
  const end = Math.ceil(points.reduce((most, { x }) => Math.max(most, x), 0));
  return draw('quantilePlot', title, size, (plot) => ({
    x: { label: 'standard normal' },
    y: { label: 'sample, standardized', labelAnchor: 'center' },
    color: { domain: Object.keys(groups) },
    marks: [
      plot.link([0], { x1: -end, y1: -end, x2: end, y2: end, stroke: palette.rule }),
      plot.dot(points, { x: 'x', y: 'y', stroke: 'group', r: 2 }),
      ...key(plot, Object.keys(groups)),
    ],
  }));
}
