import { join } from 'node:path';
import { ConfigError } from '../../core/errors';
import type { Glow } from '../../flows';
import { type Origin, originOf } from '../attributes/origin';
import { deltasOf, type Report, readReport, writeReport } from '../attributes/report';
import { sweep } from '../attributes/sweep';
import type { Answer, Arguments, Command, Terminal } from '../command';
import { imageOptions, ModelImages } from '../datasets';
import { readHparams } from '../hparams';
import { importOptions, loadModel } from '../models';

export const attributes: Command = {
  name: 'attributes',
  summary: 'z_delta of every attribute of CelebA-like images, and a sweep of one image along one',
  positionals: [
    { name: 'hparams', description: 'JSON file that the model was trained by' },
    { name: 'root', description: 'folder with img_align_celeba and list_attr_celeba.txt' },
    {
      name: 'zdir',
      description: 'folder of the results; those of the same model, images and options are used again',
    },
  ],
  options: {
    ...importOptions,
    ...imageOptions,
    model: {
      value: 'PATH',
      description: 'the model (default: Infer.pre_trained of the hparams, else their run)',
    },
    recompute: { description: 'compute z_delta although zdir has it' },
    image: { value: 'N|FILE', description: 'image to move, by number or file name' },
    attribute: { value: 'N|NAME', description: 'attribute to move it along' },
    strengths: { value: 'S,S,...', description: 'factors on z_delta (default -1 to 1 in 11 steps)' },
    'no-sweep': { description: 'only compute z_delta' },
  },
  computes: true,
  run,
};

async function run(args: Arguments, terminal: Terminal): Promise<Answer> {
  const plan = await readHparams(args.positional('hparams'));
  const folder = args.positional('zdir');
  const path = args.text('model') ?? plan.trained ?? plan.output;
  const glow = await loadModel(path, args);
  const crop = args.integer('center-crop', 1) ?? plan.centerCrop;
  const images = await ModelImages.open(glow, args, terminal, crop, 'celeba');
  const origin = await originOf(glow, images, crop);
  const report = await reportOf(glow, images, { model: path, origin }, folder, args, terminal);
  const summary = report.attributes.map(({ index, name, with: present, without, signal }) =>
    [
      `${index}`.padStart(3),
      name.padEnd(24),
      `${present} with, ${without} without,`,
      signal === null ? 'no direction' : `signal ${signal.toFixed(2)}`,
    ].join(' '),
  );
  const data: Record<string, unknown> = { folder, ...report, skipped: [...images.skipped] };
  const choice = await choose(images, report, args, terminal);
  if (choice !== undefined) {
    const { file, image } = await sweep(glow, images, report, folder, choice, args.numbers('strengths'));
    summary.push(`sweep of ${image} along ${report.attributes[choice.attribute].name} in ${file}`);
    data.sweep = { file, image, attribute: report.attributes[choice.attribute].name };
  }
  glow.dispose();
  return { text: summary.join('\n'), data };
}

async function reportOf(
  glow: Glow,
  images: ModelImages,
  { model, origin }: { model: string; origin: Origin },
  folder: string,
  args: Arguments,
  terminal: Terminal,
): Promise<Report> {
  const known = args.flag('recompute') ? undefined : await readReport(folder, origin);
  if (known !== undefined) {
    terminal.note(`z_delta taken from ${join(folder, 'report.json')}; --recompute computes it anew`);
    return known;
  }
  const { report, deltas } = await deltasOf(glow, images, model, origin, terminal);
  await writeReport(folder, report, deltas);
  return report;
}

/** The image and the attribute of a sweep: by flags, else by asking where somebody can be asked. */
async function choose(
  images: ModelImages,
  { attributes: known }: Report,
  args: Arguments,
  terminal: Terminal,
): Promise<{ image: number; attribute: number } | undefined> {
  const { names } = images.dataset;
  const [image, attribute] = [args.text('image'), args.text('attribute')];
  if (args.flag('no-sweep')) return undefined;
  if (!terminal.interactive && image === undefined && attribute === undefined) return undefined;
  const attributeNames = known.map(({ name }) => name);
  const pick = async (
    option: string,
    given: string | undefined,
    list: readonly string[],
  ): Promise<number> => {
    if (given !== undefined) return placeOf(option, given, list);
    if (!terminal.interactive) throw new ConfigError(`--${option} is missing: nobody can be asked here.`);
    for (;;) {
      const answer = await terminal.ask(`${option}, by name or number 0 .. ${list.length - 1}: `);
      try {
        return placeOf(option, answer.trim(), list);
      } catch (error) {
        terminal.note((error as Error).message);
      }
    }
  };
  if (attribute === undefined && terminal.interactive) {
    terminal.note(known.map(({ index, name }) => `${index}: ${name}`).join('\n'));
  }
  return {
    attribute: await pick('attribute', attribute, attributeNames),
    image: await pick('image', image, names),
  };
}

function placeOf(option: string, given: string, list: readonly string[]): number {
  const place = /^\d+$/.test(given) ? Number(given) : list.indexOf(given);
  if (place < 0 || place >= list.length) {
    throw new ConfigError(`--${option} is a name or a number 0 .. ${list.length - 1}, not '${given}'.`);
  }
  return place;
}
