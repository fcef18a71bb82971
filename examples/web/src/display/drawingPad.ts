import { element } from '../dom';
import type { Pictures } from '../protocol';

/** Pixels of the pad per pixel of the picture, so that strokes are smooth. */
const FINE = 8;

/** A square to draw on with white on black: by pointer, or by arrow keys and the space bar. */
export class DrawingPad {
  readonly element: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private last: [number, number] | undefined;
  private cursor: [number, number];
  private picture: ImageData;

  constructor(
    private readonly size: number,
    private readonly nBits: number,
    private readonly onChange: () => void,
  ) {
    const side = size * FINE;
    this.element = element('canvas', {
      className: 'pad',
      width: side,
      height: side,
      tabIndex: 0,
      role: 'application',
      'aria-label':
        'Drawing area. Arrow keys move the brush, space draws, Shift with an arrow key draws a line.',
    });
    this.context = this.element.getContext('2d', { willReadFrequently: true })!;
    this.context.lineCap = 'round';
    this.cursor = [side / 2, side / 2];
    this.picture = this.wipe();
    this.listen();
  }

  clear(): void {
    this.picture = this.wipe();
    this.onChange();
  }

  /** Draws an image into the square, cropped to its middle. */
  place(image: ImageBitmap): void {
    const { width, height } = this.element;
    const side = Math.min(image.width, image.height);
    this.wipe();
    this.context.drawImage(
      image,
      (image.width - side) / 2,
      (image.height - side) / 2,
      side,
      side,
      0,
      0,
      width,
      height,
    );
    this.changed();
  }

  /** The picture in grey levels, each the mean of its square of the pad. */
  read(): Pictures {
    const { size, nBits } = this;
    const side = size * FINE;
    const { data } = this.picture;
    const levels = new Uint8Array(size * size);
    for (let i = 0; i < levels.length; i++) {
      const [top, left] = [Math.floor(i / size) * FINE, (i % size) * FINE];
      let sum = 0;
      for (let row = 0; row < FINE; row++) {
        for (let column = 0; column < FINE; column++) {
          const at = 4 * ((top + row) * side + left + column);
          sum += 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
        }
      }
      levels[i] = Math.min(2 ** nBits - 1, Math.floor((sum / FINE ** 2) * (2 ** nBits / 256)));
    }
    return { levels, count: 1, size, nBits };
  }

  private listen(): void {
    this.element.addEventListener('pointerdown', (event) => {
      this.element.setPointerCapture(event.pointerId);
      this.last = undefined;
      this.stroke(this.placeOf(event));
    });
    this.element.addEventListener('pointermove', (event) => {
      if (event.buttons === 1) this.stroke(this.placeOf(event));
    });
    this.element.addEventListener('keydown', (event) => this.onKey(event));
    this.element.addEventListener('focus', () => this.showCursor());
    this.element.addEventListener('blur', () => this.context.putImageData(this.picture, 0, 0));
  }

  private onKey(event: KeyboardEvent): void {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step === undefined && event.key !== ' ') return;
    event.preventDefault();
    const side = this.element.width - 1;
    if (step !== undefined) {
      const inside = (value: number) => Math.min(side, Math.max(0, value));
      const before = this.cursor;
      this.cursor = [inside(before[0] + step[0] * FINE), inside(before[1] + step[1] * FINE)];
      this.last = event.shiftKey ? before : undefined;
    }
    if (step === undefined || event.shiftKey) this.stroke(this.cursor);
    this.showCursor();
  }

  private placeOf(event: PointerEvent): [number, number] {
    const box = this.element.getBoundingClientRect();
    const scale = this.element.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  private stroke(to: [number, number]): void {
    this.context.putImageData(this.picture, 0, 0);
    const [x, y] = this.last ?? to;
    this.context.strokeStyle = 'white';
    this.context.lineWidth = 2.5 * FINE;
    this.context.beginPath();
    this.context.moveTo(x, y);
    this.context.lineTo(to[0], to[1]);
    this.context.stroke();
    this.last = to;
    this.changed();
  }

  private changed(): void {
    this.picture = this.context.getImageData(0, 0, this.element.width, this.element.height);
    this.onChange();
  }

  private wipe(): ImageData {
    const { width, height } = this.element;
    this.context.fillStyle = 'black';
    this.context.fillRect(0, 0, width, height);
    return this.context.getImageData(0, 0, width, height);
  }

  private showCursor(): void {
    this.context.putImageData(this.picture, 0, 0);
    this.context.strokeStyle = '#f4b740';
    this.context.lineWidth = 2;
    const [x, y] = this.cursor;
    this.context.strokeRect(x - 1.25 * FINE, y - 1.25 * FINE, 2.5 * FINE, 2.5 * FINE);
  }
}
