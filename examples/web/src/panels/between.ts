import { type App, guarded } from '../app';
import { latest } from '../client';
import { ImageGrid } from '../display/imageGrid';
import { drawPicture, pictureCanvas } from '../display/levels';
import { PicturePicker } from '../display/picturePicker';
import { element, small, uniqueId } from '../dom';
import { joinPictures, selectPictures } from '../pictures';
import type { Pictures } from '../protocol';

const FRAMES = 9;

/** From one picture to another, through latent space. */
export function betweenPanel(app: App): HTMLElement {
  const { model } = app;
  const large = pictureCanvas('The picture on the way');
  const strip = new ImageGrid('The whole way', (i) => `step ${i + 1} of ${FRAMES}`, FRAMES);
  const id = uniqueId();
  const place = element('input', { type: 'range', id, min: '0', max: String(FRAMES - 1), step: '1' });
  place.value = String((FRAMES - 1) / 2);
  let frames: Pictures | undefined;
  const show = () => {
    const step = Number(place.value);
    place.setAttribute('aria-valuetext', `step ${step + 1} of ${FRAMES}`);
    if (frames !== undefined) drawPicture(large, frames, step);
  };
  const draw = latest<void>(() =>
    guarded(app, async () => {
      const [from, to] = [first, second].map(({ picture }) => selectPictures(model.pictures, [picture]));
      const own = useOwn.checked ? app.ownPicture : undefined;
      frames = await app.worker.call('interpolate', { ends: joinPictures(from, own ?? to), steps: FRAMES });
      strip.show(frames);
      show();
    }),
  );
  const first = new PicturePicker(model, 'From', 'all', () => draw());
  const second = new PicturePicker(model, 'To', 'all', () => draw(), 1);
  const useOwn = element('input', { type: 'checkbox', disabled: app.ownPicture === undefined });
  useOwn.addEventListener('change', () => draw());
  place.addEventListener('input', show);
  draw();
  return element(
    'div',
    { className: 'columns' },
    element(
      'div',
      {},
      first.element,
      second.element,
      element('label', { className: 'check' }, useOwn, ' to my own picture'),
      small('Draw or drop in your own picture under “Your picture”.'),
    ),
    element(
      'div',
      {},
      element('div', { className: 'frame single' }, large),
      element('div', { className: 'strength' }, element('label', { htmlFor: id }, 'Place on the way'), place),
      strip.element,
    ),
  );
}
