import { type App, guarded, unitOf } from '../app';
import { latest } from '../client';
import { ImageGrid } from '../display/imageGrid';
import { drawPicture, pictureCanvas } from '../display/levels';
import { PicturePicker } from '../display/picturePicker';
import { StrengthSlider, zoneLegend } from '../display/strengthSlider';
import { element, labelled, select, small } from '../dom';
import { selectPictures } from '../pictures';
import type { AttributeSummary } from '../protocol';

/** Samples that the target's subclass is known by. */
const FEW = 5;

/** An attribute that other subclasses taught, on a subclass of which only five samples are known, beside its source. */
export function transferPanel(app: App): HTMLElement {
  const { model } = app;
  const attribute = select(
    model.attributes.map(({ name }, i) => ({ value: String(i), label: name })),
    '0',
  );
  const match = select(
    [
      { value: 'none', label: 'none' },
      { value: 'diagonal', label: 'by standard deviations' },
    ],
    'none',
  );
  const canvases = [pictureCanvas('The source, moved'), pictureCanvas('The target, moved')];
  const frames = canvases.map((canvas) => element('div', { className: 'frame' }, canvas));
  const samples = new ImageGrid('The five samples of the target', (i) => `sample ${i + 1}`, FEW);
  const verdict = element('p', { className: 'verdict', role: 'status' });
  const sliderPlace = element('div', {});
  let slider: StrengthSlider;

  const draw = latest<void>(() =>
    guarded(app, async () => {
      const moved = await app.worker.call('moveTransferred', { strength: slider.value });
      canvases.forEach((canvas, i) => {
        drawPicture(canvas, moved, i);
      });
      frames[1].dataset.zone = slider.zone === 'outside' ? 'outside' : 'inside';
    }),
  );
  const prepare = latest<void>(() =>
    guarded(app, async () => {
      const index = Number(attribute.value);
      const { name, unit, nearNormal, ...direction } = model.attributes[index];
      const few = target.few(FEW, index);
      samples.show(selectPictures(model.pictures, few));
      const range = await app.worker.call('prepareTransfer', {
        attribute: index,
        source: source.picture,
        few,
        match: match.value as 'none' | 'diagonal',
      });
      slider = new StrengthSlider(name, unitOf(unit), () => draw());
      slider.show(range);
      sliderPlace.replaceChildren(slider.element);
      verdict.textContent =
        `${sharedness(direction)} Positions along it, all subclasses mixed, near normal: ${nearNormal}. ` +
        (range.refusal === null
          ? 'The other subclasses back the transfer.'
          : `The other subclasses do not back the transfer: ${range.refusal}.`);
      draw();
    }),
  );
  const source = new PicturePicker(model, 'Source', 'known', () => prepare());
  const target = new PicturePicker(model, 'Target, unseen in training', 'novel', () => prepare());
  attribute.addEventListener('change', () => prepare());
  match.addEventListener('change', () => prepare());
  prepare();

  const side = (title: string, frame: HTMLElement) =>
    element('figure', {}, frame, element('figcaption', {}, title));
  return element(
    'div',
    { className: 'columns' },
    element(
      'div',
      {},
      element('div', { className: 'fields' }, labelled('Attribute', attribute), labelled('Colouring', match)),
      source.element,
      target.element,
      element('h2', {}, 'All that is known of the target'),
      samples.element,
      small(
        'Neither the flow nor the prior has seen the target’s subclass; its five samples are the chosen one and those with the least of the attribute. The zones on the slider are the target’s.',
      ),
    ),
    element(
      'div',
      {},
      element('div', { className: 'pair' }, side('source', frames[0]), side('target', frames[1])),
      sliderPlace,
      zoneLegend(),
      verdict,
    ),
  );
}

/** How far the subclasses share the direction. */
function sharedness({
  consistency,
  consistencyError,
}: Pick<AttributeSummary, 'consistency' | 'consistencyError'>): string {
  if (consistency === null) return 'Consistency of the direction between subclasses: unknown.';
  const error = consistencyError === null ? '' : `, standard error ${consistencyError.toFixed(2)}`;
  return `Consistency of the direction between subclasses (1: the same in all, 0: unrelated): ${consistency.toFixed(2)}${error}.`;
}
