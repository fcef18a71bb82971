import type { MixedNormalityReport } from '../../attributes';
import type { Figure } from '../figure';
import { checkPlotOptions, draw, type PlotLabels, palette } from './draw';

/**
 * Distance from normal against the number of mixed subclasses: the curve with its band, the control with normal subclasses (dotted), and
 * the bound epsilon (red).
 *
 * @param report what `mixedNormality` returned
 * @throws ConfigError for an unknown option; FlowError without @observablehq/plot, or linkedom outside a page
 * @example
 * await show(mixingPlot(mixedNormality(labeled, { seed: 1 })));
 */
export async function mixingPlot(report: MixedNormalityReport, options: PlotLabels = {}): Promise<Figure> {
  checkPlotOptions('mixingPlot', options, {});
  const { curve, epsilon, nearNormal } = report;
  const { title = `Mixtures: near normal ${nearNormal}`, ...size } = options;
  const points = curve.map((point) => ({ ...point }));
  return draw('mixingPlot', title, size, (plot) => ({
    x: {
      type: 'log',
      label: 'subclasses mixed',
      ticks: points.map(({ subclasses }) => subclasses),
      tickFormat: 'd',
    },
    y: { label: 'root of the energy excess', labelAnchor: 'center', zero: true },
    marks: [
      plot.ruleY([epsilon], { stroke: palette.limit, strokeDasharray: '4,3' }),
      plot.ruleY([0], { stroke: palette.rule }),
      plot.areaY(points, { x: 'subclasses', y1: 'low', y2: 'high', fill: palette.main, fillOpacity: 0.15 }),
      plot.lineY(points, { x: 'subclasses', y: 'excess', stroke: palette.main, marker: true }),
      plot.lineY(points, { x: 'subclasses', y: 'control', stroke: palette.quiet, strokeDasharray: '2,3' }),
    ],
  }));
}
