import type { Pictures } from '../protocol';
import { drawPicture, pictureCanvas } from './levels';

/** A grid of pictures that is drawn anew in place. */
export class ImageGrid {
  readonly element: HTMLElement;

  constructor(
    label: string,
    /** Name of one picture, for screen readers. */
    private readonly name: (index: number) => string,
    columns: number,
  ) {
    this.element = document.createElement('div');
    this.element.className = 'grid';
    this.element.style.setProperty('--columns', String(columns));
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('aria-label', label);
  }

  show(pictures: Pictures): void {
    while (this.element.childElementCount > pictures.count) this.element.lastElementChild!.remove();
    for (let i = 0; i < pictures.count; i++) {
      const canvas = (this.element.children[i] ?? this.add(i)) as HTMLCanvasElement;
      drawPicture(canvas, pictures, i);
    }
  }

  private add(index: number): HTMLCanvasElement {
    return this.element.appendChild(pictureCanvas(this.name(index)));
  }
}
