type Child = Node | string;

/** An element with properties (or `aria-` and `data-` attributes) and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Record<string, unknown> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && !name.startsWith('aria')) Object.assign(made, { [name]: value });
    else made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

let ids = 0;

/** An id that no other element has. */
export function uniqueId(): string {
  return `id-${ids++}`;
}

/** A control under its label. */
export function labelled(label: string, control: HTMLElement, hint = ''): HTMLElement {
  control.id ||= uniqueId();
  const text = element('label', { htmlFor: control.id }, label);
  return element('div', { className: 'field' }, text, control, ...(hint === '' ? [] : [small(hint)]));
}

/** A choice of one among several. */
export function select(
  options: readonly { value: string; label: string }[],
  value: string,
): HTMLSelectElement {
  const made = element(
    'select',
    {},
    ...options.map((option) => element('option', { value: option.value }, option.label)),
  );
  made.value = value;
  return made;
}

/** A whole number within limits. */
export function numberField(value: number, min: number, max: number, step = 1): HTMLInputElement {
  return element('input', {
    type: 'number',
    min: String(min),
    max: String(max),
    step: String(step),
    value: String(value),
    inputMode: 'decimal',
  });
}

/** The number in a field, within its limits. */
export function numberIn(field: HTMLInputElement): number {
  const value = Number(field.value);
  const [min, max] = [Number(field.min), Number(field.max)];
  const inside = Number.isFinite(value) && field.value !== '' ? Math.min(max, Math.max(min, value)) : min;
  field.value = String(inside);
  return inside;
}

export function button(
  label: string,
  onClick: () => void,
  kind: 'plain' | 'primary' = 'plain',
): HTMLButtonElement {
  return element('button', { type: 'button', className: kind, onclick: onClick }, label);
}

export function small(text: string): HTMLElement {
  return element('p', { className: 'hint' }, text);
}
