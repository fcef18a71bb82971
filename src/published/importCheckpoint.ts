import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, FormatError } from '../core/errors';
import { deserializeModule } from '../core/module';
import { checkOptions } from '../core/options';
import { checkChoice, type Shape } from '../core/shapes';
import type { Bytes } from '../data';
import { type Flow, Glow, type GlowOptions } from '../flows';
import { toValues } from './arrays';
import { chaiyujin } from './chaiyujin';
import { type CheckpointFile, openCheckpoint } from './checkpointFile';
import { openai } from './openai';
import { rosinality } from './rosinality';
import { applyRules, matchParameters, type Weights } from './rule';
import type { InferredStructure, Structure } from './structure';

/** Codes whose checkpoints are known: the three published Glows, and this library. */
export type CheckpointFormat = 'openai' | 'chaiyujin' | 'rosinality' | 'tfjs-flows';

/** Options of {@link importCheckpoint}; what the file says itself needs none. */
export interface ImportOptions {
  /** Code that wrote the weights. Default: recognized by its parameter names. */
  format?: CheckpointFormat;
  /** [h, w, c]; openai and rosinality keep no trace of it, chaiyujin does. Default: from the file. */
  imageShape?: Shape;
  /** Bits per value that the model was trained on. Default: 5 for rosinality, else 8, the codes' own defaults. */
  nBits?: number;
  /** 1x1 convolutions as LU; another form than the file's is computed in float64. Default: as in the file. */
  lu?: boolean;
  /** Whether an image may have several classes ("multi-classes" in chaiyujin's hparams). Default: true for chaiyujin. */
  multiLabel?: boolean;
  /** Weight of the classifier's cross-entropy in further training. Default 0.01. */
  classWeight?: number;
  /** Name in messages. Default 'glow'. */
  name?: string;
  /** Seed of sampling and noise. Default: another one each time. */
  seed?: number;
}

const codes = { openai, chaiyujin, rosinality };
const formats: readonly CheckpointFormat[] = ['openai', 'chaiyujin', 'rosinality', 'tfjs-flows'];

/** What each code does with images before the flow, and its default bits. */
const preprocessing = {
  openai: { preprocessing: 'centered', nBits: 8 },
  chaiyujin: { preprocessing: 'unit', nBits: 8 },
  rosinality: { preprocessing: 'centered', nBits: 5 },
} as const;

/**
 * A Glow from a checkpoint of openai/glow, chaiyujin/glow-pytorch, rosinality/glow-pytorch or this library.
 *
 * Reads PyTorch files (zip and stacked pickle, with nothing of them executed), npz and safetensors; skips optimizers, counters and
 * the `module.` of DataParallel; infers the configuration from names and shapes; maps every convention (order of channels and
 * heads, paddings, signs, factors of logs, range of the images) to this library's. Latents, likelihoods and images are the code's own,
 * up to rounding in float32. A channel shuffle that chaiyujin drew is in no file: such a model is read as `reverse`.
 *
 * @param input the file's bytes
 * @returns the flow; for 'tfjs-flows' of whatever class was exported
 * @throws FormatError for another format, a damaged file, code in a pickle, or parameters that do not fit (all are listed);
 * ConfigError where `imageShape` is needed or does not fit
 * @see Kingma and Dhariwal, "Glow" (2018), arXiv:1807.03039, and the three codes named above
 * @example
 * const glow = importCheckpoint(trainedPkg); // bytes of a .pt, .pkg, .npz or .safetensors file
 * glow.sample(4, { temperature: 0.7 });
 */
export function importCheckpoint<T extends Flow = Glow>(input: Bytes, options: ImportOptions = {}): T {
  checkOptions('importCheckpoint', options, {
    format: ['code'],
    imageShape: ['size'],
    nBits: ['bits'],
    lu: 'boolean',
    multiLabel: 'boolean',
    classWeight: true,
    name: true,
    seed: true,
  });
  const file = openCheckpoint(input);
  const format = options.format ?? recognizeFormat(file);
  checkChoice('importCheckpoint', 'format', format, formats);
  if (format === 'tfjs-flows') return importOwn(file) as T;
  return importPublished(file, format, options) as Flow as T;
}

