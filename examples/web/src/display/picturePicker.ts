import { element, labelled, select, uniqueId } from '../dom';
import type { ModelSummary } from '../protocol';
import { drawPicture, pictureCanvas } from './levels';

/** Pictures of one subclass that are offered at a time. */
const OFFERED = 8;

/** Which subclasses are offered. */
export type Offer = 'all' | 'known' | 'novel';

/** A choice of one picture: its subclass in a list, then the picture among some of that subclass. */
export class PicturePicker {
  readonly element: HTMLElement;
  private readonly subclassList: HTMLSelectElement;
  private readonly row = element('div', { className: 'picker-row', role: 'radiogroup' });
  private readonly group = uniqueId();
  private picked: number;

  constructor(
    private readonly model: ModelSummary,
    label: string,
    offer: Offer,
    private readonly onPick: () => void,
    firstSubclass?: number,
  ) {
    const offered = model.subclasses
      .map((name, i) => ({ value: String(i), label: name }))
      .filter(({ value }) => offer === 'all' || model.novel.includes(Number(value)) === (offer === 'novel'));
    this.subclassList = select(offered, String(firstSubclass ?? offered[0].value));
    this.row.setAttribute('aria-label', `${label}: picture`);
    this.picked = this.members[0];
    this.subclassList.addEventListener('change', () => {
      this.picked = this.members[0];
      this.list();
      onPick();
    });
    this.list();
    this.element = element('div', { className: 'picker' }, labelled(label, this.subclassList), this.row);
  }

  /** Index of the picture. */
  get picture(): number {
    return this.picked;
  }

  /** Index of its subclass. */
  get subclass(): number {
    return Number(this.subclassList.value);
  }

  /** Indices of the pictures that are offered. */
  get offered(): number[] {
    return this.members.slice(0, OFFERED);
  }

  /** Samples that the subclass is known by: the picture and others, so many in all; those without an attribute first, where one is given. */
  few(count: number, lacking?: number): number[] {
    const { attributes, attributeValues } = this.model;
    const amount = (i: number) => {
      const value = lacking === undefined ? 0 : attributeValues[i * attributes.length + lacking];
      return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
    };
    const others = this.members
      .filter((i) => i !== this.picked)
      .sort((a, b) => amount(a) - amount(b) || a - b);
    return [this.picked, ...others].slice(0, count);
  }

  private get members(): number[] {
    const { subclass } = this.model;
    return Array.from(subclass.keys()).filter((i) => subclass[i] === this.subclass);
  }

  private list(): void {
    const name = this.model.subclasses[this.subclass];
    this.row.replaceChildren(
      ...this.offered.map((index, i) => {
        const radio = element('input', { type: 'radio', name: this.group, checked: index === this.picked });
        radio.setAttribute('aria-label', `${name}, picture ${i + 1}`);
        radio.addEventListener('change', () => {
          this.picked = index;
          this.onPick();
        });
        const canvas = pictureCanvas('', 'thumbnail');
        canvas.setAttribute('aria-hidden', 'true');
        drawPicture(canvas, this.model.pictures, index);
        return element('label', { className: 'pick' }, radio, canvas);
      }),
    );
  }
}
