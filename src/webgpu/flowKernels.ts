import { registerAdaptiveStep } from './adaptiveStep';
import { registerAffineCoupling } from './affineCoupling';
import { registerGlobalNorm } from './globalNorm';
import { registerScaleChannels } from './scaleChannels';
import { registerSines } from './sines';

/** The fused operations of layers and optimizers, and what is better than the backend's own. */
export function registerFlowKernels(): void {
  registerAdaptiveStep();
  registerAffineCoupling();
  registerGlobalNorm();
  registerScaleChannels();
  registerSines();
}
