import { element, uniqueId } from '../dom';
import type { Interval, StrengthRange } from '../protocol';

/** What a strength is, from best to least backed. */
export type Zone = 'own' | 'transferable' | 'unvouched' | 'outside';

const NAMES: Record<Zone, string> = {
  own: 'shown by its own samples',
  transferable: 'backed by other subclasses',
  unvouched: 'in the prior’s region, not vouched for',
  outside: 'outside the learnable range',
};

/** The zone of a strength. */
export function zoneOf(range: StrengthRange, strength: number): Zone {
  const inside = (intervals: readonly Interval[]) =>
    intervals.some(([low, high]) => strength >= low && strength <= high);
  if (range.own !== null && inside([range.own])) return 'own';
  if (inside(range.transferable)) return 'transferable';
  return inside(range.prior) ? 'unvouched' : 'outside';
}

/** A slider over strengths whose track shows the learnable range, and whose text says where the strength lies. */
export class StrengthSlider {
  readonly element: HTMLElement;
  private readonly input = element('input', { type: 'range', id: uniqueId(), step: 'any', value: '0' });
  private readonly track = element('div', { className: 'zones', 'aria-hidden': 'true' });
  private readonly figure = element('output', { className: 'figure', htmlFor: this.input.id });
  private readonly state = element('span', { className: 'zone-name' });
  private range: StrengthRange = { own: null, transferable: [], prior: [], refusal: null };

  constructor(
    private readonly label: string,
    private readonly unit: string,
    onMove: () => void,
  ) {
    this.input.addEventListener('input', () => {
      this.describe();
      onMove();
    });
    this.element = element(
      'div',
      { className: 'strength' },
      element(
        'div',
        { className: 'strength-head' },
        element('label', { htmlFor: this.input.id }, label),
        this.figure,
      ),
      element('div', { className: 'strength-track' }, this.track, this.input),
      this.state,
    );
    this.describe();
  }

  get value(): number {
    return Number(this.input.value);
  }

  set value(strength: number) {
    this.input.value = String(strength);
    this.describe();
  }

  get zone(): Zone {
    return zoneOf(this.range, this.value);
  }

  /** Shows a range; the slider reaches half as far again on both sides. */
  show(range: StrengthRange): void {
    this.range = range;
    const ends = [...range.prior.flat(), ...(range.own ?? []), 0];
    const [low, high] = [Math.min(...ends), Math.max(...ends)];
    const beyond = Math.max(0.25 * (high - low), 0.25);
    // Multiples of the step, so that 0 is one of the values.
    const step = niceStep((high - low + 2 * beyond) / 100);
    const [min, max] = [Math.floor((low - beyond) / step) * step, Math.ceil((high + beyond) / step) * step];
    const { value } = this;
    Object.assign(this.input, { min: String(min), max: String(max), step: String(step) });
    this.input.value = String(value);
    const place = (strength: number) => (100 * (strength - min)) / (max - min);
    const bar = (zone: Zone, [from, to]: Interval) =>
      element('div', {
        className: `zone ${zone}`,
        style: `left:${place(from)}%;width:${Math.max(0.8, place(to) - place(from))}%`,
      });
    this.track.replaceChildren(
      ...range.prior.map((interval) => bar('unvouched', interval)),
      ...range.transferable.map((interval) => bar('transferable', interval)),
      ...(range.own === null ? [] : [bar('own', range.own)]),
      element('div', { className: 'zero', style: `left:${place(0)}%` }),
    );
    this.describe();
  }

  private describe(): void {
    const { value, zone } = this;
    const figure = `${value < -0.005 ? '−' : '+'}${Math.abs(value).toFixed(2)} ${this.unit}`.trim();
    this.figure.textContent = figure;
    this.state.textContent = NAMES[zone];
    this.element.dataset.zone = zone;
    this.input.setAttribute('aria-valuetext', `${this.label} ${figure}, ${NAMES[zone]}`);
  }
}

/** The least of 1, 2, 5 times a power of ten that is no smaller. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

/** What the colours on the tracks mean. */
export function zoneLegend(): HTMLElement {
  return element(
    'ul',
    { className: 'legend', 'aria-label': 'Colours on the sliders' },
    ...(Object.keys(NAMES) as Zone[]).map((zone) =>
      element('li', {}, element('span', { className: `zone swatch ${zone}` }), NAMES[zone]),
    ),
  );
}
