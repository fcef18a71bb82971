import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { OrderedCouplingOptions } from '../layers/fusedCoupling';
import {
  outputsOf,
  type PerceptronAttributes,
  perceptronTensors,
} from '../layers/networks/perceptronTensors';
import { affineCoupling, affineCouplingGradient } from './affineCoupling';
import { orderedChannels } from './channelOrder';
import type { Gpu } from './gpu';
import { runKeptPerceptron, runPerceptron, runPerceptronGradient } from './perceptron';
import { type KernelCall, registerGpuKernel } from './register';

type Call = KernelCall<TensorInfo[], OrderedCouplingOptions & PerceptronAttributes & { taped: boolean }>;

/** What `compute` returns, given the channels of a tensor in an order, which lasts for it alone; the tensor itself where there is no order. */
function inOrder<T>(
  gpu: Gpu,
  tensor: TensorInfo,
  order: Int32Array | undefined,
  compute: (ordered: TensorInfo) => T,
): T {
  if (order === undefined) return compute(tensor);
  const ordered = orderedChannels(gpu, tensor, order);
  try {
    return compute(ordered);
  } finally {
    gpu.backend.disposeData(ordered.dataId);
  }
}

/** [x, context?, ...weights, ...dropout] -> value, logDet, the parameters, and what the gradient needs of the network where that is kept. */
function perceptronCoupling({ inputs: [given, ...others], attrs, gpu }: Call): TensorInfo[] {
  const { plan, taped, before, after } = attrs;
  return inOrder(gpu, given, before?.order, (x) => {
    const tensors = perceptronTensors([x, ...others], attrs);
    const parameters = gpu.output([x.shape[0], outputsOf(plan)]);
    const kept = taped ? runKeptPerceptron(gpu, plan, tensors, parameters) : undefined;
    if (kept === undefined) runPerceptron(gpu, plan, tensors, parameters);
    const [coupled, logDet] = affineCoupling(gpu, x, parameters, attrs);
    const value = after === undefined ? coupled : orderedChannels(gpu, coupled, after.inverse);
    if (value !== coupled) gpu.backend.disposeData(coupled.dataId);
    return [value, logDet, parameters, ...(kept === undefined ? [] : [kept.packed, kept.records])];
  });
}

/** [dy, dLogDet, x, context?, ...weights, ...dropout, parameters, packed, records] -> gradients in x, the context and every weight. */
function perceptronCouplingGradient({ inputs, attrs, gpu }: Call): TensorInfo[] {
  const { plan, before, after } = attrs;
  const [dy, dLogDet, given, ...others] = inputs;
  return inOrder(gpu, given, before?.order, (x) =>
    inOrder(gpu, dy, after?.order, (dCoupled) => {
      const tensors = perceptronTensors([x, ...others], attrs);
      const [parameters, packed, records] = tensors.rest;
      const ofCoupling = { x, parameters, dy: dCoupled, dLogDet };
      const [direct, dParameters] = affineCouplingGradient(gpu, ofCoupling, attrs);
      const kept = { packed, records };
      const [dx, ...rest] = runPerceptronGradient(gpu, plan, tensors, kept, dParameters, direct);
      const gradient = before === undefined ? dx : orderedChannels(gpu, dx, before.inverse);
      for (const tensor of [direct, dParameters, ...(gradient === dx ? [] : [dx])]) {
        gpu.backend.disposeData(tensor.dataId);
      }
      return [gradient, ...rest];
    }),
  );
}

/** FlowPerceptronCoupling and its gradient: what the network makes of the gradient in x is added where it is found. */
export function registerPerceptronCoupling(): void {
  registerGpuKernel('FlowPerceptronCoupling', perceptronCoupling);
  registerGpuKernel('FlowPerceptronCouplingGradient', perceptronCouplingGradient);
}
