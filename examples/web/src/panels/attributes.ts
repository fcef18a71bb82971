import { type App, guarded, unitOf } from '../app';
import { latest } from '../client';
import { drawPicture, pictureCanvas } from '../display/levels';
import { PicturePicker } from '../display/picturePicker';
import { StrengthSlider, zoneLegend } from '../display/strengthSlider';
import { button, element, small } from '../dom';

/** Samples that a subclass is known by. */
const FEW = 5;

/** A picture and one slider per attribute. */
export function attributesPanel(app: App): HTMLElement {
  const original = pictureCanvas('The picture as it is');
  const moved = pictureCanvas('The picture, moved along the attributes');
  const frame = element('div', { className: 'frame' }, moved);
  const time = element('span', {});
  const sliders = app.model.attributes.map(
    ({ name, unit }) => new StrengthSlider(name, unitOf(unit), () => draw()),
  );
  const reasons = element('div', { className: 'reasons' });

  const draw = latest<void>(() =>
    guarded(app, async () => {
      const start = performance.now();
      const strengths = sliders.map(({ value }) => value);
      drawPicture(moved, await app.worker.call('move', { strengths }));
      time.textContent = `decoded in ${Math.round(performance.now() - start)} ms`;
      frame.dataset.zone = sliders.some(({ zone }) => zone === 'outside') ? 'outside' : 'inside';
    }),
  );
  const choose = latest<void>(() =>
    guarded(app, async () => {
      drawPicture(original, app.model.pictures, picker.picture);
      const ranges = await app.worker.call('choosePicture', { few: picker.few(FEW) });
      ranges.forEach((range, i) => {
        sliders[i].show(range);
        sliders[i].value = 0;
      });
      reasons.replaceChildren(...reasonsOf(app, ranges));
      draw();
    }),
  );
  const picker = new PicturePicker(app.model, 'Subclass', 'all', () => choose());
  const reset = button('Back to the picture', () => {
    for (const slider of sliders) slider.value = 0;
    draw();
    app.announce('All attributes are back at 0.');
  });
  choose();

  return element(
    'div',
    { className: 'columns' },
    element(
      'div',
      {},
      picker.element,
      element(
        'div',
        { className: 'pair' },
        element(
          'figure',
          {},
          element('div', { className: 'frame' }, original),
          element('figcaption', {}, 'picture'),
        ),
        element('figure', {}, frame, element('figcaption', {}, 'moved, ', time)),
      ),
      reset,
    ),
    element(
      'div',
      {},
      ...sliders.map((slider) => slider.element),
      zoneLegend(),
      small(
        `The range is learned from ${FEW} samples of the subclass and a prior of the subclasses that the model has seen. Strength 1 of a yes-or-no attribute is the mean way from without to with it; sd stands for the way that goes with one standard deviation of the attribute within subclasses.`,
      ),
      reasons,
    ),
  );
}

/** Why strengths beyond the samples' own are not vouched for, attribute by attribute. */
function reasonsOf({ model }: App, ranges: readonly { refusal: string | null }[]): Node[] {
  const items = ranges.flatMap(({ refusal }, i) =>
    refusal === null
      ? []
      : [element('li', {}, element('strong', {}, model.attributes[i].name), `: ${refusal}`)],
  );
  if (items.length === 0) return [];
  return [
    element(
      'details',
      {},
      element('summary', {}, 'What is not borrowed from other subclasses, and why'),
      element('ul', {}, ...items),
    ),
  ];
}
