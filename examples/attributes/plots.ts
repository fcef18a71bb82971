import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { type MixedNormalityReport, normality } from 'tfjs-flows/attributes';

const WIDTH = 420;
const HEIGHT = 320;
const { document } = parseHTML('<html><body></body></html>');
const shared = {
  document,
  width: WIDTH,
  height: HEIGHT,
  marginLeft: 64,
  style: { background: 'white' },
} as const;

/** Learnable strengths of one sample. */
export interface RangeRow {
  name: string;
  prior: readonly [number, number];
  own: readonly [number, number];
  /** Strength that was applied. */
  applied: number;
}

/** Quantiles of samples against those of a normal with their mean and deviation. */
export function quantilePlot(groups: Record<string, Float64Array>): string {
  const points = Object.entries(groups).flatMap(([group, values]) => {
    const { quantilePlot: plot, mean, standardDeviation } = normality(values);
    return Array.from(plot.theoretical, (x, i) => ({
      x,
      y: (plot.observed[i] - mean) / standardDeviation,
      group,
    }));
  });
  return draw({
    ...shared,
    title: 'Normal quantiles of the position along the direction',
    x: { label: 'standard normal' },
    y: { label: 'sample, standardized', labelAnchor: 'center' },
    color: { legend: false, domain: Object.keys(groups) },
    marks: [
      Plot.link([0], { x1: -3.5, y1: -3.5, x2: 3.5, y2: 3.5, stroke: '#bbb' }),
      Plot.dot(points, { x: 'x', y: 'y', stroke: 'group', r: 2 }),
      Plot.text(
        Object.keys(groups).map((group, i) => ({ group, x: -3, y: 3 - 0.4 * i })),
        { x: 'x', y: 'y', text: 'group', fill: 'group', textAnchor: 'start' },
      ),
    ],
  });
}

/** Distance from normal against the number of mixed classes, with its band, the control and the bound. */
export function mixingPlot({ curve, epsilon, statements }: MixedNormalityReport): string {
  const points = curve.map((point) => ({ ...point }));
  return draw({
    ...shared,
    title: `W1 excess of mixtures: near normal ${statements.equivalence.verdict}`,
    x: {
      type: 'log',
      label: 'subclasses mixed',
      ticks: points.map(({ classes }) => classes),
      tickFormat: 'd',
    },
    y: { label: 'excess, standard deviations', labelAnchor: 'center', zero: true },
    marks: [
      Plot.ruleY([epsilon], { stroke: '#d73027', strokeDasharray: '4,3' }),
      Plot.ruleY([0], { stroke: '#bbb' }),
      Plot.areaY(points, { x: 'classes', y1: 'low', y2: 'high', fill: '#316ebe', fillOpacity: 0.15 }),
      Plot.lineY(points, { x: 'classes', y: 'excess', stroke: '#316ebe', marker: true }),
      Plot.lineY(points, { x: 'classes', y: 'control', stroke: '#888', strokeDasharray: '2,3' }),
    ],
  });
}

/** What may be done to every sample: own range, range of the prior, and the strength applied. */
export function rangePlot(rows: readonly RangeRow[]): string {
  return draw({
    ...shared,
    title: 'Learnable strengths of the five samples',
    x: { label: 'strength (1 = without to with the attribute)' },
    y: { label: null, domain: rows.map(({ name }) => name), padding: 0.5 },
    marks: [
      Plot.ruleX([0], { stroke: '#bbb' }),
      Plot.ruleY(rows, {
        y: 'name',
        x1: (row: RangeRow) => row.prior[0],
        x2: (row: RangeRow) => row.prior[1],
        stroke: '#316ebe',
        strokeOpacity: 0.4,
        strokeWidth: 8,
      }),
      Plot.ruleY(rows, {
        y: 'name',
        x1: (row: RangeRow) => row.own[0],
        x2: (row: RangeRow) => row.own[1],
        stroke: '#1a9850',
        strokeWidth: 4,
      }),
      Plot.dot(rows, { y: 'name', x: 'applied', fill: 'black', r: 4 }),
    ],
  });
}

/** Plots side by side in one SVG. */
export function page(title: string, plots: readonly string[]): string {
  const width = plots.length * WIDTH;
  const parts = plots.map((svg, i) => svg.replace('<svg', `<svg x="${i * WIDTH}" y="0"`));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT + 30}" viewBox="0 0 ${width} ${HEIGHT + 30}">
<title>${title}</title>
<rect width="100%" height="100%" fill="white"/>\n${parts.join('\n')}\n</svg>\n`;
}

function draw({ title, ...options }: Plot.PlotOptions & { title: string }): string {
  const figure = Plot.plot({ ...options, marginTop: 40 });
  // Plot's style sheets are for pages; nothing in a picture needs them.
  const svg = figure.outerHTML.replace(/<style>.*?<\/style>/gs, '');
  return svg.replace(
    /(<svg[^>]*>)/,
    `$1<title>${title}</title><text x="${WIDTH / 2}" y="16" text-anchor="middle" font-weight="bold" font-size="13">${title}</text>`,
  );
}
