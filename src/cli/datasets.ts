import { existsSync } from 'node:fs';
import type * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import type { Glow } from '../flows';
import {
  datasetSplits,
  type ImageArrayNames,
  type ImageBatch,
  type ImageBatchOptions,
  type ImageDataset,
  type ImageDatasetKind,
  type ImageTableOptions,
  imageBatches,
  imageDatasetKinds,
  openImages,
} from '../node';
import { type Arguments, type Option, type Positional, type Terminal, UsageError } from './command';

/** The two words that name images on a disk. */
export const datasetPositionals: readonly Positional[] = [
  { name: 'dataset', description: imageDatasetKinds.join(' | ') },
  { name: 'root', description: 'folder or file of the images' },
];

/** Options of tables, for `csv`. */
const tableOptions: Record<string, Option> = {
  folder: {
    value: 'DIR',
    description: 'csv: folder that its paths count from (default: where the table is)',
  },
  'file-column': { value: 'NAME', description: 'csv: column of the image files (default: the first)' },
  'class-column': {
    value: 'NAME',
    description: "csv: column of the classes (default: 'class', if there is one)",
  },
  columns: { value: 'NAME,...', description: 'csv: columns to read (default: all)' },
  missing: { value: 'drop', description: 'csv: leave out images that lack a value (default: refuse)' },
  decimal: { value: '.|,', description: 'csv: mark before decimals (default .)' },
};

/** Options of arrays, for `npz` and `idx`. */
const arrayOptions: Record<string, Option> = {
  split: {
    value: datasetSplits.join('|'),
    description: 'npz, idx: which part (default: train, if there is one)',
  },
  images: { value: 'NAME', description: 'npz: array of the images (default: by its name)' },
  labels: { value: 'NAME', description: 'npz: array of the labels, beside --images' },
};

/** Options of images wherever they come from. */
export const imageOptions: Record<string, Option> = {
  'center-crop': { value: 'N', description: 'side of the square cut from the middle of each image first' },
  limit: { value: 'N', description: 'only the first N images' },
  strict: { description: 'an image that cannot be read ends the command, instead of being left out' },
};

export const datasetOptions: Record<string, Option> = { ...imageOptions, ...tableOptions, ...arrayOptions };

/** Images that cannot be read that are told one by one. */
const TOLD = 3;

/** Images on a disk as a Glow takes them, with a count of those that could not be read. */
export class ModelImages {
  readonly skipped = new Set<string>();

  private constructor(
    readonly dataset: ImageDataset,
    private readonly glow: Glow,
    private readonly args: Arguments,
    private readonly terminal: Terminal,
    private readonly context: ImageBatchOptions['context'],
  ) {}

  static async open(
    glow: Glow,
    args: Arguments,
    terminal: Terminal,
    centerCrop = args.integer('center-crop', 1),
    kind = args.positional('dataset'),
  ): Promise<ModelImages> {
    if (!imageDatasetKinds.includes(kind as ImageDatasetKind)) {
      throw new UsageError(`<dataset> is one of ${imageDatasetKinds.join(', ')}, not '${kind}'.`);
    }
    const [root, table] = [args.positional('root'), tableOf(kind, args)];
    if (!existsSync(root)) throw args.nothingAt(root);
    const dataset = await openImages(kind as ImageDatasetKind, root, {
      imageShape: glow.eventShape,
      centerCrop,
      table,
      split: args.choice('split', datasetSplits),
      arrays: arraysOf(args),
    });
    for (const notice of dataset.notices) terminal.note(notice);
    return new ModelImages(dataset, glow, args, terminal, contextOf(glow, dataset));
  }

  /** How many images will be looked at. */
  get count(): number {
    return Math.min(this.dataset.names.length, this.args.integer('limit', 1) ?? Number.POSITIVE_INFINITY);
  }

  batches(options: ImageBatchOptions): AsyncGenerator<ImageBatch> {
    return imageBatches(this.dataset, {
      nBits: this.glow.nBits,
      context: this.context,
      limit: this.args.integer('limit', 1),
      onUnreadable: this.args.flag('strict') ? undefined : (name, error) => this.skip(name, error),
      ...options,
    });
  }

  /** Runs over all images in order; batches are disposed after each call. */
  async forEach(visit: (batch: ImageBatch) => unknown, batchSize = 32): Promise<void> {
    for await (const batch of this.batches({ batchSize })) {
      try {
        await visit(batch);
      } finally {
        batch.x.dispose();
        batch.context?.dispose();
      }
    }
    this.tellSkipped();
  }

  /** Says how many images more were left out than were told one by one. */
  tellSkipped(): void {
    const more = this.skipped.size - TOLD;
    if (more > 0) this.terminal.note(`left out: ${more} more of ${this.count} images`);
  }

  private skip(name: string, error: Error): void {
    if (this.skipped.has(name)) return;
    this.skipped.add(name);
    if (this.skipped.size <= TOLD) this.terminal.note(`left out: ${name}. ${error.message}`);
  }
}

/** What the options say of a table; a UsageError where there is none. */
function tableOf(kind: string, args: Arguments): ImageTableOptions {
  const given = Object.keys(tableOptions).find((name) => args.text(name) !== undefined);
  if (given !== undefined && kind !== 'csv') throw new UsageError(`--${given} is of csv, not of ${kind}.`);
  return {
    folder: args.text('folder'),
    fileColumn: args.text('file-column'),
    classColumn: args.text('class-column'),
    columns: args.text('columns')?.split(','),
    missing: args.choice('missing', ['drop', 'refuse']),
    decimal: args.choice('decimal', ['.', ',']),
  };
}

/** The arrays that are named. */
function arraysOf(args: Arguments): ImageArrayNames | undefined {
  const [images, labels] = [args.text('images'), args.text('labels')];
  if (images !== undefined) return { images, labels };
  if (labels !== undefined) throw new UsageError('--labels names an array beside --images.');
  return undefined;
}

/** Options of a pass over a batch. */
export function passOptions({ context }: ImageBatch): { context?: tf.Tensor } {
  return context === undefined ? {} : { context };
}

/** Which of the data set's labels a class-conditional Glow is given. */
function contextOf(glow: Glow, { labels, attributes }: ImageDataset): ImageBatchOptions['context'] {
  const { classes } = glow.getConfig() as { classes: number };
  if (classes === 0) return 'none';
  const found = attributes?.names.length ?? labels?.classes.length;
  if (found !== classes) {
    throw new ConfigError(
      complaint('Glow', `a data set with ${classes} classes or attributes`, `one with ${found ?? 'none'}`),
    );
  }
  return attributes === undefined ? 'labels' : 'attributes';
}
