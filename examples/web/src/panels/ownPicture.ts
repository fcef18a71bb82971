import { type App, guarded } from '../app';
import { latest } from '../client';
import { accountTable } from '../display/accountTable';
import { DrawingPad } from '../display/drawingPad';
import { drawPicture, pictureCanvas } from '../display/levels';
import { PicturePicker } from '../display/picturePicker';
import { button, element, labelled, small } from '../dom';
import { selectPictures } from '../pictures';
import type { Pictures } from '../protocol';

/** A picture of the visitor's or one of the model's: its bits per dimension, and where they come from. */
export function ownPicturePanel(app: App): HTMLElement {
  const { model } = app;
  const seen = pictureCanvas('The picture as the model sees it');
  const result = element('p', { className: 'score', role: 'status' });
  const account = element('div', {});
  const show = latest<Pictures>((picture) =>
    guarded(app, async () => {
      drawPicture(seen, picture);
      const score = await app.worker.call('score', { picture });
      const held = model.heldOutBitsPerDim;
      result.textContent =
        `${score.bitsPerDim.toFixed(3)} bits per dimension; pictures that were held out of training take ` +
        `${held.toFixed(3)} on average, plain storage ${picture.nBits}.`;
      account.replaceChildren(accountTable(score));
    }),
  );
  const pad = new DrawingPad(model.pictures.size, model.pictures.nBits, () => {
    app.ownPicture = pad.read();
    show(app.ownPicture);
  });
  const take = (file: File | undefined) =>
    guarded(app, async () => {
      if (file === undefined) return;
      if (!file.type.startsWith('image/')) throw new Error(`${file.name} is no picture.`);
      const image = await createImageBitmap(file).catch(() => {
        throw new Error(`${file.name} cannot be read as a picture.`);
      });
      pad.place(image);
      image.close();
    });
  const picker = new PicturePicker(model, 'A picture of the model’s', 'all', () =>
    show(selectPictures(model.pictures, [picker.picture])),
  );
  show(selectPictures(model.pictures, [picker.picture]));
  return element(
    'div',
    { className: 'columns' },
    element(
      'div',
      {},
      dropZone(pad.element, take),
      element(
        'div',
        { className: 'buttons' },
        fileButton(take),
        button('Clear', () => pad.clear()),
      ),
      small(
        'Draw in white on black, or drop in a picture: it is cropped to a square and made grey. Nothing leaves this page.',
      ),
      picker.element,
    ),
    element(
      'div',
      {},
      element(
        'div',
        { className: 'scored' },
        element(
          'figure',
          {},
          element('div', { className: 'frame' }, seen),
          element('figcaption', {}, 'as the model sees it'),
        ),
        result,
      ),
      account,
    ),
  );
}

function dropZone(pad: HTMLElement, take: (file: File | undefined) => void): HTMLElement {
  const zone = element('div', { className: 'drop' }, pad);
  zone.addEventListener('dragover', (event) => {
    event.preventDefault();
    zone.classList.add('over');
  });
  zone.addEventListener('dragleave', () => zone.classList.remove('over'));
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    zone.classList.remove('over');
    take(event.dataTransfer?.files[0]);
  });
  return zone;
}

function fileButton(take: (file: File | undefined) => void): HTMLElement {
  const input = element('input', { type: 'file', accept: 'image/*' });
  input.addEventListener('change', () => take(input.files?.[0]));
  return labelled('Or choose a file', input);
}
