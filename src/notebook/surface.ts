import { complaint, FlowError } from '../core/errors';
import type { Figure } from './figure';

/** A place in a notebook that shows one figure at a time. */
export interface Surface {
  /** Shows the figure in place of the one before. */
  put(figure: Figure): Promise<void>;
  /** The place in a page; kernels have none. */
  element?: HTMLElement;
}

interface TslabDisplay {
  raw(type: string, content: string | Uint8Array): void;
}

interface DenoJupyter {
  broadcast(type: string, content: object): Promise<void>;
}

/** What the kernels leave in the global scope. */
interface Kernels {
  __tslab__?: { require(name: 'tslab'): { newDisplay(): TslabDisplay } };
  Deno?: { jupyter?: DenoJupyter };
}

/**
 * A new place where the program runs: an output of the present cell in tslab or in Deno's kernel, an element in a page.
 *
 * @throws FlowError anywhere else
 */
export function openSurface(where: string): Surface {
  const { __tslab__: tslab } = globalThis as Kernels;
  if (tslab !== undefined) return tslabSurface(tslab.require('tslab').newDisplay());
  const jupyter = denoJupyter();
  if (jupyter !== undefined) return denoSurface(jupyter);
  if (typeof document !== 'undefined') return pageSurface(document.createElement('div'));
  const hint = 'Elsewhere write figure.content to a file.';
  throw new FlowError(complaint(where, "tslab, Deno's Jupyter kernel or a page", 'none of them', hint));
}

function tslabSurface(display: TslabDisplay): Surface {
  return {
    async put({ type, content }) {
      display.raw(type, content);
    },
  };
}

/** Deno's kernel; in other Deno programs the name exists and throws. */
function denoJupyter(): DenoJupyter | undefined {
  try {
    return (globalThis as Kernels).Deno?.jupyter;
  } catch {
    return undefined;
  }
}

function denoSurface(jupyter: DenoJupyter): Surface {
  const displayId = crypto.randomUUID();
  let message = 'display_data';
  return {
    async put(figure) {
      const type = message;
      message = 'update_display_data';
      const transient = { display_id: displayId };
      await jupyter.broadcast(type, { data: figure.mimeBundle(), metadata: {}, transient });
    },
  };
}

function pageSurface(element: HTMLElement): Surface {
  return {
    element,
    async put(figure) {
      element.replaceChildren(figure.toElement());
    },
  };
}
