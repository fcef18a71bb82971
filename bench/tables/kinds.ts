import { type Flow, maskedAutoregressiveFlow, neuralSplineFlow, realNvp } from 'tfjs-flows';

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
 * defaults, but for those of `realNvp`, which are smaller and leave nothing out.
 */
export const kinds: Record<Kind, (dimensions: number, seed: number) => Flow> = {
  splineCoupling: (dimensions, seed) => neuralSplineFlow({ dimensions, seed }),
  splineAutoregressive: (dimensions, seed) => neuralSplineFlow({ dimensions, form: 'autoregressive', seed }),
  affineAutoregressive: (dimensions, seed) => maskedAutoregressiveFlow({ dimensions, seed }),
  affineCoupling: (dimensions, seed) =>
    realNvp({ dimensions, layers: 10, hiddenUnits: 64, linear: true, dropout: 0.3, seed }),
};
