import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, flatContext } from '../../core/context';
import type { RandomStream } from '../../core/random';
import { noiseInStep } from '../../core/trainingStep';
import { activations } from './activations';
import type { ContextUse, LayerForm } from './denseLayers';
import {
  type FusedDropout,
  type FusedPerceptron,
  fusedPerceptron,
  hasFusedPerceptron,
  type PerceptronPlan,
} from './fusedPerceptron';
import { featuresOf, type PerceptronSettings } from './perceptronOptions';

/** A fully connected layer as it computes: its form, and weights with what is masked at 0. */
export interface DenseLayer extends LayerForm {
  /** [inputs, outputs] */
  kernel: tf.Tensor2D;
  /** [outputs] */
  bias: tf.Tensor;
  /** The linear map of the context, [context, outputs] and [outputs]; absent where `context` is. */
  contextKernel?: tf.Tensor2D;
  contextBias?: tf.Tensor;
}

/** How a module registers what the stack makes. */
export interface Registry {
  weight(name: string, initial: tf.Tensor): tf.Variable;
  constant(tensor: tf.Tensor): tf.Tensor;
}

/** What makes a stack. */
export interface StackOptions {
  forms: readonly LayerForm[];
  settings: PerceptronSettings;
  /** For each layer 1 where a weight counts, [inputs, outputs]; absent where all do. */
  masks?: readonly Float32Array[];
  random: RandomStream;
}

/** What the context makes of a layer: its result is r * gate + offset, the bias in the offset. */
export interface Conditioned {
  /** [outputs] or [n, outputs] */
  offset: tf.Tensor;
  /** [n, outputs] */
  gate?: tf.Tensor;
}

/** The layers of a perceptron of any kind, their weights and how they compute. */
export class DenseStack {
  readonly settings: PerceptronSettings;
  /** Whether the first layer reads the context beside the values. */
  readonly joinsContext: boolean;
  private readonly weights: DenseLayer[];
  private readonly masks?: readonly tf.Tensor[];
  private readonly plan: PerceptronPlan;

  /** @param owner the network, by which the noise of a training step is told from that of others */
  constructor(
    private readonly owner: object,
    registry: Registry,
    { forms, settings, masks, random }: StackOptions,
  ) {
    this.settings = settings;
    this.joinsContext = settings.context > 0 && forms[0].context === undefined;
    this.masks = masks?.map((mask, i) =>
      registry.constant(tf.tensor2d(mask, [forms[i].inputs, forms[i].outputs])),
    );
    const { activation, context } = settings;
    this.plan = { forms, activation, context, masked: masks !== undefined };
    this.weights = forms.map((form, i) => {
      const { inputs, outputs, start, biasStart = 0 } = form;
      const kernel = drawn(random, [inputs, outputs], start);
      const layer: DenseLayer = {
        ...form,
        kernel: registry.weight(`kernel${i}`, masked(kernel, this.masks?.[i])) as unknown as tf.Tensor2D,
        bias: registry.weight(`bias${i}`, drawn(random, [outputs], biasStart)),
      };
      if (form.context === undefined) return layer;
      const ofContext = drawn(random, [settings.context, outputs], 1 / Math.sqrt(settings.context));
      return {
        ...layer,
        contextKernel: registry.weight(`contextKernel${i}`, ofContext) as unknown as tf.Tensor2D,
        contextBias: registry.weight(`contextBias${i}`, tf.zeros([outputs])),
      };
    });
  }

  /** The layers as they compute, in order. */
  get layers(): DenseLayer[] {
    const { masks } = this;
    if (masks === undefined) return this.weights;
    return this.weights.map((layer, i) => ({
      ...layer,
      kernel: tf.mul(layer.kernel, masks[i]) as tf.Tensor2D,
    }));
  }

  /** What a fused operation takes in place of the layers. */
  get fused(): FusedPerceptron {
    const { weights: layers, masks = [], plan } = this;
    return { layers, masks, plan, dropout: (n) => this.dropout(n) };
  }

  /** Whether it drops something now: in training steps alone. */
  get drops(): boolean {
    return this.settings.dropout > 0 && noiseInStep(this.owner) !== undefined;
  }

