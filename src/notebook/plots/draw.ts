import type * as Plot from '@observablehq/plot';
import { complaint, FlowError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { escapeMarkup, Figure } from '../figure';

/** Size of a plot. */
export interface PlotSize {
  /** Pixels. Default: 420. */
  width?: number;
  /** Pixels. Default: 320. */
  height?: number;
}

/** Options that every plot has. */
export interface PlotLabels extends PlotSize {
  /** Line above the plot. */
  title?: string;
}

const labels: OptionNames<PlotLabels> = { title: true, width: true, height: true };

/** Throws a ConfigError for an option that is neither one of every plot's nor among `own`. */
export function checkPlotOptions<T extends PlotLabels>(
  where: string,
  options: T,
  own: OptionNames<Omit<T, keyof PlotLabels>>,
): void {
  checkOptions<object>(where, options, { ...labels, ...own });
}

/** Pixels around the frame of a plot. */
export const margins = { marginLeft: 64, marginTop: 40, marginRight: 20, marginBottom: 36 } as const;

/** Observable Plot, as it was imported. */
export type PlotModule = typeof Plot;

/** Colours of lines and points that are told apart by nothing else. */
export const palette = {
  main: '#316ebe',
  own: '#1a9850',
  limit: '#d73027',
  quiet: '#888',
  rule: '#bbb',
} as const;

/**
 * A plot as an SVG figure on white, with its title.
 *
 * @param make from Observable Plot to the plot's options
 * @throws FlowError where @observablehq/plot is not installed, or linkedom outside a page
 */
export async function draw(
  where: string,
  title: string,
  size: PlotSize,
  make: (plot: PlotModule) => Plot.PlotOptions,
): Promise<Figure> {
  const { width = 420, height = 320 } = size;
  const plot = await loadPlot(where);
  const options = { width, height, ...margins, ...make(plot) };
  return figureOf(title, width, await svgOf(where, plot, options));
}

/** Observable Plot, to draw with it more than once. */
export function loadPlot(where: string): Promise<PlotModule> {
  return load(where, '@observablehq/plot', () => import('@observablehq/plot'));
}

/** A drawn plot, as the attributes of its element and what stands in it. */
export interface Svg {
  attributes: string;
  inside: string;
}

/** Draws one plot on white. */
export async function svgOf(where: string, plot: PlotModule, options: Plot.PlotOptions): Promise<Svg> {
  const style = { background: 'white', color: 'black' };
  const figure = plot.plot({ document: await documentFor(where), style, ...options });
  // Plot's style sheets are for pages; nothing in a picture needs them. A file needs the namespace, which an element has anyway.
  const inside = figure.innerHTML.replace(/<style>.*?<\/style>/gs, '').replace(/="[^"]*"/g, shortened);
  const attributes = /^<svg([^>]*)>/.exec(figure.outerHTML)![1].replace(/ xmlns="[^"]*"/, '');
  return { attributes, inside };
}

/** An attribute to a hundredth of a pixel, which halves a picture of many points. */
function shortened(attribute: string): string {
  return attribute.replace(/\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2))));
}

/** A drawing of the given width with its title above. */
export function figureOf(title: string, width: number, { attributes, inside }: Svg): Figure {
  const text = escapeMarkup(title);
  const heading = `<text x="${width / 2}" y="16" text-anchor="middle" font-weight="bold" font-size="13">${text}</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg"${attributes}><title>${text}</title>${heading}${inside}</svg>`;
  return new Figure('image/svg+xml', svg, title);
}

/** Names in their colours, one below the other in the upper left corner. */
export function key(plot: PlotModule, names: readonly string[]): Plot.Markish[] {
  return names.map((name, i) =>
    plot.text([name], {
      text: (text: string) => text,
      fill: (text: string) => text,
      frameAnchor: 'top-left',
      dx: 8,
      dy: 6 + 14 * i,
      stroke: 'white',
      strokeWidth: 4,
    }),
  );
}

async function documentFor(where: string): Promise<Document> {
  if (typeof document !== 'undefined') return document;
  const { parseHTML } = await load(where, 'linkedom', () => import('linkedom'));
  return parseHTML('<html><body></body></html>').document as unknown as Document;
}

async function load<T>(where: string, name: string, importIt: () => Promise<T>): Promise<T> {
  try {
    return await importIt();
  } catch (cause) {
    const hint = `Plots need it: npm install ${name}`;
    throw new FlowError(complaint(where, `the package ${name}`, 'none', hint), { cause } as never);
  }
}
