import * as tf from '@tensorflow/tfjs-core';
import {
  type Bijector,
  type Chain,
  type Glow,
  type ImportOptions,
  importCheckpoint,
  type NdArray,
  readNpz,
} from 'tfjs-flows';
import { tensorOf } from './publishedVectors';

/** The models of test/fixtures/glow. */
export const publishedGlows = [
  'chaiyujin_affine_invconv',
  'chaiyujin_affine_lu_top',
  'chaiyujin_additive_reverse_ycond',
  'rosinality_affine_lu',
];

export interface ReferenceConfig {
  image_size?: number;
  in_channel?: number;
  n_bins: number;
  y_condition: boolean;
  flow_permutation?: 'invconv' | 'reverse';
}

/** A published Glow with the numbers it gave. */
export interface Reference {
  glow: Glow;
  /** The flow without dequantization: the fixtures' images are real numbers already. */
  bijector: Bijector;
  config: ReferenceConfig;
  io: Record<string, NdArray>;
}

/** What a model's weights do not say. */
export function importOptions(config: ReferenceConfig): ImportOptions {
  const { image_size: size, in_channel: channels, flow_permutation } = config;
  const permutation = flow_permutation === 'reverse' ? { permutation: flow_permutation } : {};
  return size === undefined ? permutation : { imageShape: [size, size, channels as number] };
}

export const configOf = (bytes: Uint8Array): ReferenceConfig => JSON.parse(new TextDecoder().decode(bytes));

/** A model of the bytes of its weights, of its `config.json` and of its `io.npz`. */
export async function makeReference(
  [weights, configBytes, io]: readonly Uint8Array[],
  options: ImportOptions = {},
): Promise<Reference> {
  const config = configOf(configBytes);
  const glow = await importCheckpoint(weights, { ...importOptions(config), ...options });
  return { glow, bijector: (glow.bijector as Chain).bijectors[1], config, io: readNpz(io) };
}

/** An array of a fixture, NCHW where it is images, as an NHWC tensor. */
export function imageOf(array: NdArray): tf.Tensor {
  return tf.tidy(() => {
    const x = tensorOf(array);
    return x.rank === 4 ? tf.transpose(x, [0, 2, 3, 1]) : x;
  });
}
