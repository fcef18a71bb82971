import type { App } from './app';
import { type BackendLack, firstBackend, noteOnWebgpu, probeBackends } from './backendProbe';
import { FlowWorker } from './client';
import { element, labelled, select, uniqueId } from './dom';
import { attributesPanel } from './panels/attributes';
import { betweenPanel } from './panels/between';
import { ownPicturePanel } from './panels/ownPicture';
import { samplesPanel } from './panels/samples';
import { TrainingPanel } from './panels/training';
import { transferPanel } from './panels/transfer';
import { type BackendName, backendLabels, backendNames } from './protocol';
import { Tabs } from './tabs';

const MODELS = { garments: 'Garments', faces: 'Faces' };

const main = element('main', { 'aria-busy': 'true' });
const status = element('p', { className: 'backend-status', role: 'status' }, 'Looking for backends …');
const lackNote = element('p', { className: 'hint', id: uniqueId() });
const failure = element('div', { className: 'failure', role: 'alert', hidden: true });
const announcer = element('div', { className: 'visually-hidden', 'aria-live': 'polite' });
const backendList = element('select', {});
const modelList = select(
  Object.entries(MODELS).map(([value, label]) => ({ value, label })),
  'garments',
);
const footer = element('footer', {});

let worker: FlowWorker | undefined;
let training: TrainingPanel | undefined;
/** Number of the latest start: an earlier one that is still loading gives up. */
let generation = 0;

document
  .querySelector('#app')!
  .append(
    element(
      'header',
      {},
      element(
        'div',
        {},
        element('h1', {}, 'tfjs-flows'),
        element('p', {}, 'Normalizing flows in this page: nothing is sent anywhere.'),
      ),
      element(
        'div',
        { className: 'switches' },
        labelled('Model', modelList),
        labelled('Backend', backendList),
      ),
    ),
    element('section', { className: 'status-line', 'aria-label': 'Where it computes' }, status, lackNote),
    failure,
    main,
    footer,
    announcer,
  );
backendList.setAttribute('aria-describedby', lackNote.id);
backendList.addEventListener('change', () => void start(backendList.value as BackendName));
modelList.addEventListener('change', () => void start(backendList.value as BackendName));

const lacks = await probeBackends();
offerBackends(lacks, lacks.webgpu === null ? await noteOnWebgpu() : '');
const first = firstBackend(lacks, new URLSearchParams(location.search).get('backend'));
const askedModel = new URLSearchParams(location.search).get('model') ?? '';
if (askedModel in MODELS) modelList.value = askedModel;
if (first === undefined) {
  status.textContent = 'No backend can run here.';
  fail(
    new Error(
      'This browser has neither WebAssembly with SIMD nor WebGL 2 nor WebGPU. Please try another one.',
    ),
  );
} else {
  backendList.value = first;
  await start(first);
}

/** Starts a backend in a fresh worker and loads the model there. */
async function start(backend: BackendName): Promise<void> {
  const mine = ++generation;
  worker?.terminate();
  training?.dispose();
  training = undefined;
  failure.hidden = true;
  main.replaceChildren();
  main.setAttribute('aria-busy', 'true');
  status.textContent = `Starting ${backendLabels[backend]} …`;
  try {
    const started = await FlowWorker.start(backend);
    if (mine !== generation) return started.worker.terminate();
    worker = started.worker;
    worker.onBusy = (busy) => main.setAttribute('aria-busy', String(busy));
    status.textContent = `${started.report.description}. Loading the model …`;
    const folder = new URL(`models/${modelList.value}/`, document.baseURI).href;
    const model = await worker.call('loadModel', { folder });
    if (mine !== generation) return;
    status.textContent =
      `Runs on ${started.report.description}. ${model.title}: Glow with ` +
      `${model.parameterCount.toLocaleString('en')} parameters.`;
    footer.textContent = `Pictures: ${model.source}.`;
    show({
      worker,
      backend,
      runsOn: started.report.description,
      model,
      ownPicture: undefined,
      announce,
      fail,
    });
  } catch (error) {
    if (mine === generation)
      fail(error, `${backendLabels[backend]} could not be used. Choose another backend.`);
  }
}

function show(app: App): void {
  const tabs = new Tabs([
    {
      id: 'attributes',
      title: 'Attributes',
      intro:
        'Move a picture along the attributes that the model has learned, and see how far its subclass backs that.',
      build: () => attributesPanel(app),
    },
    {
      id: 'transfer',
      title: 'Transfer',
      intro: 'Apply an attribute that other subclasses taught to one of which only five samples are known.',
      build: () => transferPanel(app),
    },
    {
      id: 'samples',
      title: 'Samples',
      intro: 'Draw new pictures, cooler or hotter, as a whole or level by level.',
      build: () => samplesPanel(app),
    },
    {
      id: 'between',
      title: 'Between',
      intro: 'Walk from one picture to another through latent space.',
      build: () => betweenPanel(app),
    },
    {
      id: 'picture',
      title: 'Your picture',
      intro: 'Exact likelihood: how many bits per dimension a picture takes, and which layer they come from.',
      build: () => ownPicturePanel(app),
    },
    {
      id: 'train',
      title: 'Train',
      intro: 'Train a small flow here, in a worker of its own, and keep it.',
      build: () => {
        training = new TrainingPanel(app);
        return training.element;
      },
    },
  ]);
  main.replaceChildren(tabs.element);
}

function offerBackends(lacking: Record<BackendName, BackendLack>, note: string): void {
  backendList.replaceChildren(
    ...backendNames.map((name) =>
      element('option', { value: name, disabled: lacking[name] !== null }, backendLabels[name]),
    ),
  );
  const missing = backendNames.filter((name) => lacking[name] !== null);
  lackNote.textContent = [
    ...missing.map((name) => `${backendLabels[name]} is missing: ${lacking[name]}.`),
    note,
  ].join(' ');
}

function announce(text: string): void {
  announcer.textContent = text;
}

function fail(error: unknown, what = ''): void {
  const message = error instanceof Error ? error.message : String(error);
  failure.textContent = `${what} ${message}`.trim();
  failure.hidden = false;
  main.setAttribute('aria-busy', 'false');
}
