import type { App } from '../app';
import { FlowWorker } from '../client';
import { drawHeatMap } from '../display/heatMap';
import { ImageGrid } from '../display/imageGrid';
import { LossPlot } from '../display/lossPlot';
import { PointPad } from '../display/pointPad';
import { button, element, labelled, numberField, numberIn, select, small } from '../dom';
import { pointShapes } from '../pointShapes';
import type { FlowRole, Preview, TrainingData, TrainingOptions, WorkerEvent } from '../protocol';
import { savedFlows } from './savedFlows';

const FEWEST_POINTS = 20;
const SHAPE_POINTS = 600;
/** Steps whose mean loss is told. */
const LAST_STEPS = 50;

type Kind = TrainingData['kind'];
type State = 'idle' | 'running' | 'paused';

/** What a run starts with, by kind of data: number of layers, their width, and the rest. */
const defaults = {
  points: { depth: 6, width: 32, steps: 1500, batchSize: 128, learningRate: 0.004 },
  pictures: { depth: 3, width: 32, steps: 400, batchSize: 16, learningRate: 0.002 },
} as const;

/** Trains a small flow in a worker of its own, on points or on the model's pictures. */
export class TrainingPanel {
  readonly element: HTMLElement;
  private worker: Promise<FlowWorker> | undefined;
  private state: State = 'idle';
  /** Kind of the flow that the worker holds. */
  private present: Kind | undefined;
  private readonly kind = select(
    [
      { value: 'points', label: 'points in the plane' },
      { value: 'pictures', label: 'pictures of the model' },
    ],
    'points',
  );
  private readonly fields = {
    depth: numberField(6, 1, 16),
    width: numberField(32, 4, 128),
    steps: numberField(1500, 1, 100_000),
    batchSize: numberField(128, 1, 512),
    learningRate: numberField(0.004, 0.00001, 0.1, 0.0001),
  };
  private readonly pad = new PointPad(() => this.countPoints());
  private readonly affineMap = element('canvas', {
    className: 'heat-affine',
    role: 'img',
    'aria-label': 'Density of the flow of affine couplings',
  });
  /** What each flow is, with its last losses. */
  private readonly captions = { kept: element('figcaption', {}), affine: element('figcaption', {}) };
  private readonly lastLosses: Record<FlowRole, number[]> = { kept: [], affine: [] };
  private readonly count = element('span', { className: 'hint' });
  private readonly samples = new ImageGrid('Samples of the flow in training', (i) => `sample ${i + 1}`, 4);
  private readonly plot = new LossPlot();
  private readonly figures = element('p', { className: 'figures' });
  private readonly status = element('p', { className: 'verdict', role: 'status' }, 'Nothing is trained yet.');
  private readonly start = button('Train', () => this.train(false), 'primary');
  private readonly further = button('Train further', () => this.train(true));
  private readonly pause = button('Pause', () => this.togglePause());
  private readonly cancel = button('Cancel', () =>
    this.call((worker) => worker.call('steer', { order: 'cancel' })),
  );
  private readonly storage = savedFlows({
    call: (work) => this.call(work),
    say: (text) => this.say(text),
    opened: (kind, preview) => this.opened(kind, preview),
  });
  private readonly planeBox: HTMLElement;

  constructor(private readonly app: App) {
    this.kind.addEventListener('change', () => this.chooseKind());
    const shape = select(
      Object.keys(pointShapes).map((name) => ({ value: name, label: name })),
      'two moons',
    );
    const place = () => {
      this.forget();
      this.pad.points = pointShapes[shape.value](SHAPE_POINTS);
    };
    shape.addEventListener('change', place);
    this.planeBox = element(
      'div',
      {},
      element(
        'div',
        { className: 'fields' },
        labelled('Shape', shape),
        button('Clear', () => this.clearPoints()),
      ),
      element(
        'div',
        { className: 'planes' },
        element('figure', {}, this.pad.element, this.captions.kept),
        element('figure', {}, this.affineMap, this.captions.affine),
      ),
      this.count,
      small(
        'Draw your own points by dragging. The maps show the densities that two flows have learned of them, light where they are high: one of rational-quadratic splines, and a small one beside it of affine couplings as many and as wide. Splines bend within a coupling, so they leave sharper edges and thinner bridges.',
      ),
    );
    this.samples.element.hidden = true;
    this.element = this.build();
    place();
    this.showState('idle');
    void this.call(async (worker) => this.storage.show(await worker.call('listFlows', {})));
  }

  /** Ends training and the worker. */
  dispose(): void {
    void this.worker?.then((worker) => worker.terminate()).catch(() => {});
  }

  private build(): HTMLElement {
    const { depth, width, steps, batchSize, learningRate } = this.fields;
    return element(
      'div',
      { className: 'columns' },
      element('div', {}, labelled('Train on', this.kind), this.planeBox, this.samples.element),
      element(
        'div',
        {},
        element(
          'div',
          { className: 'fields' },
          labelled('Steps', steps),
          labelled('Batch', batchSize),
          labelled('Learning rate', learningRate),
          labelled('Depth', depth),
          labelled('Width', width),
        ),
        element('div', { className: 'buttons' }, this.start, this.further, this.pause, this.cancel),
        this.status,
        this.plot.element as unknown as HTMLElement,
        this.figures,
        this.storage.element,
      ),
    );
  }