/** The code whose parameter names the file has. */
export function recognizeFormat({ tensors, metadata }: CheckpointFile): CheckpointFormat {
  if (metadata.format === 'tfjs-flows') return 'tfjs-flows';
  for (const name of ['openai', 'chaiyujin', 'rosinality'] as const) {
    if (codes[name].recognizes(tensors)) return name;
  }
  const received = `names ${[...tensors.keys()].slice(0, 5).join(', ')}`;
  throw new FormatError(
    complaint('importCheckpoint', `the parameter names of ${formats.join(', ')}`, received),
  );
}

/** The configuration that a file's names and shapes tell. */
export function inferStructure(
  file: CheckpointFile,
  format: Exclude<CheckpointFormat, 'tfjs-flows'>,
): InferredStructure {
  return codes[format].infer(file.tensors);
}

function importPublished(
  file: CheckpointFile,
  format: Exclude<CheckpointFormat, 'tfjs-flows'>,
  options: ImportOptions,
): Glow {
  const { tensors } = file;
  const inferred = inferStructure(file, format);
  const { channels: _, size: __, ...rest } = inferred;
  const imageShape = imageShapeOf(format, inferred, options.imageShape);
  const structure: Structure = { ...rest, imageShape, lu: options.lu ?? rest.lu };
  const code = codes[format];
  const weights = applyRules('importCheckpoint', code.rules(structure, tensors), tensors, code.ignores);
  const { multiLabel = format === 'chaiyujin', classWeight, name, seed } = options;
  const { nBits, ...range } = preprocessing[format];
  const glowOptions: GlowOptions = {
    ...structure,
    ...range,
    nBits: options.nBits ?? nBits,
    multiLabel,
    classWeight,
    name,
    seed,
  };
  return withWeights(new Glow(glowOptions), weights);
}

function imageShapeOf(format: string, inferred: InferredStructure, given?: Shape): Shape {
  const { channels, size } = inferred;
  const shape = given ?? (size && [...size, channels]);
  if (shape === undefined) {
    const hint = `${format} keeps no trace of the images' size; the code's default is 64.`;
    throw new ConfigError(
      complaint('importCheckpoint', `imageShape [h, w, ${channels}] among the options`, 'none', hint),
    );
  }
  const fits = size === undefined || (size[0] === shape[0] && size[1] === shape[1]);
  if (shape.length !== 3 || shape[2] !== channels || !fits) {
    const expected = `imageShape [${size?.join(', ') ?? 'h, w'}, ${channels}], as the file says`;
    throw new ConfigError(complaint('importCheckpoint', expected, shape));
  }
  return shape;
}

/** A file that `exportSafetensors` wrote. */
function importOwn({ tensors, metadata }: CheckpointFile): Flow {
  const flow = deserializeModule<Flow>(JSON.parse(metadata.module ?? '{}'));
  try {
    const expected = new Map(flow.weights.map(({ name, variable }) => [name, variable.shape]));
    matchParameters('importCheckpoint', expected, tensors);
  } catch (error) {
    flow.dispose();
    throw error;
  }
  const weights: Weights = new Map([...tensors].map(([name, tensor]) => [name, toValues(tensor.read())]));
  return withWeights(flow, weights, metadata.initialized === 'true');
}

function withWeights<T extends Flow>(flow: T, weights: Weights, initialized = true): T {
  const left = flow.weights.filter(({ name, variable }) => weights.get(name)?.data.length !== variable.size);
  if (left.length > 0) {
    flow.dispose();
    const names = left.map(({ name }) => name).join(', ');
    throw new FormatError(
      complaint('importCheckpoint', 'values for every weight', `none that fit for ${names}`),
    );
  }
  tf.tidy(() => {
    for (const { name, variable } of flow.weights) {
      variable.assign(tf.tensor(weights.get(name)!.data, variable.shape));
    }
  });
  if (initialized) flow.markInitialized();
  return flow;
}
