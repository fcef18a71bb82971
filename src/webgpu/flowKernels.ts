import { registerAffineCoupling } from './affineCoupling';
import { registerScaleChannels } from './scaleChannels';

/** The fused operations of layers and optimizers. */
export function registerFlowKernels(): void {
  registerAffineCoupling();
  registerScaleChannels();
}
