import type * as tf from '@tensorflow/tfjs-core';

/** One node of the tape. */
export interface TapeNode {
  kernelName: string;
  /** By name, or by place. */
  inputs: tf.NamedTensorMap;
  outputs: tf.Tensor[];
  /** What the gradient needs; the tape owns it. */
  saved: tf.Tensor[];
  /** From the gradients by the outputs, null where nothing depends on one, to those by the inputs; absent for ops that have none. */
  gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
}

/** What we use of the engine's state. */
export interface EngineState {
  /** Nothing where no gradient is under way. */
  activeTape: TapeNode[] | null | undefined;
  /** Gradients that are under way, one inside the other. */
  gradientDepth: number;
  /** Kernels that are under way: inside them nothing is taped. */
  kernelDepth: number;
  /** The innermost tidy. */
  activeScope: { id: number };
}

/** What we use of the engine beyond its public functions. */
export interface Engine {
  state: EngineState;
  isTapeOn(): boolean;
  addTapeNode(
    name: string,
    inputs: tf.NamedTensorMap,
    outputs: tf.Tensor[],
    gradient: (dys: tf.Tensor | tf.Tensor[]) => Record<string, () => tf.Tensor>,
    saved: tf.Tensor[],
    attributes: object,
  ): void;
  runKernel(name: string, inputs: tf.NamedTensorMap, attributes?: object): tf.Tensor | tf.Tensor[];
  makeTensorFromTensorInfo(info: tf.TensorInfo): tf.Tensor;
  /** Backends that have started, by name. */
  registry: Record<string, tf.KernelBackend | undefined>;
  /** Variables by name. */
  registeredVariables: Record<string, tf.Variable>;
}
