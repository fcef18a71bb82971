const WIDTH = 480;
const HEIGHT = 180;
const MARGIN = { left: 46, right: 10, top: 10, bottom: 26 };
const MOST_POINTS = 240;

/** Lines of losses over steps as SVG, drawn anew whenever losses are added. */
export class LossPlot {
  readonly element = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'loss-plot', role: 'img' });
  private readonly losses = new Map<string, number[]>();

  constructor() {
    this.clear();
  }

  clear(): void {
    this.losses.clear();
    this.element.setAttribute('aria-label', 'Loss over steps: no steps yet');
    this.element.replaceChildren();
  }

  /** @param name what the losses are of; each has a line of its class */
  add(name: string, losses: readonly number[], unit: string): void {
    this.losses.set(name, [...(this.losses.get(name) ?? []), ...losses.filter(Number.isFinite)]);
    const lines = [...this.losses].filter(([, all]) => all.length > 1);
    if (lines.length === 0) return;
    const steps = Math.max(...lines.map(([, all]) => all.length));
    const means = lines.map(([line, all]) => [line, bucketMeans(all, steps)] as const);
    const [low, high] = limitsOf(means.flatMap(([, line]) => line.map(({ loss }) => loss)));
    const x = (step: number) => MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * step) / steps;
    const y = (loss: number) =>
      MARGIN.top +
      (HEIGHT - MARGIN.top - MARGIN.bottom) * (1 - (Math.min(high, loss) - low) / (high - low || 1));
    const ticks = [low, (low + high) / 2, high].flatMap((loss) => [
      svg('line', { class: 'tick', x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(loss), y2: y(loss) }),
      text(MARGIN.left - 6, y(loss) + 4, 'end', loss.toFixed(2)),
    ]);
    const drawn = means.map(([line, points]) =>
      svg('polyline', {
        class: `line ${line}`,
        points: points.map(({ step, loss }) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(' '),
      }),
    );
    this.element.replaceChildren(
      ...ticks,
      ...drawn,
      text(MARGIN.left, HEIGHT - 8, 'start', `loss, ${unit}`),
      text(WIDTH - MARGIN.right, HEIGHT - 8, 'end', `step ${steps}`),
    );
    const last = means.map(([line, points]) => `${points[points.length - 1].loss.toFixed(2)} (${line})`);
    this.element.setAttribute('aria-label', `Loss over ${steps} steps, now ${last.join(', ')} ${unit}`);
  }
}

/** Means of neighbouring losses, as many per step for lines of every length. */
function bucketMeans(losses: readonly number[], steps: number): { step: number; loss: number }[] {
  const size = Math.ceil(steps / MOST_POINTS);
  return Array.from({ length: Math.ceil(losses.length / size) }, (_, i) => {
    const bucket = losses.slice(i * size, (i + 1) * size);
    const loss = bucket.reduce((sum, value) => sum + value, 0) / bucket.length;
    return { step: Math.min((i + 1) * size, losses.length), loss };
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
