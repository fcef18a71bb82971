import * as tf from '@tensorflow/tfjs-core';
import { requireBackend } from '../core/backend';
import { BackendError, ConfigError, complaint, DisposedError } from '../core/errors';
import { RandomStream } from '../core/random';
import { hasKernels } from '../engine/kernels';
import { storageFor } from './applyGradients';
import { AveragedWeights } from './averaging';
import { CallbackList } from './callbacks';
import { type FitData, type RecognizedData, recognizeData, streamOf } from './data';
import { EarlyStopping } from './earlyStopping';
import { checkFitOptions, type FitOptions } from './fitOptions';
import { GradientComputer } from './gradientMethod';
import { trainableOf } from './gradients';
import type { History } from './history';
import { takeForTraining } from './inTraining';
import {
  checkOptimizerFits,
  checkOptimizerUsable,
  disposeOptimizer,
  getLearningRate,
  makeOptimizer,
  setLearningRate,
} from './optimizers';
import { ProgressBar } from './progress';
import { TrainingRun } from './run';
import { learningRateAt } from './schedules';
import { Stepper } from './stepper';
import type { Batch, Trainable } from './trainable';
import { Yielder } from './yielding';

/**
 * Trains a model by stochastic gradient descent, in the manner of tfjs-layers.
 *
 * Runs data-dependent initialization on the first batch where the model still needs it (flows of vectors: on up to 8192 of the examples in
 * memory). A loss or gradient that is not finite ends training
 * before it is applied, with the last good weights in place. The number of tensors stays the same from step to step.
 *
 * @param data examples in memory, a tf.data dataset, an (async) iterable of batches or a function that returns one per pass
 * @returns losses per step and logs per epoch, in the model's unit
 * @throws ConfigError, DataError, ShapeError, BackendError, DisposedError; NonFiniteError, which names the layer
 *
 * @example
 * const history = await fit(flow, { x: pixels, shape: [8, 8, 1] }, {
 *   epochs: 10, batchSize: 64, learningRate: 1e-3, schedule: { kind: 'constant', warmupSteps: 100 }, clipNorm: 100,
 *   validationSplit: 0.1, earlyStopping: { patience: 3 },
 * });
 * console.log(history.epochs.at(-1)?.val_loss);
 */
export function fit(model: Trainable, data: FitData, options?: FitOptions): Promise<History>;
export async function fit(
  model: Trainable,
  data: FitData,
  options: FitOptions = {},
  ...surplus: unknown[]
): Promise<History> {
  checkFitOptions(options, surplus);
  requireBackend('fit');
  checkModel(model);
  const cleanups = [takeForTraining(model, options.optimizer)];
  try {
    const run = await prepare(model, data, options, cleanups);
    return await run.run();
  } finally {
    await cleanUp(cleanups);
  }
}

type CleanUp = () => unknown;

/** The last first, and all of them, also where one throws. */
async function cleanUp(cleanups: CleanUp[]): Promise<void> {
  try {
    await cleanups.pop()?.();
  } finally {
    if (cleanups.length > 0) await cleanUp(cleanups);
  }
}

/** Builds the parts of a run; what has to be freed at its end is added to `cleanups`. */
async function prepare(
  model: Trainable,
  data: FitData,
  options: FitOptions,
  cleanups: CleanUp[],
): Promise<TrainingRun> {
  const { batchSize = 32, schedule = { kind: 'constant' }, callbacks = [], signal } = options;
  const trainable = trainableOf(model);
  const optimizer = optimizerOf(options, trainable, cleanups);
  const learningRate = options.learningRate ?? getLearningRate(optimizer);

  const root = new RandomStream(options.seed);
  const streams = { order: root.child(), validationSeed: root.childSeed(), noise: root.child() };
  const { training, validation } = await readData(model, data, options, batchSize);
  const stream = streamOf('fit', training, batchSize, streams.order, options.shuffle ?? true);
  cleanups.push(() => stream.close());
  const validationStream =
    validation && streamOf('fit', validation, batchSize, new RandomStream(streams.validationSeed), false);
  cleanups.push(() => validationStream?.close());

  const averages =
    typeof options.average === 'number' ? new AveragedWeights(model, options.average) : options.average;
  if (typeof options.average === 'number') cleanups.push(() => averages?.dispose());
  const earlyStopping =
    options.earlyStopping === undefined
      ? undefined
      : new EarlyStopping(
          options.earlyStopping,
          model.weights.map((weight) => weight.variable),
          validation !== undefined,
        );
  cleanups.push(() => earlyStopping?.bestWeights.dispose());
  const { gradients = 'auto', anchorEvery } = options;
  const computer = new GradientComputer(model, gradients, {
    anchorEvery,
    storage: storageFor(optimizer),
  });
  const stepper = new Stepper(model, optimizer, computer, options, averages);
  cleanups.push(() => stepper.dispose());

  const expectedStepsPerEpoch =
    options.stepsPerEpoch ??
    ('examples' in training ? Math.ceil(training.examples.count / batchSize) : undefined);
  const epochs = options.epochs ?? (options.steps === undefined ? 1 : Number.POSITIVE_INFINITY);
  const run = new TrainingRun({
    model,
    data: stream,
    validation: validationStream,
    validationSteps: options.validationSteps,
    validationFrequency: options.validationFrequency ?? 1,
    validationSeed: streams.validationSeed,
    noise: streams.noise,
    stepper,
    optimizer,
    learningRateAt: (step) => learningRateAt(schedule, step, learningRate),
    averages,
    endsAveraged: typeof options.average === 'number',
    earlyStopping,
    epochs,
    steps: options.steps ?? Number.POSITIVE_INFINITY,
    stepsPerEpoch: options.stepsPerEpoch,
    expectedStepsPerEpoch,
    checksBatches: !('examples' in training),
    initialBatch: initialBatchOf(model, training),
    callbacks: new CallbackList(callbacks, { epochs, batchSize, steps: expectedStepsPerEpoch ?? null }),
    progressBar: new ProgressBar(options.progress),
    onProgress: options.onProgress,
    yielder: new Yielder(options.yieldEvery ?? 'auto'),
    signal,
    checkpoint: options.checkpoint,
  });
  if (options.resume !== undefined) await run.resume(options.resume);
  return run;
}

