import type * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type ContextShape, type ContextTensors, contextTensors } from '../../core/context';
import { ConfigError, complaint } from '../../core/errors';
import { deserializeModule, registerModule, type SerializedModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import type { Shape } from '../../core/shapes';
import { checkLayers } from './checkLayers';
import { Conditioner } from './conditioner';

/** Options of {@link LayersNetwork}. */
export interface LayersNetworkOptions {
  /** Any tfjs-layers model, or one layer; inputs of a model after its first read the context. */
  model: tfl.LayersModel | tfl.layers.Layer;
  /** Event shape that it reads, needed for a bare layer; a model knows its own. */
  inputShape?: Shape;
  /**
   * Names of the parts of the context that the inputs after the first read, in their order. Default: the whole context where there is
   * one such input, the inputs' own names where there are more.
   */
  context?: string | readonly string[];
  /** Name in the weight tree. Default 'network'. */
  name?: string;
}

/**
 * A tfjs-layers model or layer as the conditioner of a coupling, a split or anything else.
 *
 *     y = model(x)  or  model([x, context])  or  model([x, part, another part, ...])
 *
 * Shapes: whatever the model maps; [batch, ...inputShape] -> [batch, ...outputShape], context [batch, ...shape of the other input].
 * Start its last layer at zero (`kernelInitializer: 'zeros'`) so that the flow starts near the identity.
 * The model is owned from here on: disposing the network disposes its weights.
 *
 * A flow computes a density, and its loss alone trains it: dropout, noise, batch normalization, regularizers, constraints and state
 * from batch to batch are refused, wherever in the model they are. (A layer of your own is never told that it is in training.)
 *
 * @throws ConfigError for such layers, or where the model's shapes are not fixed; ShapeError for a context of another shape, or none
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
  private readonly partNames?: readonly string[];

  constructor(options: LayersNetworkOptions) {
    if (new.target === LayersNetwork)
      checkOptions('LayersNetwork', options, { model: true, inputShape: true, context: true, name: true });
    const model = asModel(options);
    checkLayers('LayersNetwork', model);
    super(
      options.name ?? 'network',
      eventShape(model.inputs[0].shape, 'input'),
      eventShape(model.outputs[0].shape, 'output'),
    );
    this.model = model;
    this.partNames = typeof options.context === 'string' ? [options.context] : options.context;
    this.declareContext(contextOf(model, this.partNames));
    const trainable = new Set(model.trainableWeights.map((weight) => weight.originalName));
    for (const weight of model.weights) {
      this.adoptWeight(weight.originalName, weight.read() as tf.Variable, trainable.has(weight.originalName));
    }
  }

  protected compute(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const parts = contextTensors(context);
    return this.model.apply(parts.length === 0 ? x : [x, ...parts]) as tf.Tensor;
  }

  getConfig(): tf.serialization.ConfigDict {
    const model = { className: this.model.getClassName(), config: this.model.getConfig() };
    const config = { name: this.name, model: model as never };
    return this.partNames === undefined ? config : { ...config, context: [...this.partNames] };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const model = deserializeModule(
      config.model as unknown as SerializedModule,
    ) as unknown as tfl.LayersModel;
    try {
      return new cls({ ...config, model });
    } catch (error) {
      model.dispose();
      throw error;
    }
  }
}

function asModel({ model, inputShape }: LayersNetworkOptions): tfl.LayersModel {
  if (model instanceof tfl.LayersModel) return model;
  if (inputShape === undefined) {
    throw new ConfigError(complaint('LayersNetwork', 'inputShape beside a bare layer', 'none'));
  }
  // Before it makes weights.
  checkLayers('LayersNetwork', model);
  const input = tfl.input({ shape: [...inputShape] });
  return tfl.model({ inputs: input, outputs: model.apply(input) as tfl.SymbolicTensor });
}

/** What the inputs after the first read. */
function contextOf(model: tfl.LayersModel, given?: readonly string[]): ContextShape | undefined {
  const shapes = model.inputs.slice(1).map((input) => eventShape(input.shape, 'context'));
  const names = given ?? (shapes.length > 1 ? model.inputNames.slice(1) : undefined);
  if (names === undefined) return shapes[0];
  if (names.length !== shapes.length || new Set(names).size !== names.length) {
    const expected = `${shapes.length} different names of parts, one for each input after the first`;
    throw new ConfigError(complaint('LayersNetwork', expected, names));
  }
  return Object.fromEntries(names.map((name, i) => [name, shapes[i]]));
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
