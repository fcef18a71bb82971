import { ELU, GELU, LEAKY_RELU, RELU, SILU, SOFTPLUS, TANH } from '../core/kernelConstants';
import type { Activation } from '../layers/networks/activations';

/** Activations as the kernels know them. */
export const activationNumbers: Record<Activation, number> = {
  relu: RELU,
  tanh: TANH,
  elu: ELU,
  softplus: SOFTPLUS,
  silu: SILU,
  gelu: GELU,
  leakyRelu: LEAKY_RELU,
};
