import type { History } from '../../training';
import type { Figure } from '../figure';
import { checkPlotOptions, draw, type PlotLabels, palette } from './draw';

/** Options of `lossPlot`. */
export interface LossPlotOptions extends PlotLabels {
  /** Unit of the loss. Default: none. */
  unit?: string;
}

/** Points that the eye tells apart at this width. */
const MOST_POINTS = 400;

/**
 * The loss of every step (thin), the means of the epochs (thick) and the validation loss (green) of a run of `fit`.
 *
 * The first steps of a flow can lie far above the rest: the axis ends where 2 % of the steps are above it.
 *
 * @param history what `fit` resolved with
 * @throws ConfigError for an unknown option; FlowError without @observablehq/plot, or linkedom outside a page
 * @example
 * const history = await flow.fit(images, { steps: 1000 });
 * await show(lossPlot(history, { unit: 'bits per dimension' }));
 */
export async function lossPlot(
  { losses, epochs }: Pick<History, 'losses' | 'epochs'>,
  options: LossPlotOptions = {},
): Promise<Figure> {
  checkPlotOptions('lossPlot', options, { unit: true });
  const { unit, title = 'Loss', ...size } = options;
  const steps = binned(losses);
  const validation = epochs.filter(({ val_loss: loss }) => loss !== undefined);
  const shown = [...steps.map(({ loss }) => loss), ...validation.map(({ val_loss: loss }) => loss)];
  const sorted = shown.sort((a, b) => a - b);
  const highest = sorted[Math.floor(0.98 * (sorted.length - 1))];
  return draw('lossPlot', title, size, (plot) => ({
    x: { label: 'step' },
    y: {
      label: unit === undefined ? 'loss' : `loss, ${unit}`,
      labelAnchor: 'center',
      domain: [sorted[0], highest],
      clamp: true,
      nice: true,
    },
    marks: [
      plot.lineY(steps, { x: 'step', y: 'loss', stroke: palette.main, strokeOpacity: 0.35, strokeWidth: 1 }),
      plot.lineY(epochs, { x: 'step', y: 'loss', stroke: palette.main, strokeWidth: 2 }),
      plot.lineY(validation, { x: 'step', y: 'val_loss', stroke: palette.own, strokeWidth: 2 }),
    ],
  }));
}

/** Means over neighbouring steps, the same number of them but for rounding. */
function binned(losses: readonly number[]): { step: number; loss: number }[] {
  const bins = Math.min(losses.length, MOST_POINTS);
  return Array.from({ length: bins }, (_, i) => {
    const end = Math.floor(((i + 1) * losses.length) / bins);
    const bin = losses.slice(Math.floor((i * losses.length) / bins), end);
    return { step: end, loss: bin.reduce((sum, loss) => sum + loss, 0) / bin.length };
  });
}
