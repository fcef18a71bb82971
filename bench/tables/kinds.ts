import {
  type Flow,
  maskedAutoregressiveFlow,
  neuralSplineFlow,
  type Recommendation,
  realNvp,
  recommend,
} from 'tfjs-flows';
import type { Rows } from './splits';

/** The kinds of flow that are compared, by what their layers are. */
export const KINDS = [
  'splineCoupling',
  'splineAutoregressive',
  'affineAutoregressive',
  'affineCoupling',
] as const;
export type Kind = (typeof KINDS)[number];

/**
 * Our flow of each kind in the size of the PyTorch figures, or below it: 5 layers (10 couplings), hidden 64, 8 pieces on [-5, 5]. These are
 * the defaults, but for the depth of `realNvp` and its linear maps; width and dropout are what `recommend` says of so many rows.
 */
export const kinds: Record<Kind, (train: Rows, seed: number) => Flow> = {
  splineCoupling: (train, seed) => neuralSplineFlow({ ...recommended(train), seed }),
  splineAutoregressive: (train, seed) =>
    neuralSplineFlow({ ...recommended(train), form: 'autoregressive', seed }),
  affineAutoregressive: (train, seed) => maskedAutoregressiveFlow({ ...recommended(train), seed }),
  affineCoupling: (train, seed) => realNvp({ ...recommended(train), layers: 10, linear: true, seed }),
};

function recommended({ data, shape: [rows, dimensions] }: Rows): Recommendation['options'] {
  const row = (_: unknown, i: number) => data.subarray(i * dimensions, (i + 1) * dimensions);
  return recommend(Array.from({ length: rows }, row)).options;
}
