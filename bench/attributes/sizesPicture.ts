import { draw, type PlotModule } from '../../src/notebook/plots/draw';
import type { Banded, SizedData, SizePoint } from './sizes';

const [WIDTH, HEIGHT] = [360, 260];
const COLOURS = ['#316ebe', '#d97706', '#1a9850'];

/** One column per data set: excess of all classes, excess of single ones, and the ratio of complementarity, against size. */
export async function drawSizes(data: readonly SizedData[], attributes: readonly string[]): Promise<string> {
  const rows: {
    title: string;
    label: string;
    rule: number;
    lines: (point: SizePoint) => Record<string, Banded | null>;
  }[] = [
    {
      title: 'all classes mixed',
      label: 'root of the energy excess',
      rule: 0,
      lines: ({ mixture }) => mixture,
    },
    { title: 'one class', label: 'root of the energy excess', rule: 0, lines: ({ single }) => single },
    { title: 'complementarity', label: 'ratio', rule: 1, lines: ({ ratio }) => ({ ratio }) },
  ];
  const parts: string[] = [];
  for (const [y, { title, label, rule, lines }] of rows.entries()) {
    const of = (entry: SizedData) =>
      entry.points.flatMap((point) =>
        Object.entries(lines(point)).flatMap(([line, band]) =>
          band === null ? [] : [{ size: point.size, line, ...band }],
        ),
      );
    const all = data.flatMap(of);
    const domain = [
      Math.min(rule, ...all.map(({ low }) => low)),
      Math.max(rule, ...all.map(({ high }) => high)),
    ];
    for (const [x, entry] of data.entries()) {
      const points = of(entry);
      const names = [...new Set(points.map(({ line }) => line))];
      const figure = await draw(
        'sizes',
        `${entry.name}: ${title}`,
        { width: WIDTH, height: HEIGHT },
        (plot: PlotModule) => ({
          x: {
            type: 'log',
            label: 'samples per class',
            domain: [9, 550],
            ticks: [10, 20, 50, 100, 200, 500],
            tickFormat: 'd',
          },
          y: { label, labelAnchor: 'center', domain },
          color: {
            domain: y < 2 ? [...attributes] : ['ratio'],
            range: y < 2 ? COLOURS : ['#555'],
            legend: false,
          },
          marks: [
            plot.ruleY([rule], { stroke: '#bbb' }),
            ...(y < 2 ? [plot.ruleY([0.03], { stroke: '#d73027', strokeDasharray: '4,3' })] : []),
            plot.areaY(points, { x: 'size', y1: 'low', y2: 'high', fill: 'line', fillOpacity: 0.15 }),
            plot.lineY(points, { x: 'size', y: 'mean', stroke: 'line', marker: true }),
            ...names.flatMap((line, i) =>
              y === 0
                ? [
                    plot.text([line], {
                      text: (t: string) => t,
                      fill: (t: string) => t,
                      frameAnchor: 'top-right' as const,
                      dy: 4 + 14 * i,
                      dx: -6,
                      stroke: 'white',
                      strokeWidth: 4,
                    }),
                  ]
                : [],
            ),
          ],
        }),
      );
      parts.push(String(figure.content).replace('<svg', `<svg x="${x * WIDTH}" y="${y * HEIGHT}"`));
    }
  }
  const [width, height] = [data.length * WIDTH, rows.length * HEIGHT];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<title>Excess and complementarity against the number of samples per class</title>
<rect width="100%" height="100%" fill="white"/>\n${parts.join('\n')}\n</svg>\n`;
}
