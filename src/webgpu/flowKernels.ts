import { registerAdaptiveStep } from './adaptiveStep';
import { registerAffineCoupling } from './affineCoupling';
import { registerAffineEvents } from './affineEvents';
import { registerCast } from './cast';
import { registerChannelOrder } from './channelOrder';
import { registerCompactStep } from './compactStep';
import { registerConvolutions } from './convolutionChain';
import { registerGlobalNorm } from './globalNorm';
import { registerLogDets } from './logDets';
import { registerLuFactors } from './luFactors';
import { registerLuMatrix } from './luMatrix';
import { registerMoveAverages } from './moveAverages';
import { registerNetworkCoupling } from './networkCoupling';
import { registerNormalLogProb } from './normalLogProb';
import { registerPerceptron } from './perceptron';
import { registerRowVerdicts } from './rowVerdicts';
import { registerScaleChannels } from './scaleChannels';
import { registerScaledLinear } from './scaledLinear';
import { registerSines } from './sines';
import { registerSplineEvents } from './splineEvents';
import { registerStepScale } from './stepScale';
import { registerSweep } from './sweep';

/** The fused operations of layers and optimizers, and what is better than the backend's own. */
export function registerFlowKernels(): void {
  registerAdaptiveStep();
  registerAffineCoupling();
  registerAffineEvents();
  registerCast();
  registerChannelOrder();
  registerConvolutions();
  registerCompactStep();
  registerGlobalNorm();
  registerMoveAverages();
  registerLogDets();
  registerLuFactors();
  registerLuMatrix();
  registerNetworkCoupling();
  registerNormalLogProb();
  registerPerceptron();
  registerRowVerdicts();
  registerScaleChannels();
  registerScaledLinear();
  registerSines();
  registerSplineEvents();
  registerStepScale();
  registerSweep();
}
