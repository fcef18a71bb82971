import * as tf from '@tensorflow/tfjs-core';
import { requireBackend } from '../../core/backend';
import { complaint, DataError } from '../../core/errors';
import { checkOptions } from '../../core/options';
import { RandomStream } from '../../core/random';
import { checkChoice, checkInteger, sizeOf } from '../../core/shapes';
import { reduceBits } from '../../data';
import { checkDataset, checkLevelBits, type ImageDataset } from './imageDataset';

/** Options of `imageBatches`. */
export interface ImageBatchOptions {
  /** Images per batch. Default: 32. */
  batchSize?: number;
  /** Bits of the levels to give. Default: 8. */
  nBits?: number;
  /** What goes with the images: 'labels' as class numbers, 'attributes' as 0 and 1. Default: 'none'. */
  context?: 'none' | 'labels' | 'attributes';
  /** Seed of a random order; without one the images come as they lie. */
  shuffleSeed?: number;
  /** Only the first so many images. Default: all. */
  limit?: number;
  /** Whether a last batch that is not full is left out. Default: false. */
  dropLast?: boolean;
  /** Called for an image that cannot be read, which is then left out. Default: the error is thrown. */
  onUnreadable?: (name: string, error: Error) => void;
}

/** Images as they were read, with their places in the data set. */
interface HostBatch {
  indices: number[];
  levels: Uint8Array;
}

/** A batch of images; whoever takes it disposes it. */
export interface ImageBatch {
  /** Levels 0 .. 2^nBits - 1, [n, h, w, c]. */
  x: tf.Tensor4D;
  /** Class numbers [n], or attributes [n, a]. */
  context?: tf.Tensor;
  /** Place of each image in the data set. */
  indices: number[];
}

/**
 * Images in batches, the next of which are read while the present one is used.
 *
 * @throws ConfigError for wrong options; DataError where nothing can be read, or labels or attributes are wanted that the data set has not
 * @example
 * const faces = await openImages('folder', 'celeba', { imageShape: [32, 32, 3] });
 * for await (const { x } of imageBatches(faces)) x.dispose();
 */
export async function* imageBatches(
  dataset: ImageDataset,
  options: ImageBatchOptions = {},
): AsyncGenerator<ImageBatch> {
  checkDataset('imageBatches', dataset);
  checkBatchOptions(options);
  const { batchSize = 32, nBits = 8, context = 'none', dropLast = false } = options;
  checkContext(dataset, context);
  const reader = hostBatches(dataset, orderOf(dataset, options), batchSize, options);
  let next = reader.next();
  for (;;) {
    const { value, done } = await next;
    if (done) return;
    if (dropLast && value.indices.length < batchSize) return;
    next = reader.next();
    // Whoever stops early is not told of an error in what was read ahead.
    next.catch(() => undefined);
    yield toTensors(dataset, value, nBits, context);
  }
}

async function* hostBatches(
  dataset: ImageDataset,
  order: Int32Array,
  batchSize: number,
  { onUnreadable }: ImageBatchOptions,
): AsyncGenerator<HostBatch, void> {
  const size = sizeOf(dataset.shape);
  let read = 0;
  let at = 0;
  while (at < order.length) {
    const indices: number[] = [];
    const levels = new Uint8Array(batchSize * size);
    while (indices.length < batchSize && at < order.length) {
      const wanted = Array.from(order.subarray(at, at + batchSize - indices.length));
      at += wanted.length;
      const images = await Promise.all(wanted.map((index) => tryRead(dataset, index, onUnreadable)));
      images.forEach((image, i) => {
        if (image === undefined) return;
        levels.set(image, indices.length * size);
        indices.push(wanted[i]);
      });
    }
    read += indices.length;
    if (indices.length > 0) yield { indices, levels: levels.subarray(0, indices.length * size) };
  }
  if (read === 0) {
    throw new DataError(complaint('imageBatches', 'images that can be read', `none of ${order.length}`));
  }
}

async function tryRead(
  dataset: ImageDataset,
  index: number,
  onUnreadable: ImageBatchOptions['onUnreadable'],
): Promise<Uint8Array | undefined> {
  try {
    return await dataset.read(index);
  } catch (error) {
    if (onUnreadable === undefined) throw error;
    onUnreadable(dataset.names[index], error as Error);
    return undefined;
  }
}

function orderOf({ names }: ImageDataset, { limit, shuffleSeed }: ImageBatchOptions): Int32Array {
  const count = Math.min(names.length, limit ?? Number.POSITIVE_INFINITY);
  if (shuffleSeed !== undefined) return new RandomStream(shuffleSeed).permutation(count);
  return Int32Array.from({ length: count }, (_, i) => i);
}

function toTensors(
  { shape, labels, attributes }: ImageDataset,
  { indices, levels }: HostBatch,
  nBits: number,
  context: ImageBatchOptions['context'],
): ImageBatch {
  const reduced = nBits < 8 ? reduceBits(levels, 8, nBits) : levels;
  requireBackend('imageBatches');
  const x = tf.tensor4d(new Float32Array(reduced), [indices.length, ...shape] as [
    number,
    number,
    number,
    number,
  ]);
  if (context === 'labels') {
    return {
      x,
      indices,
      context: tf.tensor1d(
        indices.map((i) => labels!.values[i]),
        'int32',
      ),
    };
  }
  if (context !== 'attributes') return { x, indices };
  const { names, values } = attributes!;
  const rows = indices.map((i) => Array.from(values.subarray(i * names.length, (i + 1) * names.length)));
  const present = rows.map((row) => row.map((value) => (value > 0 ? 1 : 0)));
  return { x, indices, context: tf.tensor2d(present, [indices.length, names.length], 'float32') };
}

function checkBatchOptions(options: ImageBatchOptions): void {
  const where = 'imageBatches';
  checkOptions(where, options, {
    batchSize: true,
    nBits: ['bits'],
    context: true,
    shuffleSeed: ['seed', 'shuffle'],
    limit: true,
    dropLast: 'boolean',
    onUnreadable: true,
  });
  const { batchSize = 32, nBits = 8, context = 'none', limit } = options;
  checkInteger(where, 'batchSize', batchSize);
  checkLevelBits(where, nBits);
  checkChoice(where, 'context', context, ['none', 'labels', 'attributes']);
  if (limit !== undefined) checkInteger(where, 'limit', limit);
}

function checkContext({ labels, attributes }: ImageDataset, context: ImageBatchOptions['context']): void {
  const has = context === 'labels' ? labels : context === 'attributes' ? attributes : 'nothing to have';
  if (has === undefined) {
    throw new DataError(complaint('imageBatches', `a data set with ${context}`, 'one without'));
  }
}
