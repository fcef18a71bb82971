import { element } from './dom';

/** A tab: its title and what makes its content, called when it is first opened. */
export interface Tab {
  id: string;
  title: string;
  intro: string;
  build: () => HTMLElement;
}

/** Tabs after the ARIA pattern: arrow keys move between them, the address remembers the open one. */
export class Tabs {
  readonly element: HTMLElement;
  private readonly list = element('div', {
    className: 'tabs',
    role: 'tablist',
    'aria-label': 'Parts of the demo',
  });
  private readonly panels: HTMLElement[];
  private readonly built = new Set<number>();
  private open = 0;

  constructor(private readonly tabs: readonly Tab[]) {
    this.panels = tabs.map(({ id, intro }) =>
      element(
        'section',
        {
          className: 'panel',
          id: `panel-${id}`,
          role: 'tabpanel',
          'aria-labelledby': `tab-${id}`,
          hidden: true,
        },
        element('p', { className: 'intro' }, intro),
      ),
    );
    this.list.append(
      ...tabs.map(({ id, title }, i) => {
        const tab = element('button', { type: 'button', id: `tab-${id}`, role: 'tab' }, title);
        tab.setAttribute('aria-controls', `panel-${id}`);
        tab.addEventListener('click', () => this.show(i));
        return tab;
      }),
    );
    this.list.addEventListener('keydown', (event) => this.onKey(event));
    this.element = element('div', {}, this.list, ...this.panels);
    const asked = tabs.findIndex(({ id }) => id === location.hash.slice(1));
    this.show(Math.max(0, asked));
  }

  private show(index: number): void {
    this.open = index;
    [...this.list.children].forEach((tab, i) => {
      tab.setAttribute('aria-selected', String(i === index));
      (tab as HTMLElement).tabIndex = i === index ? 0 : -1;
    });
    if (!this.built.has(index)) {
      this.built.add(index);
      this.panels[index].append(this.tabs[index].build());
    }
    this.panels.forEach((panel, i) => {
      panel.hidden = i !== index;
    });
    history.replaceState(null, '', `#${this.tabs[index].id}`);
  }

  private onKey(event: KeyboardEvent): void {
    const count = this.tabs.length;
    const next = {
      ArrowRight: (this.open + 1) % count,
      ArrowLeft: (this.open + count - 1) % count,
      Home: 0,
      End: count - 1,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.show(next);
    (this.list.children[next] as HTMLElement).focus();
  }
}