  private chooseKind(): void {
    const kind = this.kind.value as Kind;
    for (const [name, value] of Object.entries(defaults[kind])) {
      this.fields[name as keyof typeof this.fields].value = String(value);
    }
    this.planeBox.hidden = kind !== 'points';
    this.samples.element.hidden = kind !== 'pictures';
    this.showState(this.state);
  }

  private clearPoints(): void {
    this.pad.points = [];
    this.forget();
  }

  /** No densities. */
  private forget(): void {
    this.pad.forget();
    drawHeatMap(this.affineMap, new Float32Array(1), 1);
    for (const role of ['kept', 'affine'] as const) this.caption(role, []);
  }

  /** Says what a flow is, and its loss by the last steps. */
  private caption(role: FlowRole, losses: readonly number[]): void {
    this.lastLosses[role] =
      losses.length === 0 ? [] : [...this.lastLosses[role], ...losses].slice(-LAST_STEPS);
    const last = this.lastLosses[role];
    const mean = last.reduce((sum, loss) => sum + loss, 0) / last.length;
    const kind = role === 'kept' ? 'splines' : 'affine couplings';
    this.captions[role].textContent = last.length === 0 ? kind : `${kind}: ${mean.toFixed(2)} nats`;
    this.captions[role].className = role;
  }

  private countPoints(): void {
    this.count.textContent = `${this.pad.points.length / 2} points`;
  }

  private train(further: boolean): void {
    const kind = this.kind.value as Kind;
    const { points } = this.pad;
    if (kind === 'points' && points.length < 2 * FEWEST_POINTS) {
      this.say(`Put at least ${FEWEST_POINTS} points on the plane first.`);
      return;
    }
    const data: TrainingData =
      kind === 'points' ? { kind, points } : { kind, pictures: this.app.model.pictures };
    const options = { seed: 1, further } as TrainingOptions;
    for (const [name, field] of Object.entries(this.fields)) {
      options[name as keyof typeof this.fields] = numberIn(field);
    }
    if (!further) {
      this.plot.clear();
      this.forget();
    }
    this.showState('running');
    void this.call(async (worker) => {
      const { parameterCount } = await worker.call('train', { data, options });
      this.present = kind;
      this.say(`Training ${parameterCount.toLocaleString('en')} parameters on ${this.app.runsOn}.`);
    });
  }

  private togglePause(): void {
    const next = this.state === 'paused' ? 'running' : 'paused';
    void this.call(async (worker) => {
      await worker.call('steer', { order: next === 'paused' ? 'pause' : 'resume' });
      this.showState(next);
      this.say(next === 'paused' ? 'Paused.' : 'Training goes on.');
    });
  }

  private onEvent(event: WorkerEvent): void {
    switch (event.event) {
      case 'progress': {
        const { of, step, steps, losses, lossUnit, examplesPerSecond, secondsLeft } = event;
        this.plot.add(of, losses, lossUnit);
        if (losses.length > 0) this.caption(of, losses);
        if (of !== 'kept') break;
        this.figures.textContent =
          `step ${step} of ${steps} · ${Math.round(examplesPerSecond).toLocaleString('en')} examples/s` +
          ` · ${Math.ceil(secondsLeft)} s left`;
        break;
      }
      case 'preview':
        this.showPreview(event.of, event.preview);
        break;
      case 'ended':
        this.showState('idle');
        this.say(
          [
            event.stopped === 'aborted'
              ? 'Cancelled; what was learned so far is kept.'
              : 'Training has finished.',
            event.kernels,
          ].join(' '),
        );
        break;
      case 'failed':
        this.showState('idle');
        this.say(`Training failed: ${event.message}`);
    }
  }

  private showPreview(of: FlowRole, preview: Preview): void {
    if (preview.kind === 'density' && of === 'affine')
      drawHeatMap(this.affineMap, preview.values, preview.side);
    else if (preview.kind === 'density') this.pad.showDensity(preview.values, preview.side);
    else this.samples.show(preview.pictures);
  }

  private opened(kind: Kind, preview: Preview): void {
    this.present = kind;
    this.kind.value = kind;
    this.chooseKind();
    this.forget();
    this.showPreview('kept', preview);
  }

  private showState(state: State): void {
    this.state = state;
    const idle = state === 'idle';
    this.start.disabled = !idle;
    this.further.disabled = !idle || this.present !== this.kind.value;
    this.pause.disabled = idle;
    this.pause.textContent = state === 'paused' ? 'Resume' : 'Pause';
    this.cancel.disabled = idle;
    this.kind.disabled = !idle;
    this.storage.enable({ open: idle, keep: this.present !== undefined && state !== 'running' });
  }

  private say(text: string): void {
    this.status.textContent = text;
    this.showState(this.state);
  }

  /** Calls the worker, which is started on first use. */
  private async call(work: (worker: FlowWorker) => Promise<unknown>): Promise<void> {
    try {
      this.worker ??= FlowWorker.start(this.app.backend).then(({ worker }) => {
        worker.onEvent = (event) => this.onEvent(event);
        return worker;
      });
      await work(await this.worker);
    } catch (error) {
      this.showState('idle');
      this.app.fail(error);
    }
  }
}
