import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { FusedCouplingOptions } from '../layers/fusedCoupling';
import { affineCoupling, affineCouplingGradient, affineCouplingReverse } from './affineCoupling';
import { type ChainAttributes, layersOf, runLayers, runLayersGradient } from './convolutionChain';
import { imagesOf } from './images';
import { type KernelCall, registerGpuKernel } from './register';

type NetworkCall = KernelCall<TensorInfo[], FusedCouplingOptions & ChainAttributes>;

/** [x, ...weights] -> value, logDet, then the outputs of the network's layers, which read the channels that pass where they lie. */
function networkCoupling({ inputs: [x, ...weights], attrs, gpu }: NetworkCall): TensorInfo[] {
  const { layers } = layersOf(weights, attrs);
  const outputs = runLayers(gpu, layers, imagesOf(x, attrs.kept));
  return [...affineCoupling(gpu, x, outputs[outputs.length - 1], attrs), ...outputs];
}

/** [dy, dLogDet, x, ...weights, ...outputs] -> gradients in x and in every weight. */
function networkCouplingGradient({ inputs, attrs, gpu }: NetworkCall): TensorInfo[] {
  const [dy, dLogDet, x, ...tensors] = inputs;
  const { layers, others: outputs } = layersOf(tensors, attrs);
  const parameters = outputs[outputs.length - 1];
  const [dx, dParameters] = affineCouplingGradient(gpu, { x, parameters, dy, dLogDet }, attrs);
  const images = imagesOf(x, attrs.kept);
  const ofWeights = runLayersGradient(gpu, layers, { images, outputs, dy: dParameters, dx, adds: true });
  gpu.backend.disposeData(dParameters.dataId);
  return [dx, ...ofWeights];
}

/** [y, dy, dLogDet, ...weights] -> x, gradients in it and in every weight. */
function networkCouplingReverse({ inputs, attrs, gpu }: NetworkCall): TensorInfo[] {
  const [value, dy, dLogDet, ...weights] = inputs;
  const { layers } = layersOf(weights, attrs);
  const images = imagesOf(value, attrs.kept);
  const outputs = runLayers(gpu, layers, images);
  const parameters = outputs[outputs.length - 1];
  const [x, dx, dParameters] = affineCouplingReverse(gpu, { value, parameters, dy, dLogDet }, attrs);
  const ofWeights = runLayersGradient(gpu, layers, { images, outputs, dy: dParameters, dx, adds: true });
  for (const { dataId } of [...outputs, dParameters]) gpu.backend.disposeData(dataId);
  return [x, dx, ...ofWeights];
}

/** FlowNetworkCoupling, its gradient and its way back. */
export function registerNetworkCoupling(): void {
  registerGpuKernel('FlowNetworkCoupling', networkCoupling);
  registerGpuKernel('FlowNetworkCouplingGradient', networkCouplingGradient);
  registerGpuKernel('FlowNetworkCouplingReverse', networkCouplingReverse);
}
