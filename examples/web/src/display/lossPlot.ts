const WIDTH = 480;
const HEIGHT = 180;
const MARGIN = { left: 46, right: 10, top: 10, bottom: 26 };
const MOST_POINTS = 240;

/** A line of losses over steps as SVG, drawn anew whenever losses are added. */
export class LossPlot {
  readonly element = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'loss-plot', role: 'img' });
  private losses: number[] = [];

  constructor() {
    this.clear();
  }

  clear(): void {
    this.losses = [];
    this.element.setAttribute('aria-label', 'Loss over steps: no steps yet');
    this.element.replaceChildren();
  }

  add(losses: readonly number[], unit: string): void {
    this.losses = this.losses.concat(losses.filter(Number.isFinite));
    if (this.losses.length < 2) return;
    const means = bucketMeans(this.losses);
    const [low, high] = limitsOf(means);
    const x = (i: number) =>
      MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * i) / Math.max(1, means.length - 1);
    const y = (loss: number) =>
      MARGIN.top +
      (HEIGHT - MARGIN.top - MARGIN.bottom) * (1 - (Math.min(high, loss) - low) / (high - low || 1));
    const points = means.map((loss, i) => `${x(i).toFixed(1)},${y(loss).toFixed(1)}`).join(' ');
    const ticks = [low, (low + high) / 2, high].flatMap((loss) => [
      svg('line', { class: 'tick', x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(loss), y2: y(loss) }),
      text(MARGIN.left - 6, y(loss) + 4, 'end', loss.toFixed(2)),
    ]);
    this.element.replaceChildren(
      ...ticks,
      svg('polyline', { class: 'line', points }),
      text(MARGIN.left, HEIGHT - 8, 'start', `loss, ${unit}`),
      text(WIDTH - MARGIN.right, HEIGHT - 8, 'end', `step ${this.losses.length}`),
    );
    const last = means[means.length - 1].toFixed(2);
    this.element.setAttribute('aria-label', `Loss over ${this.losses.length} steps, now ${last} ${unit}`);
  }
}

/** At most so many means of neighbouring losses. */
function bucketMeans(losses: readonly number[]): number[] {
  const size = Math.ceil(losses.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(losses.length / size) }, (_, i) => {
    const bucket = losses.slice(i * size, (i + 1) * size);
    return bucket.reduce((sum, loss) => sum + loss, 0) / bucket.length;
  });
}

/** From the least loss to nearly the largest: a high start would flatten the rest. */
function limitsOf(losses: readonly number[]): [number, number] {
  const sorted = [...losses].sort((a, b) => a - b);
  return [sorted[0], sorted[Math.floor(0.98 * (sorted.length - 1))]];
}

function text(x: number, y: number, anchor: string, content: string): SVGElement {
  const made = svg('text', { x, y, 'text-anchor': anchor });
  made.textContent = content;
  return made;
}

function svg(tag: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}
