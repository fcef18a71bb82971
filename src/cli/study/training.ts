import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from '../../core/checksum';
import { ConfigError, complaint, FormatError } from '../../core/errors';
import { Glow } from '../../flows';
import { abortOnInterrupt, checkpointDirectory, importCheckpointFile } from '../../node';
import { writeFileAtomically } from '../../node/atomicFile';
import type { History } from '../../training';
import type { Terminal } from '../command';
import { readJsonObjectIfAny } from '../json';
import { MODEL_FILE, saveModelFile } from '../models';
import type { StudyConfig } from './config';
import { eventsAt, type StudyImages } from './images';

const RUN_FILE = 'run.json';
/** Held-out images that every look in training takes at most; the report takes all. */
const LARGEST_LOOK = 512;

/** How training ended. */
export interface TrainingOutcome {
  steps: number;
  stopped: History['stopped'];
  /** Bits per dimension of the held-out images at every look. */
  curve: { step: number; loss: number; heldOut: number }[];
}

/**
 * The Glow of a study: trained, trained on from the newest checkpoint, or read where training has ended before.
 *
 * An interrupted training leaves a checkpoint and no model.
 */
export async function trainedGlow(
  config: StudyConfig,
  images: StudyImages,
  terminal: Terminal,
): Promise<{ glow: Glow; outcome: TrainingOutcome }> {
  const { output, glow: options, training, seed } = config;
  await mkdir(output, { recursive: true });
  const model = join(output, MODEL_FILE);
  const previous = await previousRun(config, images);
  if (previous !== undefined && 'outcome' in previous) {
    terminal.note(`the model of an earlier run is used: ${model}`);
    return {
      glow: await importCheckpointFile(model, { seed }),
      outcome: previous.outcome as TrainingOutcome,
    };
  }
  const checkpoints = checkpointDirectory(join(output, 'checkpoints'), { keep: 2 });
  const resume = previous !== undefined && (await checkpoints.list()).length > 0 ? checkpoints : undefined;
  if (resume !== undefined) terminal.note('an interrupted run is continued');
  await writeRun(config, images);

  const { warmupSteps, evaluateEvery, patience, steps, batchSize, ...rest } = training;
  const events = eventsAt(images, images.training);
  const held = eventsAt(images, images.held.subarray(0, LARGEST_LOOK));
  const shape = options.imageShape;
  const glow = new Glow({ ...options, seed });
  const history = await glow.fit(
    { x: events.data, shape },
    {
      ...rest,
      steps,
      stepsPerEpoch: evaluateEvery,
      batchSize: Math.min(batchSize, images.training.length),
      schedule: { kind: 'cosine', steps, warmupSteps: Math.min(warmupSteps, steps - 1), floor: 0.05 },
      validationData: { x: held.data, shape },
      earlyStopping: { patience },
      progress: terminal.quiet ? 'none' : 'auto',
      checkpoint: { location: checkpoints, everySteps: evaluateEvery },
      resume,
      signal: abortOnInterrupt(),
      seed,
    },
  );
  const outcome: TrainingOutcome = {
    steps: history.losses.length,
    stopped: history.stopped,
    curve: history.epochs.map(({ step, loss, val_loss }) => ({ step, loss, heldOut: val_loss })),
  };
  if (history.stopped !== 'aborted') {
    await saveModelFile(glow, model);
    // Last, so that an outcome means that the model is there.
    await writeRun(config, images, outcome);
  }
  return { glow, outcome };
}

/** What must be the same for a run to go on. */
function identityOf({ data, glow, training, seed }: StudyConfig, { images, training: rows }: StudyImages) {
  const { heldOut, fewImages } = data;
  // Other classes split the same images otherwise: what was trained on could be held out now.
  const split = crc32(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
  return { images: crc32(images.data), split, data: { heldOut, fewImages }, glow, training, seed };
}

async function writeRun(config: StudyConfig, images: StudyImages, outcome?: TrainingOutcome): Promise<void> {
  const run = { ...identityOf(config, images), outcome };
  await writeFileAtomically(join(config.output, RUN_FILE), JSON.stringify(run, null, 1));
}

async function previousRun(
  config: StudyConfig,
  images: StudyImages,
): Promise<Record<string, unknown> | undefined> {
  const path = join(config.output, RUN_FILE);
  const hint = `Give another "output", or delete '${config.output}'.`;
  const previous = await readJsonObjectIfAny('study', path, hint);
  if (previous === undefined) return undefined;
  const differs = Object.entries(identityOf(config, images)).find(
    ([name, value]) => JSON.stringify(previous[name]) !== JSON.stringify(value),
  );
  if (differs === undefined) {
    if (previous.outcome === undefined || isOutcome(previous.outcome)) return previous;
    throw new FormatError(
      complaint('study', `the outcome of a run in '${path}'`, JSON.stringify(previous.outcome), hint),
    );
  }
  throw new ConfigError(
    `'${config.output}' holds a run with other ${differs[0]}. Give another "output", or delete that folder.`,
  );
}

function isOutcome(value: unknown): value is TrainingOutcome {
  const { steps, stopped, curve } = (value ?? {}) as Partial<TrainingOutcome>;
  return Number.isInteger(steps) && typeof stopped === 'string' && Array.isArray(curve);
}
