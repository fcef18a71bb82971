import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../node/atomicFile';
import type { Answer, Arguments, Command, Terminal } from '../command';
import { readStudyConfig, type StudyConfig } from '../study/config';
import { encodeStudy, findDirections } from '../study/directions';
import { meetFew } from '../study/few';
import { openStudyImages } from '../study/images';
import { drawReconstructions, drawSamples, meanBits } from '../study/pictures';
import { jsonOf, markdownOf, type StudyResults } from '../study/report';
import { trainedGlow } from '../study/training';

export const study: Command = {
  name: 'study',
  summary: 'your own images: train a Glow, and report what it and its latents say of them',
  positionals: [{ name: 'config', description: 'JSON file, see examples/train-your-own' }],
  options: {},
  computes: true,
  seed: 'as the config says, there 1',
  afterFullDisk: 'What was written before is whole: make room, and the same command goes on from there.',
  run,
};

async function run(args: Arguments, terminal: Terminal): Promise<Answer> {
  const given = await readStudyConfig(args.positional('config'));
  const config = { ...given, seed: args.integer('seed') ?? given.seed };
  const { output } = config;
  const images = await openStudyImages(config, terminal);
  const { glow, outcome } = await trainedGlow(config, images, terminal);
  try {
    if (outcome.stopped === 'aborted') {
      return {
        text: `interrupted after ${outcome.steps} steps; the same command goes on from there`,
        data: { output, outcome },
        exitCode: 130,
      };
    }
    terminal.note('training is done; pictures and verdicts follow');
    for (const folder of ['directions', 'few']) await mkdir(join(output, folder), { recursive: true });
    const results = await examine(glow, images, outcome, config);
    if (results.few.length === 0) await rm(join(output, 'few'), { recursive: true });
    await writeFileAtomically(join(output, 'report.json'), JSON.stringify(jsonOf(results), null, 2));
    await writeFileAtomically(join(output, 'report.md'), markdownOf(results));
    const bits = results.bits.heldOut.toFixed(3);
    return {
      text: `done after ${outcome.steps} steps, ${bits} bits per dimension of held-out images; read ${join(output, 'report.md')}`,
      data: jsonOf(results),
    };
  } finally {
    glow.dispose();
  }
}

/** Everything that is asked of a trained Glow. */
async function examine(
  glow: Awaited<ReturnType<typeof trainedGlow>>['glow'],
  images: StudyResults['images'],
  outcome: StudyResults['outcome'],
  config: StudyConfig,
): Promise<StudyResults> {
  const { seed } = config;
  await drawSamples(glow, config);
  const { largestError } = await drawReconstructions(glow, images, config);
  const training = await meanBits(glow, images, images.training, seed);
  const held = await meanBits(glow, images, images.held, seed);
  const latents = await encodeStudy(glow, images);
  const directions = await findDirections(glow, images, latents, config);
  const few = await meetFew(glow, images, latents, directions, config);
  return {
    config,
    images,
    parameters: glow.parameterCount,
    outcome,
    bits: { training: training.mean, heldOut: held.mean, standardError: held.standardError },
    largestError,
    directions,
    few: few.reports,
    fewRefusal: few.refusal,
  };
}
