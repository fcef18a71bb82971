import { checkOptions } from '../core/options';
import { sizeOf } from '../core/shapes';
import type { Bytes } from '../data';
import type { GlowOptions } from '../flows';
import { type CheckpointFile, type Container, openCheckpoint } from './checkpointFile';
import { type GlowLibraryName, inferStructure } from './glowFile';
import { type CheckpointLibrary, ownModule, recognize } from './importCheckpoint';
import type { ElementType } from './storedTensor';
import type { Guess, VectorConfig, VectorSettings } from './vectors/config';
import { describeVectorFile } from './vectors/importVectorFlow';

/** Options of {@link inspectCheckpoint}. */
export interface InspectOptions {
  /** Code that wrote it. Default: recognized by its parameter names. */
  library?: CheckpointLibrary;
  /** What the file does not say of a flow over vectors, as for {@link importCheckpoint}. Default: the library's defaults. */
  config?: VectorSettings;
}

/** What is in a checkpoint. */
export interface CheckpointInfo {
  /** Kind of file. */
  container: Container;
  /** Code that wrote it; undefined where its names are not known. */
  library?: CheckpointLibrary;
  /** Channels of the images, of a Glow. */
  channels?: number;
  /** The configuration that names and shapes tell: of a Glow, or of a flow over vectors. */
  config?: Partial<GlowOptions> | VectorConfig;
  /** What the file of a flow over vectors does not say, what is taken for it, and what else it could be. */
  guesses?: readonly Guess[];
  /** Tensors of the model that are not read: an embedding network of the user's own. */
  leftOut?: readonly string[];
  /** Its tensors, in the file's order. */
  tensors: { name: string; dtype: ElementType; shape: number[] }[];
  /** Number of values in all of them. */
  values: number;
  /** What is beside the model and will be skipped: optimizers, counters, objects by their class, tensors of types that are not read. */
  skipped: string[];
  /** What wrappers had put before every name, and was taken off, as in 'module._orig_mod.'; '' where nothing. */
  prefix: string;
}

/**
 * What a PyTorch, npz or safetensors checkpoint holds, without building anything.
 *
 * @throws FormatError for another kind of file, a damaged one, code in a pickle, or layers that are not read; ConfigError for a `config` that
 * does not fit
 * @example
 * const { library, config } = inspectCheckpoint(trainedPkg);
 * console.log(library, config); // 'chaiyujin', { levels: 2, stepsPerLevel: 3, ... }
 */
export function inspectCheckpoint(input: Bytes, options: InspectOptions = {}): CheckpointInfo {
  checkOptions('inspectCheckpoint', options, { library: ['format'], config: true });
  const file = openCheckpoint(input);
  const tensors = [...file.tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const values = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const { container, skipped, prefix } = file;
  const info: CheckpointInfo = { container, tensors, values, skipped, prefix };
  return { ...info, ...modelOf(file, options) };
}

type ModelInfo = Pick<CheckpointInfo, 'library' | 'channels' | 'config' | 'guesses' | 'leftOut'>;

function modelOf(file: CheckpointFile, options: InspectOptions): ModelInfo {
  const recognized = recognize(file, options.library);
  if (recognized === undefined) return {};
  const { library, vectors } = recognized;
  if (vectors !== undefined) return { library, ...describeVectorFile(vectors, options.config) };
  if (library === 'tfjs-flows') {
    const config = ownModule(file.metadata).config as Partial<GlowOptions> | undefined;
    return { library, channels: config?.imageShape?.[2], config };
  }
  const { channels, size, ...structure } = inferStructure(file.tensors, library as GlowLibraryName);
  return { library, channels, config: size ? { ...structure, imageShape: [...size, channels] } : structure };
}
