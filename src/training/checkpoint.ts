import * as tf from '@tensorflow/tfjs-core';
import { complaint, FormatError } from '../core/errors';
import { isJsonObject } from '../core/json';
import { checkOptions, type OptionNames } from '../core/options';
import type { RandomStreamState } from '../core/random';
import { checkInteger } from '../core/shapes';
import { open, seal } from '../io/envelope';
import { type Location, loaderOf, saverOf, saveTo } from '../io/handlers';
import { matchTensors, type NamedTensor } from '../io/tensors';
import type { AveragedWeights } from './averaging';
import type { StreamPosition } from './batchStream';
import type { EarlyStopping, EarlyStoppingState } from './earlyStopping';
import type { GradientChoice } from './gradientMethod';
import type { EpochLogs } from './history';
import type { LogMeansState } from './logs';
import { optimizerTensors, restoreOptimizer } from './optimizers';
import type { Trainable } from './trainable';

/** When and where `fit` writes checkpoints. */
export interface CheckpointOptions {
  /** A tf.io handler or URL, as for `saveModule`; each checkpoint takes the place of the one before. */
  location: Location;
  /** Steps between two checkpoints. Default: only one, when training ends. */
  everySteps?: number;
}

const names: OptionNames<CheckpointOptions> = {
  location: ['path', 'filepath', 'folder', 'url', 'handler'],
  everySteps: ['every', 'frequency', 'saveFreq', 'save_freq'],
};

/** Throws a ConfigError for options that are unknown, out of range, or name no place to save to. */
export function checkCheckpoint(options: CheckpointOptions): void {
  checkOptions('fit (checkpoint)', options, names);
  saverOf('fit (checkpoint)', options.location);
  if (options.everySteps !== undefined) checkInteger('fit', 'checkpoint.everySteps', options.everySteps);
}

/** Where a run stands between two steps; plain JSON. */
export interface RunPosition {
  step: number;
  epoch: number;
  stepInEpoch: number;
  data: StreamPosition;
  validation: StreamPosition | null;
  validationSeed: number;
  noise: RandomStreamState;
  means: LogMeansState;
  epochs: EpochLogs[];
  /** What 'auto' chose; absent in checkpoints of versions that chose in every step. */
  gradients?: GradientChoice | null;
}

/** The parts of a run that hold tensors. */
export interface RunParts {
  model: Trainable;
  optimizer: tf.Optimizer;
  averages: AveragedWeights | undefined;
  earlyStopping: EarlyStopping | undefined;
}

interface CheckpointContent {
  position: RunPosition;
  optimizer: { className: string; iterations: number };
  average: { decay: number; updates: number } | null;
  earlyStopping: EarlyStoppingState | null;
}

/** Writes everything that a run needs to continue to the same numbers. */
export async function saveCheckpoint(
  location: Location,
  position: RunPosition,
  losses: readonly number[],
  parts: RunParts,
): Promise<void> {
  const { model, optimizer, averages, earlyStopping } = parts;
  const content: CheckpointContent = {
    position,
    optimizer: { className: optimizer.getClassName(), iterations: optimizer.iterations },
    average: averages === undefined ? null : { decay: averages.decay, updates: averages.updates },
    earlyStopping: earlyStopping?.state() ?? null,
  };
  const lossTensor = tf.tensor1d([...losses]);
  try {
    const tensors = [
      ...prefixed('weights', weightTensors(model)),
      ...prefixed('optimizer', optimizerTensors(optimizer, trainableNames(model))),
      ...prefixed('average', averages?.tensors() ?? []),
      ...prefixed('best', bestTensors(model, earlyStopping?.bestWeights.values ?? [])),
      { name: 'losses', tensor: lossTensor },
    ];
    await saveTo('fit', location, () => seal('fit', 'checkpoint', content, tensors));
  } finally {
    lossTensor.dispose();
  }
}

/**
 * Reads a checkpoint into the parts of a run.
 *
 * @returns where the run stood and its losses
 * @throws FormatError for a damaged file, or a checkpoint of another model, optimizer or average
 */
export async function loadCheckpoint(
  location: Location,
  parts: RunParts,
): Promise<{ position: RunPosition; losses: number[] }> {
  const artifacts = await loaderOf('fit', location)();
  const { content, tensors } = open<CheckpointContent>('fit', 'checkpoint', artifacts);
  try {
    checkContent(content, tensors);
    checkSame('optimizer', content.optimizer.className, parts.optimizer.getClassName());
    checkSame('average', content.average?.decay, parts.averages?.decay);
    checkSame('earlyStopping', content.earlyStopping !== null, parts.earlyStopping !== undefined);
    const { model, optimizer, averages, earlyStopping } = parts;
    const weights = group('weights', tensors);
    matchTensors(
      'fit (checkpoint)',
      model.weights.map(({ name, variable }) => ({
        name,
        shape: variable.shape,
        dtype: variable.dtype,
      })),
      weights,
    );
    for (const { name, variable } of model.weights) variable.assign(weights.get(name) as tf.Tensor);
    model.markInitialized();
    restoreOptimizer(
      optimizer,
      group('optimizer', tensors),
      trainableNames(model),
      content.optimizer.iterations,
    );
    averages?.restore(group('average', tensors), content.average?.updates ?? 0);
    const best = group('best', tensors);
    if (content.earlyStopping !== null) earlyStopping?.restore(content.earlyStopping, [...best.values()]);
    return { position: content.position, losses: [...(await (tensors.get('losses') as tf.Tensor).data())] };
  } finally {
    tf.dispose([...tensors.values()]);
  }
}

/** Throws a FormatError where a part of a checkpoint is missing. */
function checkContent(
  { position, optimizer, average, earlyStopping }: CheckpointContent,
  tensors: ReadonlyMap<string, tf.Tensor>,
): void {
  const objects = [
    position,
    optimizer,
    average ?? {},
    earlyStopping ?? {},
    position?.data,
    position?.noise,
    position?.means,
  ];
  const { pass, batch } = position?.data ?? {};
  const counts = [position?.step, position?.epoch, position?.stepInEpoch, pass, batch];
  const sound =
    objects.every(isJsonObject) && counts.every(Number.isInteger) && Array.isArray(position.epochs);
  if (sound && tensors.has('losses')) return;
  const expected = "a run's position, optimizer, averages and losses";
  throw new FormatError(
    complaint('fit', expected, 'a part of them', 'The checkpoint is damaged; use another copy.'),
  );
}

function checkSame(option: string, saved: unknown, given: unknown): void {
  if (saved === given) return;
  throw new FormatError(
    complaint(
      'fit',
      `the same ${option} as in the checkpoint (${saved})`,
      `${given}`,
      'Resume with the options that the run was started with.',
    ),
  );
}

function trainableNames(model: Trainable): string[] {
  return model.weights.filter((weight) => weight.trainable).map((weight) => weight.name);
}

function weightTensors(model: Trainable): NamedTensor[] {
  return model.weights.map(({ name, variable }) => ({ name, tensor: variable }));
}

function bestTensors(model: Trainable, values: readonly tf.Tensor[]): NamedTensor[] {
  return values.map((tensor, i) => ({ name: model.weights[i].name, tensor }));
}

function prefixed(prefix: string, tensors: readonly NamedTensor[]): NamedTensor[] {
  return tensors.map(({ name, tensor }) => ({ name: `${prefix}/${name}`, tensor }));
}

function group(prefix: string, tensors: ReadonlyMap<string, tf.Tensor>): Map<string, tf.Tensor> {
  const start = `${prefix}/`;
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(start))
      .map(([name, tensor]) => [name.slice(start.length), tensor]),
  );
}
