import { sizeOf } from '../core/shapes';
import type { Bytes } from '../data';
import type { GlowOptions } from '../flows';
import { type Container, openCheckpoint } from './checkpointFile';
import { type CheckpointFormat, inferStructure, recognizeFormat } from './importCheckpoint';
import type { ElementType } from './storedTensor';

/** What is in a checkpoint. */
export interface CheckpointInfo {
  /** Kind of file. */
  container: Container;
  /** Code that wrote it; undefined where its names are not known. */
  format?: CheckpointFormat;
  /** Channels of the images, where the code is known. */
  channels?: number;
  /** The configuration that names and shapes tell. */
  config?: Partial<GlowOptions>;
  /** Its tensors, in the file's order. */
  tensors: { name: string; dtype: ElementType; shape: number[] }[];
  /** Number of values in all of them. */
  values: number;
  /** What is beside the model and will be skipped. */
  skipped: string[];
}

/**
 * What a PyTorch, npz or safetensors checkpoint holds, without building anything.
 *
 * @throws FormatError for another kind of file, a damaged one, or code in a pickle
 * @example
 * const { format, config } = inspectCheckpoint(trainedPkg);
 * console.log(format, config); // 'chaiyujin', { levels: 2, stepsPerLevel: 3, ... }
 */
export function inspectCheckpoint(input: Bytes): CheckpointInfo {
  const file = openCheckpoint(input);
  const tensors = [...file.tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const values = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const info: CheckpointInfo = { container: file.container, tensors, values, skipped: file.skipped };
  try {
    info.format = recognizeFormat(file);
  } catch {
    return info;
  }
  if (info.format === 'tfjs-flows') {
    const { config } = JSON.parse(file.metadata.module);
    return { ...info, channels: config.imageShape?.[2], config };
  }
  const { channels, size, ...structure } = inferStructure(file, info.format);
  return { ...info, channels, config: size ? { ...structure, imageShape: [...size, channels] } : structure };
}
