import { readFileSync } from 'node:fs';
import {
  type Bijector,
  type Chain,
  type Glow,
  type ImportOptions,
  importCheckpoint,
  type NdArray,
  readNpz,
} from 'tfjs-flows';

export const names = [
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

export function fixture(name: string, file: string): Uint8Array {
  return readFileSync(new URL(`../fixtures/glow/${name}/${file}`, import.meta.url));
}

/** What the file itself does not say. */
export function importOptions(name: string): ImportOptions {
  const { image_size: size, in_channel: channels, flow_permutation } = configOf(name);
  const permutation = flow_permutation === 'reverse' ? { permutation: flow_permutation } : {};
  return size === undefined ? permutation : { imageShape: [size, size, channels as number] };
}

export function loadReference(name: string, file: string, options: ImportOptions = {}): Reference {
  const glow = importCheckpoint(fixture(name, file), { ...importOptions(name), ...options });
  return {
    glow,
    bijector: (glow.bijector as Chain).bijectors[1],
    config: configOf(name),
    io: readNpz(fixture(name, 'io.npz')),
  };
}

function configOf(name: string): ReferenceConfig {
  return JSON.parse(new TextDecoder().decode(fixture(name, 'config.json')));
}
