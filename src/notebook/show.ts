import type { Figure } from './figure';
import { openSurface } from './surface';

/**
 * Shows a figure where the program runs: below the cell in tslab and in Deno's kernel; in a page it makes an element, which a cell of
 * Observable returns.
 *
 * @returns the element in a page, nothing in a kernel
 * @throws FlowError in a program without a notebook
 * @example
 * await show(table([{ layer: 'actnorm', bits: 0.12 }]));
 */
export async function show(figure: Figure | Promise<Figure>): Promise<HTMLElement | undefined> {
  const made = await figure;
  const surface = openSurface('show');
  await surface.put(made);
  return surface.element;
}
