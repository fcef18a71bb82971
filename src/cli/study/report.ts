import { largest, smallest } from '../../core/lists';
import type { StudyConfig } from './config';
import type { StudyDirection } from './directions';
import type { FewReport } from './few';
import type { StudyImages } from './images';
import type { TrainingOutcome } from './training';

/** All that a study found. */
export interface StudyResults {
  config: StudyConfig;
  images: StudyImages;
  parameters: number;
  outcome: TrainingOutcome;
  bits: { training: number; heldOut: number; standardError: number };
  /** Largest difference between held-out images and their reconstructions, in levels. */
  largestError: number;
  directions: StudyDirection[];
  few: FewReport[];
  /** Why classes of few images could not be met. */
  fewRefusal: string | null;
}

/** Bits per dimension by which held-out images may cost more before the report speaks of overfitting. */
const OVERFITTING = 0.15;

/** The results as plain JSON. */
export function jsonOf(results: StudyResults): Record<string, unknown> {
  const { config, images, parameters, outcome, bits, largestError, directions, few, fewRefusal } = results;
  return {
    output: config.output,
    images: images.labels.length,
    classes: countsOf(images),
    training: images.training.length,
    heldOut: images.held.length,
    skipped: images.skipped,
    parameters,
    outcome,
    bitsPerDimension: bits,
    largestReconstructionError: largestError,
    directions: directions.map(({ attribute, direction, ...rest }) => ({
      name: attribute.name,
      kind: attribute.kind,
      consistency: direction?.consistency ?? null,
      ...rest,
    })),
    few,
    fewRefusal,
  };
}

/** The results as a page to read, in Markdown. */
export function markdownOf(results: StudyResults): string {
  return [
    '# What was found',
    dataSection(results),
    trainingSection(results),
    '## Samples',
    `One block per temperature: ${results.config.report.temperatures.join(', ')}. Lower is safer and less varied.`,
    '![samples](samples.png)',
    '## Reconstructions',
    reconstructionText(results),
    '![held-out images above their reconstructions](reconstructions.png)',
    directionSection(results),
    fewSection(results),
    '',
  ].join('\n\n');
}

function dataSection({ images }: StudyResults): string {
  const counts = Object.entries(countsOf(images));
  const classes =
    counts.length < 2 ? 'no classes' : counts.map(([name, count]) => `${name} ${count}`).join(', ');
  const few = images.few.map(({ name }) => name).join(', ');
  return [
    '## Data',
    `${images.labels.length} images (${classes}): ${images.training.length} train, ${images.held.length} are held out.`,
    ...(few === '' ? [] : [`Few images, met as new classes and kept out of training: ${few}.`]),
    ...(images.skipped.length === 0 ? [] : [`Left out, as they cannot be read: ${images.skipped.length}.`]),
  ].join('\n');
}

function trainingSection({ config, parameters, outcome, bits }: StudyResults): string {
  const { nBits = 8 } = config.glow;
  const ending = outcome.stopped === 'earlyStopping' ? ', as held-out images no longer improved' : '';
  const gap = bits.heldOut - bits.training;
  const verdict =
    bits.heldOut >= nBits
      ? 'Worse than no model at all: lower the learning rate, or train longer.'
      : gap > OVERFITTING
        ? `Training images cost ${gap.toFixed(3)} less: the model begins to learn them by heart. More images help most, then fewer hiddenChannels or steps.`
        : outcome.stopped === 'finished'
          ? 'Held-out images cost about as much as training images: more steps would probably help.'
          : 'Held-out images cost about as much as training images.';
  return [
    '## Training',
    `A Glow of ${parameters.toLocaleString('en-US')} parameters, ${outcome.steps} steps${ending}.\n`,
    '| Images | Bits per dimension |',
    '| --- | --- |',
    `| no model | ${nBits.toFixed(3)} |`,
    `| training | ${bits.training.toFixed(3)} |`,
    `| held out | ${bits.heldOut.toFixed(3)} ± ${bits.standardError.toFixed(3)} |`,
    `\n${verdict} The held-out images also chose when to stop, so their figure is a little too good.`,
  ].join('\n');
}

