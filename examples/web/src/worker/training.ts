import { type FitOptions, type Flow, Glow, neuralSplineFlow, type Progress, realNvp } from 'tfjs-flows';
import type { FlowRole, Params, Result, TrainingData, TrainingOptions, WorkerEvent } from '../protocol';
import { kernelsThatRan } from './backend';
import { currentFlows, setCurrentFlow } from './currentFlow';
import { previewOf } from './preview';

/** Milliseconds between two reports. */
const REPORT_EVERY = 200;
/** Previews take at most this share of the time. */
const PREVIEW_SHARE = 0.3;

/** Pauses, resumes and cancels runs of training. */
class Steering {
  private readonly abort = new AbortController();
  private gate: { promise: Promise<void>; open: () => void } | undefined;

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  get paused(): Promise<void> | undefined {
    return this.gate?.promise;
  }

  pause(): void {
    if (this.gate !== undefined) return;
    let open = () => {};
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.gate = { promise, open };
  }

  resume(): void {
    this.gate?.open();
    this.gate = undefined;
  }

  cancel(): void {
    this.abort.abort();
    this.resume();
  }
}

/** Training of one flow, which tells how it goes. */
class Training {
  private losses: number[] = [];
  private progress: Progress | undefined;
  private nextReport = 0;
  private nextPreview = 0;

  constructor(
    private readonly of: FlowRole,
    private readonly flow: Flow,
    private readonly steering: Steering,
  ) {}

  /** @returns why it stopped */
  async run(data: TrainingData, { steps, batchSize, learningRate, seed }: TrainingOptions): Promise<string> {
    const options: FitOptions = {
      steps,
      batchSize,
      learningRate,
      seed,
      clipNorm: 100,
      schedule: { kind: 'cosine', steps, warmupSteps: Math.min(20, steps), floor: 0.05 },
      signal: this.steering.signal,
      yieldEvery: 50,
      progress: 'none',
      onProgress: (progress) => {
        this.progress = progress;
      },
      callbacks: {
        onBatchEnd: async (_, { loss }) => {
          this.losses.push(loss);
          await this.pauseHere();
        },
      },
    };
    const { stopped } = await this.flow.fit(examplesOf(data), options);
    this.report(steps);
    await this.show();
    return stopped;
  }

  /** Between two steps: reports where it is time, and waits while paused. */
  private async pauseHere(): Promise<void> {
    const now = performance.now();
    const pauses = this.steering.paused !== undefined;
    if (now >= this.nextReport || pauses) {
      this.report();
      this.nextReport = now + REPORT_EVERY;
    }
    if (now >= this.nextPreview || pauses) {
      await this.show();
      const end = performance.now();
      this.nextPreview = end + (end - now) / PREVIEW_SHARE;
    }
    await this.steering.paused;
  }

  private async show(): Promise<void> {
    tell({ event: 'preview', of: this.of, preview: await previewOf(this.flow) });
  }

  private report(steps = this.progress?.steps ?? 0): void {
    if (this.progress === undefined) return;
    const { step, lossUnit, examplesPerSecond, secondsLeft = 0 } = this.progress;
    const { of, losses } = this;
    this.losses = [];
    tell({ event: 'progress', of, step, steps, losses, lossUnit, examplesPerSecond, secondsLeft });
  }
}

let steering: Steering | undefined;

/** Starts training, and returns once it runs. */
export async function train({ data, options }: Params<'train'>): Promise<Result<'train'>> {
  if (!options.further) setCurrentFlow(build(data, options), affineFlow(data, options));
  const flows = currentFlows();
  steering = new Steering();
  void trainAll(flows, data, options, steering);
  return { parameterCount: flows[0][1].parameterCount };
}

/** Pauses, resumes or cancels the run, where there is one. */
export async function steer({ order }: Params<'steer'>): Promise<null> {
  steering?.[order]();
  return null;
}

/** Trains the flows in turns; one that fails ends the others. */
async function trainAll(
  flows: readonly [FlowRole, Flow][],
  data: TrainingData,
  options: TrainingOptions,
  steering: Steering,
): Promise<void> {
  const runs = flows.map(([of, flow]) => new Training(of, flow, steering).run(data, options));
  try {
    const [stopped] = await Promise.all(runs);
    tell({ event: 'ended', stopped, kernels: kernelsThatRan() });
  } catch (error) {
    steering.cancel();
    await Promise.allSettled(runs);
    tell({ event: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

function build(data: TrainingData, { depth, width, seed }: TrainingOptions): Flow {
  if (data.kind === 'points') {
    return neuralSplineFlow({ dimensions: 2, layers: depth, hiddenUnits: width, seed });
  }
  const { size, nBits } = data.pictures;
  return new Glow({
    imageShape: [size, size, 1],
    levels: 2,
    stepsPerLevel: depth,
    hiddenChannels: width,
    learnTop: 'spatial',
    nBits,
    seed,
  });
}

/** Of points, a flow of affine couplings as deep and wide. */
function affineFlow(data: TrainingData, { depth, width, seed }: TrainingOptions): Flow | undefined {
  if (data.kind !== 'points') return undefined;
  return realNvp({ dimensions: 2, layers: depth, hiddenUnits: [width, width], seed });
}

function examplesOf(data: TrainingData): { x: Float32Array | Uint8Array; shape: number[] } {
  if (data.kind === 'points') return { x: data.points, shape: [2] };
  const { levels, size } = data.pictures;
  return { x: levels, shape: [size, size, 1] };
}

function tell(event: WorkerEvent): void {
  self.postMessage(event);
}
