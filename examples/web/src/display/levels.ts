import type { Pictures } from '../protocol';

/** Draws one of several pictures on a canvas of its size; style sheets enlarge it. */
export function drawPicture(canvas: HTMLCanvasElement, pictures: Pictures, index = 0): void {
  const { levels, size, nBits } = pictures;
  canvas.width = size;
  canvas.height = size;
  const image = new ImageData(size, size);
  const factor = 255 / (2 ** nBits - 1);
  for (let i = 0; i < size * size; i++) {
    const grey = levels[index * size * size + i] * factor;
    image.data.set([grey, grey, grey, 255], 4 * i);
  }
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}

/** A canvas that says what it shows. */
export function pictureCanvas(label: string, className = 'picture'): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.className = className;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  return canvas;
}
