import { element } from '../dom';
import { PLANE_LIMIT } from '../plane';
import { drawHeatMap } from './heatMap';

const SIDE = 360;
/** Points that one touch leaves, and how far they spread. */
const SPRAY = 4;
const SPREAD = 0.12;
/** Arrow keys move the cursor by this part of the plane. */
const STEP = 0.15;

/** A plane to put points on, over a heat map: by pointer, or by arrow keys and the space bar. */
export class PointPad {
  readonly element: HTMLElement;
  private readonly map = element('canvas', { className: 'heat' });
  private readonly ink = element('canvas', {
    className: 'points',
    width: SIDE,
    height: SIDE,
    tabIndex: 0,
    role: 'application',
    'aria-label': 'Plane of points. Arrow keys move the cursor, space puts points.',
  });
  private readonly context = this.ink.getContext('2d')!;
  private values: number[] = [];
  private cursor: [number, number] = [0, 0];
  private focused = false;

  constructor(private readonly onChange: () => void) {
    this.element = element('div', { className: 'plane' }, this.map, this.ink);
    this.forget();
    this.listen();
    this.redraw();
  }

  /** x and y in turn. */
  get points(): Float32Array {
    return Float32Array.from(this.values);
  }

  set points(points: ArrayLike<number>) {
    this.values = Array.from(points);
    this.redraw();
    this.onChange();
  }

  /** Shows a density under the points. */
  showDensity(values: Float32Array, side: number): void {
    drawHeatMap(this.map, values, side);
  }

  /** No density. */
  forget(): void {
    drawHeatMap(this.map, new Float32Array(1), 1);
  }

  private listen(): void {
    const put = (event: PointerEvent) => {
      const box = this.ink.getBoundingClientRect();
      const x = (2 * (event.clientX - box.left)) / box.width - 1;
      const y = 1 - (2 * (event.clientY - box.top)) / box.height;
      this.spray(x * PLANE_LIMIT, y * PLANE_LIMIT);
    };
    this.ink.addEventListener('pointerdown', (event) => {
      this.ink.setPointerCapture(event.pointerId);
      put(event);
    });
    this.ink.addEventListener('pointermove', (event) => {
      if (event.buttons === 1) put(event);
    });
    this.ink.addEventListener('keydown', (event) => this.onKey(event));
    for (const kind of ['focus', 'blur'] as const) {
      this.ink.addEventListener(kind, () => {
        this.focused = kind === 'focus';
        this.redraw();
      });
    }
  }

  private onKey(event: KeyboardEvent): void {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (step === undefined && event.key !== ' ') return;
    event.preventDefault();
    if (step === undefined) this.spray(...this.cursor);
    else
      this.cursor = [this.cursor[0] + step[0] * STEP, this.cursor[1] + step[1] * STEP].map(within) as [
        number,
        number,
      ];
    this.redraw();
  }

  private spray(x: number, y: number): void {
    for (let i = 0; i < SPRAY; i++) {
      const radius = SPREAD * Math.sqrt(-2 * Math.log(1 - Math.random()));
      const angle = 2 * Math.PI * Math.random();
      this.values.push(within(x + radius * Math.cos(angle)), within(y + radius * Math.sin(angle)));
    }
    this.redraw();
    this.onChange();
  }

  private redraw(): void {
    const { context } = this;
    const place = (value: number) => (SIDE * (1 + value / PLANE_LIMIT)) / 2;
    context.clearRect(0, 0, SIDE, SIDE);
    context.fillStyle = 'rgba(255, 255, 255, 0.85)';
    context.strokeStyle = 'rgba(10, 20, 30, 0.7)';
    for (let i = 0; i < this.values.length; i += 2) {
      context.beginPath();
      context.arc(place(this.values[i]), place(-this.values[i + 1]), 1.8, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
    if (!this.focused) return;
    const [x, y] = this.cursor;
    context.strokeStyle = '#f4b740';
    context.strokeRect(place(x) - 8, place(-y) - 8, 16, 16);
  }
}

function within(value: number): number {
  return Math.min(PLANE_LIMIT, Math.max(-PLANE_LIMIT, value));
}