  /**
   * @param x [n, ...]
   * @returns [n, outputs of the last layer]
   */
  compute(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const features = featuresOf(x, this.settings.periodic);
    const given = flatContext(context);
    if (hasFusedPerceptron()) return fusedPerceptron(features, given, this.fused);
    const masks = this.dropoutMasks(x.shape[0]);
    const input = this.joinsContext ? tf.concat([features, given as tf.Tensor], 1) : features;
    const results: tf.Tensor[] = [];
    this.layers.forEach((layer, i) => {
      const read = this.read(layer, results[i - 1] ?? input, masks[i]);
      const result = combine(tf.matMul(read as tf.Tensor2D, layer.kernel), this.condition(layer, given));
      results.push(layer.skip === undefined ? result : tf.add(results[layer.skip], result));
    });
    return results[results.length - 1];
  }

  /** A result as the layer after it reads it. */
  read(layer: LayerForm, result: tf.Tensor, mask?: tf.Tensor): tf.Tensor {
    const active = layer.activated ? activations[this.settings.activation](result) : result;
    return mask === undefined ? active : tf.mul(active, mask);
  }

  /** What the context makes of a layer. */
  condition(
    { bias, context: use, contextKernel, contextBias }: DenseLayer,
    context?: tf.Tensor,
  ): Conditioned {
    if (use === undefined) return { offset: bias };
    const map = tf.add(
      tf.matMul(context as tf.Tensor2D, contextKernel as tf.Tensor2D),
      contextBias as tf.Tensor,
    );
    return contextUses[use](bias, map, activations[this.settings.activation]);
  }

  private dropout(n: number): FusedDropout {
    const masks = this.dropoutMasks(n).filter((mask) => mask !== undefined);
    return { share: 1 - (this.drops ? this.settings.dropout : 0), masks };
  }

  /**
   * For each layer that drops, what it multiplies what it reads by: 0 for what is dropped, 1 / (1 - dropout) for the rest. None outside
   * of training steps; the same ones whenever a step asks.
   *
   * @returns [n, inputs] or undefined for each layer
   */
  dropoutMasks(n: number): (tf.Tensor | undefined)[] {
    const { dropout } = this.settings;
    const noise = dropout > 0 ? noiseInStep(this.owner) : undefined;
    return this.weights.map(({ dropped, inputs }) => {
      if (noise === undefined || !dropped) return undefined;
      return dropoutMask(noise, [n, inputs], dropout);
    });
  }
}

const contextUses: Record<
  ContextUse,
  (bias: tf.Tensor, map: tf.Tensor, activate: (x: tf.Tensor) => tf.Tensor) => Conditioned
> = {
  shift: (bias, map) => ({ offset: tf.add(bias, map) }),
  activatedShift: (bias, map, activate) => ({ offset: tf.add(bias, activate(map)) }),
  gate: (bias, map) => {
    const gate = tf.sigmoid(map);
    return { offset: tf.mul(bias, gate), gate };
  },
};

/** A layer's product with its weights, as the context makes it. */
export function combine(product: tf.Tensor, { offset, gate }: Conditioned): tf.Tensor {
  return tf.add(gate === undefined ? product : tf.mul(product, gate), offset);
}

/** 0 for a share of the entries, and for the rest what makes up for it. */
function dropoutMask(noise: RandomStream, shape: [number, number], dropout: number): tf.Tensor {
  const values = new Float32Array(shape[0] * shape[1]);
  const kept = 1 / (1 - dropout);
  // A loop: as an argument of `from` the function takes four times as long.
  for (let i = 0; i < values.length; i++) values[i] = noise.uniformNumber() < dropout ? 0 : kept;
  return tf.tensor2d(values, shape);
}

function drawn(random: RandomStream, shape: number[], within: number): tf.Tensor {
  return within === 0 ? tf.zeros(shape) : random.uniform(shape, -within, within);
}

/** Weights that a mask leaves, scaled up to where those of a layer with as many inputs would start. Takes them over. */
function masked(kernel: tf.Tensor, mask: tf.Tensor | undefined): tf.Tensor {
  if (mask === undefined) return kernel;
  try {
    return tf.tidy(() => {
      const scale = tf.sqrt(tf.div(kernel.shape[0], tf.maximum(tf.sum(mask, 0), 1)));
      return tf.mul(tf.mul(kernel, mask), scale);
    });
  } finally {
    kernel.dispose();
  }
}