function reconstructionText({ largestError, config }: StudyResults): string {
  const highest = 2 ** (config.glow.nBits ?? 8) - 1;
  return largestError === 0
    ? 'Exact: decoding the latents of held-out images gives them back, level for level.'
    : `Not exact: they differ by up to ${largestError} of ${highest} levels. Training is unstable; lower the learning rate.`;
}

function directionSection({ directions, config }: StudyResults): string {
  const steps = config.report.strengths.join(', ');
  const rows = directions.map(({ attribute, direction, order, signal, verdict }) => {
    const consistency = direction?.consistency;
    const cells = [
      attribute.name,
      attribute.kind,
      verdict,
      order === null || order.share === null ? '' : `${Math.round(100 * order.share)} % of ${order.pairs}`,
      order === null ? '' : chance(order.p),
      signal === null ? '' : signal.toFixed(2),
      typeof consistency === 'number' ? consistency.toFixed(2) : '',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const parts = [
    '## Directions',
    'Learned on the training images. "In order" are held-out pairs that the direction puts in the right order: 50 % is chance, and `p` how often chance gives as many. `signal` is 1 where there is nothing.' +
      ' `consistency` is 1 where all classes share the direction, 0 where each has its own.',
    [
      '| Direction | Kind | Verdict | In order | p | Signal | Consistency |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
    `In the pictures each row is a held-out image moved by ${steps}; at 0 it is the image itself. 1 leads from without to with, or two deviations of a number.`,
    ...directions.map(({ attribute, picture, reason, verdict, brokenStrengths }) => {
      const limit =
        brokenStrengths.length === 0
          ? ''
          : `Beyond what the model has learned, some images get patches of black or white at strengths ${brokenStrengths.join(', ')}.\n\n`;
      const heading = `### ${attribute.kind === 'class' ? `Class ${attribute.name}` : attribute.name}: ${verdict}`;
      const shown = picture === null ? reason : `![moved along ${attribute.name}](${picture})`;
      return `${heading}\n\n${limit}${shown}`;
    }),
  ];
  return parts.join('\n\n');
}

function fewSection({ few, fewRefusal, images, config, directions }: StudyResults): string {
  const heading = '## Classes of few images';
  if (fewRefusal !== null) return `${heading}\n\nCould not be met: ${fewRefusal}`;
  if (few.length === 0) {
    return images.classes.length < 2
      ? `${heading}\n\nThere are no classes.`
      : `${heading}\n\nNone has ${config.data.fewImages} images or fewer beside two larger ones.`;
  }
  const intro =
    'A prior of the other classes meets each. λ says how much more it scatters than they do, τ² how far out it lies; both are 1 for a class like the others.' +
    ' Directions within classes that held-out images show are carried over, as far as the images of the class itself differ; further only where the other classes vouch for it.';
  const parts = few.map(({ name, count, inflation, carried, picture }) => {
    const columns = ['the image', ...carried.map(({ attribute }) => attribute)].join(', ');
    return [
      `### ${name}: ${count} images`,
      `λ ${inflation.lambda.toFixed(2)}, τ² ${inflation.tauSquared.toFixed(2)}. Columns: ${columns}.`,
      ...(carried.length === 0
        ? []
        : [
            carried
              .map(({ attribute, verdict, strengths }) => {
                const [low, high] = [smallest(strengths), largest(strengths)];
                return `- ${attribute}: ${verdict}. Moved by ${low.toFixed(2)} to ${high.toFixed(2)}.`;
              })
              .join('\n'),
          ]),
      `![${name}](${picture})`,
    ].join('\n\n');
  });
  const left = directions.filter(({ attribute, found }) => attribute.kind !== 'class' && !found);
  const notCarried = `Not carried over, as held-out images do not show them: ${left.map(({ attribute }) => attribute.name).join(', ')}.`;
  return [heading, intro, ...(left.length > 0 ? [notCarried] : []), ...parts].join('\n\n');
}

function chance(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

function countsOf({ classes, labels }: StudyImages): Record<string, number> {
  const counts = classes.map((name, c): [string, number] => [
    name,
    labels.reduce((sum, label) => sum + Number(label === c), 0),
  ]);
  return Object.fromEntries(counts);
}
