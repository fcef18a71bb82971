import type { Context } from './context';

/** Options of passes that may be conditioned. */
export interface ContextOptions {
  /** What the flow is conditioned on, as its `contextShape` says: one row per event, or one for all. Default: nothing. */
  context?: Context;
}

/** Options of passes that may be conditioned and may draw noise. */
export interface PassOptions extends ContextOptions {
  /** Seed of the noise of this call alone. Default: the flow's own stream goes on. */
  seed?: number;
}

/** Options of `decode`. */
export interface DecodeOptions extends ContextOptions {
  /**
   * Points as the bijector returns them, differentiable, where an image flow would cut them to whole levels: a level is the floor
   * of its point. Vectors are such points in any case. Default false.
   */
  continuous?: boolean;
}

/** Options of `sample` and `sampleWithLogProb`. */
export interface SampleOptions extends PassOptions {
  /** Factor on the latents' standard deviation: one for all, or one per level. Default 1. */
  temperature?: number | readonly number[];
  /** Points in place of an image flow's whole levels, as in `decode`. Default false. */
  continuous?: boolean;
}

/** Options of `interpolate`. */
export interface InterpolateOptions {
  /**
   * What the flow is conditioned on: one row for all frames, one per frame, or one per end, which the frames between them mix
   * linearly. Default: nothing.
   */
  context?: Context;
  /** Number of frames, both ends included. Default 8. */
  steps?: number;
  /** 'linear' mixes latents; 'spherical' keeps their length on the way (Shoemake 1985). Default 'linear'. */
  path?: 'linear' | 'spherical';
}

/** Options of `transform`. */
export interface TransformOptions extends PassOptions {
  /**
   * What an image flow makes of whole levels: 'noise', a random point of each one's bin, as `logProb` does; 'middle', as `encode`
   * does; 'none' where the data are points already, as `decode` gives with `continuous`. Vectors need none of it. Default 'noise'.
   */
  dequantize?: 'noise' | 'middle' | 'none';
}

/** Names of the options, for the check of what callers give. */
export const contextNames = { context: true } as const;
export const passNames = { context: true, seed: true } as const;
export const decodeNames = { context: true, continuous: 'boolean' } as const;
export const sampleNames = { context: true, seed: true, temperature: true, continuous: 'boolean' } as const;
export const interpolateNames = { context: true, steps: ['frames'], path: true } as const;
export const transformNames = { context: true, seed: true, dequantize: ['noise'] } as const;
