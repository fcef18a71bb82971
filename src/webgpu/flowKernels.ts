import { registerAffineCoupling } from './affineCoupling';
import { registerScaleChannels } from './scaleChannels';
import { registerSines } from './sines';

/** The fused operations of layers and optimizers, and what is better than the backend's own. */
export function registerFlowKernels(): void {
  registerAffineCoupling();
  registerScaleChannels();
  registerSines();
}
