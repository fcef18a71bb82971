import { type FitOptions, type Flow, Glow, type Progress, realNvp } from 'tfjs-flows';
import type { Params, Result, TrainingData, TrainingOptions, WorkerEvent } from '../protocol';
import { currentFlow, setCurrentFlow } from './currentFlow';
import { previewOf } from './preview';

/** Milliseconds between two reports. */
const REPORT_EVERY = 200;
/** Previews take at most this share of the time. */
const PREVIEW_SHARE = 0.3;

/** A run of training that can be paused, resumed and cancelled. */
class Training {
  private readonly abort = new AbortController();
  private gate: { promise: Promise<void>; open: () => void } | undefined;
  private losses: number[] = [];
  private progress: Progress | undefined;
  private nextReport = 0;
  private nextPreview = 0;

  constructor(private readonly flow: Flow) {}

  async run(data: TrainingData, { steps, batchSize, learningRate, seed }: TrainingOptions): Promise<void> {
    const options: FitOptions = {
      steps,
      batchSize,
      learningRate,
      seed,
      clipNorm: 100,
      schedule: { kind: 'cosine', steps, warmupSteps: Math.min(20, steps), floor: 0.05 },
      signal: this.abort.signal,
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
    try {
      const { stopped } = await this.flow.fit(examplesOf(data), options);
      this.report(steps);
      tell({ event: 'preview', preview: await previewOf(this.flow) });
      tell({ event: 'ended', stopped });
    } catch (error) {
      tell({ event: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
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

  /** Between two steps: reports where it is time, and waits while paused. */
  private async pauseHere(): Promise<void> {
    const now = performance.now();
    if (now >= this.nextReport || this.gate !== undefined) {
      this.report();
      this.nextReport = now + REPORT_EVERY;
    }
    if (now >= this.nextPreview || this.gate !== undefined) {
      tell({ event: 'preview', preview: await previewOf(this.flow) });
      const end = performance.now();
      this.nextPreview = end + (end - now) / PREVIEW_SHARE;
    }
    await this.gate?.promise;
  }

  private report(steps = this.progress?.steps ?? 0): void {
    if (this.progress === undefined) return;
    const { step, lossUnit, examplesPerSecond, secondsLeft = 0 } = this.progress;
    const losses = this.losses;
    this.losses = [];
    tell({ event: 'progress', step, steps, losses, lossUnit, examplesPerSecond, secondsLeft });
  }
}

let training: Training | undefined;

/** Starts training, and returns once it runs. */
export async function train({ data, options }: Params<'train'>): Promise<Result<'train'>> {
  const flow = options.further ? currentFlow() : setCurrentFlow(build(data, options));
  training = new Training(flow);
  void training.run(data, options);
  return { parameterCount: flow.parameterCount };
}

/** Pauses, resumes or cancels the run, where there is one. */
export async function steer({ order }: Params<'steer'>): Promise<null> {
  training?.[order]();
  return null;
}

function build(data: TrainingData, { depth, width, seed }: TrainingOptions): Flow {
  if (data.kind === 'points') {
    return realNvp({ dimensions: 2, layers: depth, hiddenUnits: [width, width], seed });
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

function examplesOf(data: TrainingData): { x: Float32Array | Uint8Array; shape: number[] } {
  if (data.kind === 'points') return { x: data.points, shape: [2] };
  const { levels, size } = data.pictures;
  return { x: levels, shape: [size, size, 1] };
}

function tell(event: WorkerEvent): void {
  self.postMessage(event);
}
