import { latin1 } from '../data/latin1';

/** What a notebook calls to learn how a value is shown: Deno's kernel looks for it on the last value of a cell. */
const jupyterDisplay: unique symbol = Symbol.for('Jupyter.display') as never;

/** Media types of figures. */
export type FigureType = 'image/png' | 'image/svg+xml' | 'text/html';

/**
 * Something to look at: a PNG, an SVG or a piece of HTML. The functions of this entry make them, `show` shows them.
 *
 * @example
 * const figure: Figure = table([{ layer: 'actnorm', bits: 0.12 }]);
 * figure.type; // 'text/html'
 */
export class Figure {
  constructor(
    readonly type: FigureType,
    /** The file's content: bytes of a PNG, else text. */
    readonly content: string | Uint8Array,
    /** One sentence for those who cannot see it. */
    readonly description: string,
  ) {}

  /** An element of the page: what a cell of Observable returns. */
  toElement(): HTMLElement {
    const element = document.createElement('div');
    if (this.content instanceof Uint8Array) {
      const image = document.createElement('img');
      image.src = dataUrl(this.content);
      image.alt = this.description;
      element.append(image);
      return element;
    }
    element.innerHTML = this.content;
    if (this.type === 'image/svg+xml') {
      element.setAttribute('role', 'img');
      element.setAttribute('aria-label', this.description);
    }
    return element;
  }

  /** Contents by media type, as the Jupyter protocol sends them. */
  mimeBundle(): Record<string, string> {
    const content = this.content instanceof Uint8Array ? base64(this.content) : this.content;
    return { [this.type]: content, 'text/plain': this.description };
  }

  [jupyterDisplay](): Record<string, string> {
    return this.mimeBundle();
  }
}

/** A PNG as a URL. */
export function dataUrl(png: Uint8Array): string {
  return `data:image/png;base64,${base64(png)}`;
}

function base64(bytes: Uint8Array): string {
  return btoa(latin1(bytes));
}

/** Text as it must stand in HTML and SVG. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
