import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { FusedCouplingOptions, OrderedCouplingOptions } from '../layers/fusedCoupling';
import {
  outputsOf,
  type PerceptronAttributes,
  perceptronTensors,
} from '../layers/networks/perceptronTensors';
import { copyColumns, orderedColumns } from './columns';
import { type ChainAttributes, layersGradient, layersOf, runLayers } from './convolutionChain';
import { runPerceptron, runPerceptronGradient } from './perceptron';
import type { KernelCall, Place } from './register';

/** What is coupled, and how. */
function couplingFields({ shape }: TensorInfo, { kept, scale, inverse }: FusedCouplingOptions) {
  const channels = shape[shape.length - 1];
  const positions = util.sizeFromShape(shape.slice(1, -1));
  const sigmoid = scale === 'sigmoid';
  return { batch: shape[0], positions, kept, changed: channels - kept, sigmoid, inverse };
}

/** Value and logDet. */
function couple(
  { backend, kernels }: Place,
  x: TensorInfo,
  parameters: TensorInfo,
  options: FusedCouplingOptions,
): TensorInfo[] {
  const value = backend.makeOutput(x.shape, 'float32');
  const logDet = backend.makeOutput([x.shape[0]], 'float32');
  kernels.run('couple', {
    base: couplingFields(x, options),
    input: kernels.pointer(x),
    parameters: kernels.pointer(parameters),
    output: kernels.pointer(value),
    logDet: kernels.pointer(logDet),
    outputGradient: 0,
    logDetGradient: 0,
    inputGradient: 0,
    parametersGradient: 0,
  });
  return [value, logDet];
}

/** What `coupleGradient` starts from; the gradients go to the addresses. */
interface CouplingGradient {
  x: TensorInfo;
  parameters: TensorInfo;
  dy: TensorInfo;
  dLogDet: TensorInfo;
  dx: number;
  dParameters: number;
}

function coupleGradient({ kernels }: Place, tensors: CouplingGradient, options: FusedCouplingOptions): void {
  const { x, parameters, dy, dLogDet, dx, dParameters } = tensors;
  kernels.run('coupleGradient', {
    base: couplingFields(x, options),
    input: kernels.pointer(x),
    parameters: kernels.pointer(parameters),
    // The forward results are not needed again.
    output: 0,
    logDet: 0,
    outputGradient: kernels.pointer(dy),
    logDetGradient: kernels.pointer(dLogDet),
    inputGradient: dx,
    parametersGradient: dParameters,
  });
}

/** Value and logDet of x, coupled by parameters. */
export function affineCoupling(call: KernelCall<'x' | 'parameters', FusedCouplingOptions>): TensorInfo[] {
  return couple(call, call.inputs.x, call.inputs.parameters, call.attrs);
}

/** Gradients in x and the parameters. */
export function affineCouplingGradient(
  call: KernelCall<'x' | 'parameters' | 'dy' | 'dLogDet', FusedCouplingOptions>,
): TensorInfo[] {
  const { inputs, attrs, backend, kernels } = call;
  const [dx, dParameters] = [inputs.x, inputs.parameters].map(({ shape }) =>
    backend.makeOutput(shape, 'float32'),
  );
  const places = { dx: kernels.pointer(dx), dParameters: kernels.pointer(dParameters) };
  coupleGradient(call, { ...inputs, ...places }, attrs);
  return [dx, dParameters];
}

type NetworkCall = KernelCall<string, FusedCouplingOptions & ChainAttributes>;

/** The channels that pass, as the matrix that the network reads, and as columns of x and of its gradients. */
function keptColumns({ shape }: TensorInfo, kept: number) {
  const columns = shape[shape.length - 1];
  const rows = util.sizeFromShape(shape) / columns;
  return {
    shape: [...shape.slice(0, -1), kept],
    bytes: rows * kept * 4,
    cut({ kernels }: Place, from: number, to: number) {
      copyColumns(kernels, rows, kept, { at: from, columns, first: 0 }, { at: to, columns: kept, first: 0 });
    },
    place({ kernels }: Place, from: number, to: number) {
      copyColumns(kernels, rows, kept, { at: from, columns: kept, first: 0 }, { at: to, columns, first: 0 });
    },
  };
}

/** [x, ...weights] -> value, logDet, then the outputs of the network's layers. */
export function networkCoupling(call: NetworkCall): TensorInfo[] {
  const { inputs, attrs, kernels } = call;
  const [x, ...weights] = Object.values(inputs);
  const kept = keptColumns(x, attrs.kept);
  const { layers } = layersOf(kept.shape, weights, attrs);
  const outputs = kernels.withRoom([kept.bytes], (input) => {
    kept.cut(call, kernels.pointer(x), input);
    return runLayers(call, layers, input);
  });
  return [...couple(call, x, outputs[outputs.length - 1], attrs), ...outputs];
}

