import { type Flow, maskedAutoregressiveFlow, neuralSplineFlow, realNvp } from 'tfjs-flows';

/** The kinds of flow that are compared. */
export const KINDS = [
  'splineCoupling',
  'splineAutoregressive',
  'affineAutoregressive',
  'affineCoupling',
] as const;
export type Kind = (typeof KINDS)[number];

/** Our flow of each kind as it is by default, in the size of the PyTorch figures: 5 layers (10 couplings), hidden 64, 8 pieces on [-5, 5]. */
export const kinds: Record<Kind, (dimensions: number, seed: number) => Flow> = {
  splineCoupling: (dimensions, seed) => neuralSplineFlow({ dimensions, seed }),
  splineAutoregressive: (dimensions, seed) => neuralSplineFlow({ dimensions, form: 'autoregressive', seed }),
  affineAutoregressive: (dimensions, seed) => maskedAutoregressiveFlow({ dimensions, seed }),
  affineCoupling: (dimensions, seed) => realNvp({ dimensions, layers: 10, hiddenUnits: 64, seed }),
};
