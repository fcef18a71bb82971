import type { AttributeFile } from './modelFiles';

/** Backends that the page offers, in the order in which they are shown. */
export const backendNames = ['wasm', 'webgl', 'webgpu'] as const;
export type BackendName = (typeof backendNames)[number];

/** Their names for people. */
export const backendLabels: Record<BackendName, string> = { wasm: 'WASM', webgl: 'WebGL', webgpu: 'WebGPU' };

/** What runs in a worker. */
export interface BackendReport {
  name: BackendName;
  /** For people: "WASM, 4 threads, SIMD". */
  description: string;
}

/** Pictures of one size: levels 0 .. 2^nBits - 1, one after the other. */
export interface Pictures {
  levels: Uint8Array;
  count: number;
  size: number;
  nBits: number;
}

/** An attribute as the page shows it. */
export type AttributeSummary = Omit<AttributeFile, 'delta'>;

/** A loaded model, without its weights. */
export interface ModelSummary {
  title: string;
  source: string;
  subclasses: string[];
  novel: number[];
  attributes: AttributeSummary[];
  /** Pictures that ship with the model, and the subclass of each. */
  pictures: Pictures;
  subclass: Int32Array;
  /** Value of every attribute for every picture, picture by picture; NaN where it says nothing. */
  attributeValues: Float32Array;
  /** Number of scales. */
  levelCount: number;
  parameterCount: number;
  heldOutBitsPerDim: number;
}

export type Interval = [number, number];

/** What `learnableRange` says of one picture and one direction. */
export interface StrengthRange {
  /** Between the extremes of the own samples; null without samples. */
  own: Interval | null;
  /** Vouched for by other subclasses. */
  transferable: Interval[];
  /** Within the prior's region, vouched for or not. */
  prior: Interval[];
  /** Why nothing is transferable; null where something may be. */
  refusal: string | null;
}

/** One line of the per-layer account. */
export interface AccountLine {
  name: string;
  bitsPerDim: number;
  roundTripError: number;
}

/** Bits per dimension of a picture, and where they come from. */
export interface Score {
  bitsPerDim: number;
  /** The layers in the order in which data meets them, then the base distribution. */
  lines: AccountLine[];
}

/** Points in the plane, x and y in turn, or pictures to train on. */
export type TrainingData =
  | { kind: 'points'; points: Float32Array }
  | { kind: 'pictures'; pictures: Pictures };

export interface TrainingOptions {
  steps: number;
  batchSize: number;
  learningRate: number;
  /** Number of couplings, or steps per level. */
  depth: number;
  /** Width of the coupling networks. */
  width: number;
  seed: number;
  /** Goes on with the present flow. */
  further: boolean;
}

/** Which of the flows in training: the one that is kept, or the affine one that is trained on the same points to compare. */
export type FlowRole = 'kept' | 'affine';

/** What a flow in training looks like: a density on a square grid, row by row from the top, or samples. */
export type Preview =
  | { kind: 'density'; values: Float32Array; side: number }
  | { kind: 'samples'; pictures: Pictures };

/** A flow that was saved in this browser. */
export interface SavedFlow {
  name: string;
  bytes: number;
  date: string;
}

/** What the page asks of a worker. */
export interface Calls {
  start: { params: { backend: BackendName; wasmFolder: string }; result: BackendReport };
  loadModel: { params: { folder: string }; result: ModelSummary };
  /** Takes a picture to be moved along attributes, the first of `few`, the samples that its subclass is known by. */
  choosePicture: { params: { few: number[] }; result: StrengthRange[] };
  move: { params: { strengths: number[] }; result: Pictures };
  /** The target is the first of `few`, the samples that its subclass is known by. */
  prepareTransfer: {
    params: { attribute: number; source: number; few: number[]; match: 'none' | 'diagonal' };
    result: StrengthRange;
  };
  /** The source and the target, each moved by the strength. */
  moveTransferred: { params: { strength: number }; result: Pictures };
  sample: { params: { count: number; temperatures: number[]; seed: number }; result: Pictures };
  interpolate: { params: { ends: Pictures; steps: number }; result: Pictures };
  score: { params: { picture: Pictures }; result: Score };
  train: { params: { data: TrainingData; options: TrainingOptions }; result: { parameterCount: number } };
  /** Tells the run what to do next. */
  steer: { params: { order: 'pause' | 'resume' | 'cancel' }; result: null };
  saveFlow: { params: { name: string }; result: SavedFlow[] };
  listFlows: { params: Record<never, never>; result: SavedFlow[] };
  openFlow: { params: { name: string }; result: { kind: TrainingData['kind']; preview: Preview } };
  removeFlow: { params: { name: string }; result: SavedFlow[] };
  /** The flow as a zip of model.json and its weights. */
  packFlow: { params: Record<never, never>; result: Uint8Array };
}

export type CallName = keyof Calls;
export type Params<Name extends CallName> = Calls[Name]['params'];
export type Result<Name extends CallName> = Calls[Name]['result'];

/** What a worker tells without being asked. */
export type WorkerEvent =
  | {
      event: 'progress';
      of: FlowRole;
      step: number;
      steps: number;
      /** Losses of the steps since the last report. */
      losses: number[];
      lossUnit: string;
      examplesPerSecond: number;
      secondsLeft: number;
    }
  | { event: 'preview'; of: FlowRole; preview: Preview }
  /** `kernels` says which kernels ran, where that is known. */
  | { event: 'ended'; stopped: string; kernels: string }
  | { event: 'failed'; message: string };

export interface Request {
  id: number;
  name: CallName;
  params: unknown;
}

export type Response = { id: number; result: unknown } | { id: number; error: string };
