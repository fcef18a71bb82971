import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { ConfigError } from '../../core/errors';
import { Glow } from '../../flows';
import {
  abortOnInterrupt,
  type CheckpointDirectory,
  checkpointDirectory,
  importCheckpointFile,
} from '../../node';
import { writeFileAtomically } from '../../node/atomicFile';
import type { Answer, Arguments, Command, Terminal } from '../command';
import { datasetOptions, datasetPositionals, ModelImages } from '../datasets';
import { readHparams } from '../hparams';
import { MetricsLog } from '../metricsLog';
import { MODEL_FILE, saveModelFile } from '../models';
import { writeGrid } from '../pictures';
import type { TrainingPlan } from '../trainingPlan';

export const train: Command = {
  name: 'train',
  summary: 'train a Glow on images, as hparams say',
  positionals: [
    { name: 'hparams', description: 'JSON file, in the layout of chaiyujin/glow-pytorch or our own' },
    ...datasetPositionals,
  ],
  options: {
    ...datasetOptions,
    output: { value: 'FOLDER', description: 'where the run is kept (default: as hparams say)' },
    resume: { description: 'continue from the newest checkpoint of the run' },
    steps: { value: 'N', description: 'steps in all (default: as hparams say)' },
    'batch-size': { value: 'N', description: 'images per step (default: as hparams say)' },
  },
  computes: true,
  seed: '1',
  afterFullDisk: 'What was written before is whole: make room, then train goes on with --resume.',
  run,
};

async function run(args: Arguments, terminal: Terminal): Promise<Answer> {
  const plan = await readHparams(args.positional('hparams'));
  const output = args.text('output') ?? plan.output;
  const steps = args.integer('steps', 1) ?? plan.training.steps;
  const batchSize = args.integer('batch-size', 1) ?? plan.training.batchSize;
  for (const notice of plan.notices) terminal.note(notice);
  const checkpoints = checkpointDirectory(join(output, 'checkpoints'), { keep: plan.keep });
  const resume = await resumeFrom(checkpoints, output, args.flag('resume'));

  const seed = args.integer('seed') ?? 1;
  const glow =
    plan.warmStart === undefined
      ? new Glow({ ...plan.glow, seed })
      : await importCheckpointFile(plan.warmStart, { imageShape: plan.glow.imageShape, seed });
  const images = await ModelImages.open(
    glow,
    args,
    terminal,
    args.integer('center-crop', 1) ?? plan.centerCrop,
  );
  if (images.count < batchSize) {
    throw new ConfigError(
      `A batch takes ${batchSize} images; there are ${images.count}. Give a smaller --batch-size.`,
    );
  }
  for (const folder of ['samples', 'reconstructions']) await mkdir(join(output, folder), { recursive: true });
  const whole = { ...plan, steps, batchSize, seed };
  await writeFileAtomically(join(output, 'plan.json'), JSON.stringify(whole, null, 2));

  const { beta1, beta2, epsilon, optimizer, learningRate, ...rest } = plan.training;
  const adam = optimizer === 'adam' ? tf.train.adam(learningRate, beta1, beta2, epsilon) : undefined;
  const record = recorder(glow, images, plan, output, terminal, resume !== undefined);
  const history = await glow.fit(
    (pass) => images.batches({ batchSize, shuffleSeed: seed + pass, dropLast: true }),
    {
      ...rest,
      steps,
      learningRate,
      optimizer: adam ?? optimizer,
      seed,
      progress: terminal.quiet ? 'none' : 'auto',
      checkpoint: { location: checkpoints, everySteps: plan.every.checkpoint },
      resume,
      signal: abortOnInterrupt(),
      ...record,
    },
  );
  adam?.dispose();
  images.tellSkipped();
  const model = join(output, MODEL_FILE);
  await saveModelFile(glow, model);
  glow.dispose();
  const loss = history.losses.at(-1);
  const taken = history.losses.length;
  const skipped = [...images.skipped];
  const left = skipped.length > 0 ? `, ${skipped.length} images left out` : '';
  return {
    text: `${history.stopped === 'aborted' ? 'interrupted' : 'done'} after ${taken} steps, loss ${loss?.toFixed(4)} bits/dim${left}; the model is in ${model}`,
    data: { output, model, steps: taken, stopped: history.stopped, loss, skipped },
    exitCode: history.stopped === 'aborted' ? 130 : 0,
  };
}

async function resumeFrom(
  checkpoints: CheckpointDirectory,
  output: string,
  wanted: boolean,
): Promise<CheckpointDirectory | undefined> {
  const any = (await checkpoints.list()).length > 0;
  if (any && !wanted) {
    throw new ConfigError(
      `There is a run in '${output}' already. Go on with --resume, or give another --output.`,
    );
  }
  return any ? checkpoints : undefined;
}

/** Numbers and pictures of a run. A disk that is full for them must not end the training. */
function recorder(
  glow: Glow,
  images: ModelImages,
  { every, pictures }: TrainingPlan,
  output: string,
  terminal: Terminal,
  resumed: boolean,
) {
  const log = new MetricsLog(join(output, 'metrics.jsonl'));
  const start = performance.now();
  let step = 0;
  const attempt = async (what: string, work: () => Promise<void>) => {
    await work().catch((error: Error) =>
      terminal.note(`${what} of step ${step} not written: ${error.message}`),
    );
  };
  if (resumed) terminal.note('resuming');
  return {
    onProgress: (progress: { step: number }) => {
      step = progress.step;
    },
    callbacks: {
      onBatchEnd: async (_: number, logs: Record<string, number>) => {
        const { batch: _batch, size: _size, ...values } = logs;
        if (step % every.log === 0 || step === 1) {
          const seconds = (performance.now() - start) / 1000;
          await attempt('metrics', () => log.write({ step, ...values, seconds }));
        }
        if (step % every.pictures === 0) {
          await attempt('pictures', () => draw(glow, images, pictures, output, step));
        }
      },
    },
  };
}

/** Samples, and images above what their latents decode to. */
async function draw(
  glow: Glow,
  images: ModelImages,
  { count, temperature }: TrainingPlan['pictures'],
  output: string,
  step: number,
): Promise<void> {
  const name = `${String(step).padStart(7, '0')}.png`;
  const { nBits } = glow;
  const batches = images.batches({ batchSize: Math.min(count, images.count) });
  const { value: batch } = await batches.next();
  await batches.return(undefined);
  if (batch === undefined) return;
  const shown = batch.x.shape[0];
  const { context } = batch;
  const samples = glow.sample(shown, { temperature, context });
  await writeGrid(join(output, 'samples', name), samples, { nBits });
  const pairs = tf.tidy(() =>
    tf.concat([batch.x, glow.decode(glow.encode(batch.x, { context }), { context })], 0),
  );
  tf.dispose([batch.x, context ?? []]);
  await writeGrid(join(output, 'reconstructions', name), pairs, { nBits, columns: shown });
}
