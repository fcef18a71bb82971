import { type App, guarded } from '../app';
import { latest } from '../client';
import { ImageGrid } from '../display/imageGrid';
import { button, element, small, uniqueId } from '../dom';

const COUNT = 12;
const HOTTEST = 1.2;

/** Samples at a temperature, overall and per level. */
export function samplesPanel(app: App): HTMLElement {
  const grid = new ImageGrid('Samples', (i) => `sample ${i + 1}`, 4);
  let seed = 1;
  const draw = latest<void>(() =>
    guarded(app, async () => {
      const temperatures = levels.map((level) => overall.value * level.value);
      grid.show(await app.worker.call('sample', { count: COUNT, temperatures, seed }));
    }),
  );
  const overall = new Dial('Temperature', 0.7, HOTTEST, () => draw());
  const { levelCount } = app.model;
  const levels = Array.from({ length: levelCount }, (_, i) => {
    const place = i === 0 ? ', finest' : i === levelCount - 1 ? ', coarsest' : '';
    return new Dial(`Level ${i + 1}${place}`, 1, 2, () => draw());
  });
  const renew = button(
    'New samples',
    () => {
      seed++;
      draw();
      app.announce('New samples are drawn.');
    },
    'primary',
  );
  draw();
  return element(
    'div',
    { className: 'columns' },
    element(
      'div',
      {},
      overall.element,
      element(
        'fieldset',
        {},
        element('legend', {}, 'Factor per level'),
        ...levels.map((level) => level.element),
      ),
      renew,
      small(
        'Temperature scales the standard deviation of the latents: 0 is the mode of the prior, 1 the model itself.',
      ),
    ),
    element('div', {}, grid.element),
  );
}

/** A labelled slider from 0 that shows its figure. */
class Dial {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;

  constructor(label: string, value: number, max: number, onMove: () => void) {
    const id = uniqueId();
    this.input = element('input', { type: 'range', id, min: '0', max: String(max), step: '0.05' });
    this.input.value = String(value);
    const figure = element('output', { className: 'figure', htmlFor: id }, value.toFixed(2));
    this.input.addEventListener('input', () => {
      figure.textContent = this.value.toFixed(2);
      onMove();
    });
    const head = element(
      'div',
      { className: 'strength-head' },
      element('label', { htmlFor: id }, label),
      figure,
    );
    this.element = element('div', { className: 'strength' }, head, this.input);
  }

  get value(): number {
    return Number(this.input.value);
  }
}
