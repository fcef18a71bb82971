import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { ConfigError, complaint } from '../../core/errors';
import { deserializeModule, registerModule, type SerializedModule } from '../../core/module';
import type { Shape } from '../../core/shapes';
import { Conditioner } from './conditioner';

/** Options of {@link LayersNetwork}. */
export interface LayersNetworkOptions {
  /** Any tfjs-layers model, or one layer; a model with two inputs gets the context as its second. */
  model: tfl.LayersModel | tfl.layers.Layer;
  /** Event shape that it reads, needed for a bare layer; a model knows its own. */
  inputShape?: Shape;
  /** Name in the weight tree. Default 'network'. */
  name?: string;
}

/**
 * A tfjs-layers model or layer as the conditioner of a coupling, a split or anything else.
 *
 *     y = model(x)  or  model([x, context])
 *
 * Shapes: whatever the model maps; [batch, ...inputShape] -> [batch, ...outputShape].
 * Start its last layer at zero (`kernelInitializer: 'zeros'`) so that the flow starts near the identity.
 * The model is owned from here on: disposing the network disposes its weights.
 *
 * @throws ConfigError where the model's shapes are not fixed
 * @see the tfjs-layers API, https://js.tensorflow.org/api/latest/#Models
 * @example
 * const model = tf.sequential({ layers: [
 *   tf.layers.dense({ inputShape: [1], units: 16, activation: 'relu' }),
 *   tf.layers.dense({ units: 2, kernelInitializer: 'zeros' }),
 * ] });
 * const coupling = new AffineCoupling({ inputShape: [2], network: new LayersNetwork({ model }) });
 */
export class LayersNetwork extends Conditioner {
  static className = 'FlowLayersNetwork';
  readonly model: tfl.LayersModel;

  constructor(options: LayersNetworkOptions) {
    const model = asModel(options);
    super(
      options.name ?? 'network',
      eventShape(model.inputs[0].shape, 'input'),
      eventShape(model.outputs[0].shape, 'output'),
    );
    this.model = model;
    const trainable = new Set(model.trainableWeights.map((weight) => weight.originalName));
    for (const weight of model.weights) {
      this.adoptWeight(weight.originalName, weight.read() as tf.Variable, trainable.has(weight.originalName));
    }
  }

  protected compute(x: tf.Tensor, context?: tf.Tensor): tf.Tensor {
    const inputs = this.model.inputs.length > 1 && context !== undefined ? [x, context] : x;
    return this.model.apply(inputs) as tf.Tensor;
  }

  getConfig(): tf.serialization.ConfigDict {
    const model = { className: this.model.getClassName(), config: this.model.getConfig() };
    return { name: this.name, model: model as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const model = deserializeModule(
      config.model as unknown as SerializedModule,
    ) as unknown as tfl.LayersModel;
    return new cls({ ...config, model });
  }
}

function asModel({ model, inputShape }: LayersNetworkOptions): tfl.LayersModel {
  if (model instanceof tfl.LayersModel) return model;
  if (inputShape === undefined) {
    throw new ConfigError(complaint('LayersNetwork', 'inputShape beside a bare layer', 'none'));
  }
  const input = tfl.input({ shape: [...inputShape] });
  return tfl.model({ inputs: input, outputs: model.apply(input) as tfl.SymbolicTensor });
}

function eventShape(shape: readonly (number | null)[], side: string): Shape {
  const event = shape.slice(1);
  if (event.some((length) => length === null)) {
    const hint = 'Give the first layer an inputShape without null.';
    throw new ConfigError(complaint('LayersNetwork', `a model with a fixed ${side} shape`, [...shape], hint));
  }
  return event as number[];
}

registerModule(LayersNetwork);
