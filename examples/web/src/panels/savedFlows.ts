import type { FlowWorker } from '../client';
import { button, element, labelled, small } from '../dom';
import type { Preview, SavedFlow, TrainingData } from '../protocol';

/** What the list of saved flows needs of its panel. */
export interface SavedFlowsHost {
  call(work: (worker: FlowWorker) => Promise<unknown>): Promise<void>;
  say(text: string): void;
  opened(kind: TrainingData['kind'], preview: Preview): void;
}

/** The list, and what may be done now. */
export interface SavedFlows {
  element: HTMLElement;
  show(flows: readonly SavedFlow[]): void;
  enable(now: { open: boolean; keep: boolean }): void;
}

/** Saves flows in this browser, opens and removes them, and offers the present one as a file. */
export function savedFlows({ call, say, opened }: SavedFlowsHost): SavedFlows {
  const name = element('input', { type: 'text', value: 'my-flow', maxLength: 40, autocomplete: 'off' });
  const list = element('ul', { className: 'saved', 'aria-label': 'Saved flows' });
  const nameOf = () => name.value.trim() || 'my-flow';
  let mayOpen = true;

  const show = (flows: readonly SavedFlow[]) => list.replaceChildren(...flows.map(entry));
  const entry = (flow: SavedFlow) => {
    const open = button('Open', () =>
      call(async (worker) => {
        const { kind, preview } = await worker.call('openFlow', { name: flow.name });
        opened(kind, preview);
        say(`“${flow.name}” is open.`);
      }),
    );
    open.disabled = !mayOpen;
    open.setAttribute('aria-label', `Open ${flow.name}`);
    const remove = button('Remove', () =>
      call(async (worker) => {
        show(await worker.call('removeFlow', { name: flow.name }));
        say(`“${flow.name}” is removed.`);
      }),
    );
    remove.setAttribute('aria-label', `Remove ${flow.name}`);
    const details = `${Math.round(flow.bytes / 1024)} kB, ${new Date(flow.date).toLocaleString()}`;
    return element(
      'li',
      {},
      element(
        'span',
        {},
        element('strong', {}, flow.name),
        element('span', { className: 'hint' }, ` ${details}`),
      ),
      open,
      remove,
    );
  };
  const save = button('Save in this browser', () =>
    call(async (worker) => {
      show(await worker.call('saveFlow', { name: nameOf() }));
      say(`“${nameOf()}” is saved in this browser.`);
    }),
  );
  const download = button('Download', () =>
    call(async (worker) => {
      offer(await worker.call('packFlow', {}), `${nameOf()}.zip`);
      say(`${nameOf()}.zip is downloaded: unpacked, loadFlow reads its folder.`);
    }),
  );
  return {
    element: element(
      'section',
      { className: 'storage' },
      element('h2', {}, 'Keep it'),
      element('div', { className: 'fields' }, labelled('Name', name)),
      element('div', { className: 'buttons' }, save, download),
      small('Save or download once training is paused, cancelled or finished.'),
      list,
    ),
    show,
    enable({ open, keep }) {
      mayOpen = open;
      save.disabled = !keep;
      download.disabled = !keep;
      for (const item of list.querySelectorAll<HTMLButtonElement>('[aria-label^="Open"]'))
        item.disabled = !open;
    },
  };
}

function offer(bytes: Uint8Array, fileName: string): void {
  const url = URL.createObjectURL(new Blob([bytes as BlobPart], { type: 'application/zip' }));
  element('a', { href: url, download: fileName }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