/** [dy, dLogDet, x, ...weights, ...outputs] -> gradients in x and in every weight. */
export function networkCouplingGradient(call: NetworkCall): TensorInfo[] {
  const { inputs, attrs, backend, kernels } = call;
  const [dy, dLogDet, x, ...tensors] = Object.values(inputs);
  const kept = keptColumns(x, attrs.kept);
  const { layers, others: outputs } = layersOf(kept.shape, tensors, attrs);
  const parameters = outputs[outputs.length - 1];
  const output = backend.makeOutput(x.shape, 'float32');
  const dx = kernels.pointer(output);
  const sizes = [util.sizeFromShape(parameters.shape) * 4, kept.bytes, kept.bytes, kept.bytes];
  return kernels.withRoom(sizes, (dParameters, input, direct, dInput) => {
    coupleGradient(call, { x, parameters, dy, dLogDet, dx, dParameters }, attrs);
    kept.cut(call, kernels.pointer(x), input);
    kept.cut(call, kernels.pointer(dy), direct);
    const ofLayers = { input, outputs, dy: dParameters, dx: dInput, added: direct };
    const ofWeights = layersGradient(call, layers, ofLayers);
    kept.place(call, dInput, dx);
    return [output, ...ofWeights];
  });
}

/** [y, dy, dLogDet, ...weights] -> x, gradients in it and in every weight. */
export function networkCouplingReverse(call: NetworkCall): TensorInfo[] {
  const { inputs, attrs, backend, kernels } = call;
  const [y, dy, dLogDet, ...weights] = Object.values(inputs);
  const kept = keptColumns(y, attrs.kept);
  const { layers } = layersOf(kept.shape, weights, attrs);
  return kernels.withRoom([kept.bytes, kept.bytes, kept.bytes], (input, direct, dInput) => {
    kept.cut(call, kernels.pointer(y), input);
    const outputs = runLayers(call, layers, input);
    const parameters = outputs[outputs.length - 1];
    const [x, logDet] = couple(call, y, parameters, { ...attrs, inverse: true });
    const [dx, dParameters] = [y, parameters].map(({ shape }) => backend.makeOutput(shape, 'float32'));
    const places = { dx: kernels.pointer(dx), dParameters: kernels.pointer(dParameters) };
    coupleGradient(call, { x, parameters, dy, dLogDet, ...places }, { ...attrs, inverse: false });
    kept.cut(call, kernels.pointer(dy), direct);
    const ofLayers = { input, outputs, dy: places.dParameters, dx: dInput, added: direct };
    const ofWeights = layersGradient(call, layers, ofLayers);
    kept.place(call, dInput, places.dx);
    for (const { dataId } of [...outputs, logDet, dParameters]) backend.disposeData(dataId);
    return [x, dx, ...ofWeights];
  });
}

/** The columns in an order, in a new tensor; the tensor itself where there is no order. */
function inOrder(place: Place, tensor: TensorInfo, order: Int32Array | undefined): TensorInfo {
  return order === undefined ? tensor : orderedColumns(place, tensor, order);
}

/** Frees the first of each pair where it is not the second itself. */
function disposeCopies({ backend }: Place, ...pairs: [copy: TensorInfo, original: TensorInfo][]): void {
  for (const [copy, original] of pairs) if (copy !== original) backend.disposeData(copy.dataId);
}

type PerceptronCall = KernelCall<string, OrderedCouplingOptions & PerceptronAttributes & { taped: boolean }>;

/** [x, context?, ...weights, ...dropout] -> value, logDet, the parameters and the records of the network where they are kept. */
export function perceptronCoupling(call: PerceptronCall): TensorInfo[] {
  const { attrs, backend, kernels } = call;
  const { plan, taped } = attrs;
  const [given, ...others] = Object.values(call.inputs);
  const x = inOrder(call, given, attrs.before?.order);
  const tensors = perceptronTensors([x, ...others], attrs);
  const parameters = backend.makeOutput([x.shape[0], outputsOf(plan)], 'float32');
  const records = runPerceptron(call, plan, tensors, kernels.pointer(parameters), taped);
  const [coupled, logDet] = couple(call, x, parameters, attrs);
  const value = inOrder(call, coupled, attrs.after?.inverse);
  disposeCopies(call, [x, given], [coupled, value]);
  return records === undefined ? [value, logDet, parameters] : [value, logDet, parameters, records];
}

/** [dy, dLogDet, x, context?, ...weights, ...dropout, parameters, records] -> gradients in x, the context and every weight. */
export function perceptronCouplingGradient(call: PerceptronCall): TensorInfo[] {
  const { attrs, backend, kernels } = call;
  const { before, after } = attrs;
  const [dy, dLogDet, given, ...others] = Object.values(call.inputs);
  const x = inOrder(call, given, before?.order);
  const dCoupled = inOrder(call, dy, after?.order);
  const tensors = perceptronTensors([x, ...others], attrs);
  const { sources, rest } = tensors;
  const [parameters, records] = rest;
  const ofSources = sources.map(({ shape }) => backend.makeOutput(shape, 'float32'));
  const places = ofSources.map((tensor) => kernels.pointer(tensor));
  const ofWeights = kernels.withRoom([util.sizeFromShape(parameters.shape) * 4], (dParameters) => {
    coupleGradient(call, { x, parameters, dy: dCoupled, dLogDet, dx: places[0], dParameters }, attrs);
    return runPerceptronGradient(call, attrs.plan, tensors, records, dParameters, { places, adds: true });
  });
  const [dx, ...ofContext] = ofSources;
  const gradient = inOrder(call, dx, before?.inverse);
  disposeCopies(call, [x, given], [dCoupled, dy], [dx, gradient]);
  return [gradient, ...ofContext, ...ofWeights];
}