/** Training and validation data; what is in memory is checked by the model here, before any step. */
async function readData(
  model: Trainable,
  data: FitData,
  options: FitOptions,
  batchSize: number,
): Promise<{ training: RecognizedData; validation: RecognizedData | undefined }> {
  const given = await recognizeData('fit', data, model);
  checkExamples(model, given, batchSize);
  if (options.validationSplit !== undefined) {
    if (!('examples' in given)) {
      throw new ConfigError(
        complaint(
          'fit',
          'validationData beside a dataset or iterator',
          'validationSplit',
          'Only examples in memory can be split.',
        ),
      );
    }
    const [training, held] = given.examples.split(options.validationSplit);
    return { training: { examples: training }, validation: { examples: held } };
  }
  if (options.validationData === undefined) return { training: given, validation: undefined };
  const validation = await recognizeData('fit (validationData)', options.validationData, model);
  checkExamples(model, validation, batchSize);
  return { training: given, validation };
}

function checkExamples(model: Trainable, data: RecognizedData, batchSize: number): void {
  if (!('examples' in data)) return;
  model.checkAll?.('fit', data.examples.values);
  let firstRow = 0;
  for (const batch of data.examples.batches(batchSize)) {
    try {
      model.checkBatch(batch, firstRow);
      firstRow += batch.x.shape[0];
    } finally {
      tf.dispose([batch.x, batch.context ?? []]);
    }
  }
}

/** What gives the examples that initialization sees; undefined where they are those of the first batch. */
function initialBatchOf({ initialExamples }: Trainable, training: RecognizedData): (() => Batch) | undefined {
  if (initialExamples === undefined || !('examples' in training)) return undefined;
  return () => training.examples.spread(initialExamples);
}

/** The given optimizer, whose learning rate is put back at the end, or a new one that is disposed there. */
function optimizerOf(
  options: FitOptions,
  trainable: readonly tf.Variable[],
  cleanups: CleanUp[],
): tf.Optimizer {
  const { optimizer = 'adam', learningRate = 1e-3 } = options;
  if (typeof optimizer === 'string') {
    const made = makeOptimizer(optimizer, learningRate);
    cleanups.push(() => disposeOptimizer(made));
    return made;
  }
  checkOptimizerUsable(optimizer);
  // A checkpoint brings accumulators of its own.
  if (options.resume === undefined) checkOptimizerFits(optimizer, trainable);
  const rate = getLearningRate(optimizer);
  cleanups.push(() => setLearningRate(optimizer, rate));
  return optimizer;
}

function checkModel(model: Trainable): void {
  const trainable = trainableOf(model);
  if (trainable.length === 0) {
    throw new ConfigError(complaint('fit', 'a model with trainable weights', `${model.label} without any`));
  }
  if (trainable.some((variable) => variable.isDisposed)) {
    throw new DisposedError(`fit: ${model.label} was disposed. Build or load it again.`);
  }
  const backend = tf.getBackend();
  const missing = model.requiredKernels.filter((kernel) => !hasKernels(kernel));
  if (missing.length > 0) {
    const hint =
      backend === 'wasm' ? "Import 'tfjs-flows/wasm', which registers them." : 'Choose another backend.';
    throw new BackendError(
      complaint(
        'fit',
        `backend '${backend}' to have the kernels ${missing.join(', ')}`,
        'none registered',
        hint,
      ),
    );
  }
}
