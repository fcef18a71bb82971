import { complaint, DataError } from '../../core/errors';
import { RandomStream } from '../../core/random';
import { gatherRows, type NdArray } from '../../data';
import { openImages, readImages } from '../../node';
import type { Terminal } from '../command';
import type { StudyConfig } from './config';

/** What may be moved along: a number per image. */
export interface StudyAttribute {
  name: string;
  /** 'class': this class against the others; 'yes or no' and 'number': within classes. */
  kind: 'class' | 'yes or no' | 'number';
  /** One per image; positive and not, or real. */
  values: Float64Array;
}

/** A class of which few images are known. */
export interface FewImages {
  name: string;
  rows: Int32Array;
}

/** The images of a study, in memory. */
export interface StudyImages {
  /** Levels 0 .. 2^nBits - 1. */
  images: NdArray<Uint8Array>;
  /** Names of the classes; one without a name where there are none. */
  classes: readonly string[];
  /** Class of every image. */
  labels: Int32Array;
  attributes: StudyAttribute[];
  /** Rows that train, and rows that are held out, both without those of `few`. */
  training: Int32Array;
  held: Int32Array;
  few: FewImages[];
  /** Why images were left out. */
  skipped: string[];
}

const FEWEST_IMAGES = 20;

/** Opens, reads, checks and splits the images that a study is about. */
export async function openStudyImages(config: StudyConfig, terminal: Terminal): Promise<StudyImages> {
  const { csv, centerCrop, skipUnreadable, heldOut: _, fewImages: __, ...table } = config.data;
  const size = { imageShape: config.glow.imageShape, centerCrop };
  const dataset = await (csv === undefined
    ? openImages('folder', table.folder!, size)
    : openImages('csv', csv, { ...size, table }));
  for (const notice of dataset.notices) terminal.note(notice);
  const { images, indices, skipped } = await readImages(dataset, {
    nBits: config.glow.nBits,
    skipUnreadable,
    onProgress: (done, total) => {
      if (!terminal.quiet && done % 500 === 0) terminal.note(`read ${done} of ${total} images`);
    },
  });
  for (const line of skipped) terminal.note(`left out: ${line}`);
  if (indices.length < FEWEST_IMAGES) {
    throw new DataError(complaint('study', `at least ${FEWEST_IMAGES} images`, `${indices.length}`));
  }
  const classes = dataset.labels?.classes ?? [''];
  if (dataset.labels !== undefined && classes.length === 1) {
    const hint =
      csv !== undefined
        ? 'Leave classColumn out, or add images of other classes.'
        : 'Add folders of other classes beside it, or give that folder itself to train without classes.';
    throw new DataError(complaint('study', 'at least two classes', `only '${classes[0]}'`, hint));
  }
  const labels = Int32Array.from(indices, (index) => dataset.labels?.values[index] ?? 0);
  const columnsOf = (
    kind: StudyAttribute['kind'],
    table: typeof dataset.attributes | typeof dataset.measurements,
  ) =>
    (table?.names ?? []).map((name, j) => ({
      name,
      kind,
      values: Float64Array.from(indices, (index) => table!.values[index * table!.names.length + j]),
    }));
  const known = [...columnsOf('yes or no', dataset.attributes), ...columnsOf('number', dataset.measurements)];
  const split = splitRows(classes, labels, config);
  const large = classes.filter((name) => !split.few.some((group) => group.name === name));
  return {
    images,
    classes,
    labels,
    attributes: [
      ...(known.length > 0 ? known : [brightness(images)]),
      ...(large.length > 1 ? large.map((name) => classAttribute(name, labels, classes.indexOf(name))) : []),
    ],
    ...split,
    skipped,
  };
}

/** The given images as data to fit and encode. */
export function eventsAt({ images }: StudyImages, rows: ArrayLike<number>): NdArray<Uint8Array> {
  return gatherRows(images, rows);
}

/** Mean level of every image: what can always be measured. */
function brightness({ data, shape }: NdArray<Uint8Array>): StudyAttribute {
  const size = data.length / shape[0];
  const values = Float64Array.from({ length: shape[0] }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < size; j++) sum += data[i * size + j];
    return sum / size;
  });
  return { name: 'brightness', kind: 'number', values };
}

function classAttribute(name: string, labels: Int32Array, place: number): StudyAttribute {
  return { name, kind: 'class', values: Float64Array.from(labels, (label) => (label === place ? 1 : -1)) };
}

/** Held-out images of every class; classes of few images apart, as long as two others remain. */
function splitRows(
  classes: readonly string[],
  labels: Int32Array,
  { data: { heldOut, fewImages }, seed }: StudyConfig,
): Pick<StudyImages, 'training' | 'held' | 'few'> {
  const random = new RandomStream(seed);
  const groups = classes.map((name, c) => ({
    name,
    rows: Int32Array.from(labels.keys()).filter((row) => labels[row] === c),
  }));
  const filled = groups.filter(({ rows }) => rows.length > 0);
  const large = filled.filter(({ rows }) => rows.length > fewImages);
  const apart = large.length >= 2;
  const training: number[] = [];
  const held: number[] = [];
  for (const { rows } of apart ? large : filled) {
    const count = Math.round(heldOut * rows.length);
    random.permutation(rows.length).forEach((at, k) => {
      (k < count ? held : training).push(rows[at]);
    });
  }
  if (held.length === 0 || training.length === 0) {
    const received = `${training.length} and ${held.length}`;
    throw new DataError(
      complaint('study', 'images to train on and to hold out', received, 'Change data.heldOut.'),
    );
  }
  // Mixed, so that the first few are of many classes.
  const mixed = random.permutation(held.length);
  return {
    training: Int32Array.from(training),
    held: mixed.map((at) => held[at]),
    few: apart ? filled.filter((group) => !large.includes(group)) : [],
  };
}
