import { type Flow, maskedAutoregressiveFlow, neuralSplineFlow, realNvp, recommend } from 'tfjs-flows';
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
 * Our flow of each kind in the size of the PyTorch figures: 5 layers (10 couplings), hidden 64, 8 pieces on [-5, 5]. These are the
 * defaults, but for the size of `realNvp` and its linear maps; the dropout is what `recommend` says of so many rows.
 */
export const kinds: Record<Kind, (train: Rows, seed: number) => Flow> = {
  splineCoupling: (train, seed) => neuralSplineFlow({ ...common(train), seed }),
  splineAutoregressive: (train, seed) => neuralSplineFlow({ ...common(train), form: 'autoregressive', seed }),
  affineAutoregressive: (train, seed) => maskedAutoregressiveFlow({ ...common(train), seed }),
  affineCoupling: (train, seed) =>
    realNvp({ ...common(train), layers: 10, hiddenUnits: 64, linear: true, seed }),
};

function common({ data, shape: [rows, dimensions] }: Rows): { dimensions: number; dropout: number } {
  const row = (_: unknown, i: number) => data.subarray(i * dimensions, (i + 1) * dimensions);
  const { options } = recommend(Array.from({ length: rows }, row));
  return { dimensions, dropout: options.dropout };
}
