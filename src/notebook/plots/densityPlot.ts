import * as tf from '@tensorflow/tfjs-core';
import { encodePng } from '../../data';
import type { Flow } from '../../flows';
import { type LatentsInput, toLatents } from '../../statistics/inputs';
import { dataUrl, type Figure } from '../figure';
import { checkPlotOptions, draw, margins, type PlotLabels, type PlotModule } from './draw';

/** Options of `densityPlot`. */
export interface DensityPlotOptions extends PlotLabels {
  /** Ends of the first axis. Default: [-4, 4]. */
  x?: readonly [number, number];
  /** Ends of the second axis. Default: [-4, 4]. */
  y?: readonly [number, number];
  /** Cells of the heat map along each axis. Default: 100. */
  cells?: number;
  /** Points to draw over it, [n, 2]. Default: none. */
  points?: LatentsInput;
}

/**
 * The density exp(log p) of a flow of the plane as a heat map; the colour goes with its square root, so that thin parts are seen.
 *
 * @param flow anything with logProb: [n, 2] -> [n], nats
 * @throws ConfigError for an unknown option; FlowError without @observablehq/plot, or linkedom outside a page
 * @example
 * const plane = realNvp({ dimensions: 2, seed: 1 });
 * await show(densityPlot(plane, { x: [-3, 3], y: [-3, 3], cells: 50 }));
 */
export async function densityPlot(
  flow: Pick<Flow, 'logProb'>,
  options: DensityPlotOptions = {},
): Promise<Figure> {
  checkPlotOptions('densityPlot', options, { x: true, y: true, cells: true, points: true });
  const { x = [-4, 4], y = [-4, 4], cells = 100, points, title = 'Density', ...size } = options;
  const density = await densityOn(flow, x, y, cells);
  const over = points === undefined ? undefined : toLatents('densityPlot', points);
  const { width = 420, height = 320 } = size;
  return draw('densityPlot', title, { width, height }, (plot) => ({
    x: { domain: [...x], label: 'x1' },
    y: { domain: [...y], label: 'x2', labelAnchor: 'center' },
    marks: [
      plot.image([dataUrl(heatMap(plot, density, cells))], {
        src: (url: string) => url,
        x: (x[0] + x[1]) / 2,
        y: (y[0] + y[1]) / 2,
        width: width - margins.marginLeft - margins.marginRight,
        height: height - margins.marginTop - margins.marginBottom,
        preserveAspectRatio: 'none',
      }),
      ...(over === undefined
        ? []
        : [
            plot.dot(
              Array.from({ length: over.rows }, (_, i) => over.row(i)),
              { x: '0', y: '1', fill: 'black', r: 1, fillOpacity: 0.5 },
            ),
          ]),
      plot.frame({ stroke: '#ddd' }),
    ],
  }));
}

/** Densities at the centres of the cells, row by row from the top. */
async function densityOn(
  flow: Pick<Flow, 'logProb'>,
  [left, right]: readonly [number, number],
  [bottom, top]: readonly [number, number],
  cells: number,
): Promise<Float64Array> {
  const centres = new Float32Array(2 * cells * cells);
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      const at = 2 * (row * cells + column);
      centres[at] = left + ((column + 0.5) / cells) * (right - left);
      centres[at + 1] = top - ((row + 0.5) / cells) * (top - bottom);
    }
  }
  const logProb = tf.tidy(() => flow.logProb(tf.tensor2d(centres, [cells * cells, 2])));
  const values = await logProb.data();
  logProb.dispose();
  return Float64Array.from(values, Math.exp);
}

function heatMap(plot: PlotModule, density: Float64Array, cells: number): Uint8Array {
  const highest = density.reduce((a, b) => Math.max(a, b), 0);
  const scale = plot.scale({ color: { type: 'sqrt', scheme: 'ylgnbu', domain: [0, highest] } })!;
  const data = new Uint8Array(3 * density.length);
  density.forEach((value, i) => {
    // d3's schemes answer in the form rgb(r, g, b).
    data.set(scale.apply(value).match(/\d+/g).map(Number), 3 * i);
  });
  return encodePng({ width: cells, height: cells, channels: 3, data });
}
