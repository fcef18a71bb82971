import * as tf from '@tensorflow/tfjs-core';
import {
  type ContextOption,
  type ContextTensors,
  contextRows,
  contextShapeOf,
  contextSize,
} from '../../core/context';
import { registerModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import { RandomStream } from '../../core/random';
import { checkChoice, checkEventShape, checkInteger, type Shape } from '../../core/shapes';
import { Conditioner } from './conditioner';
import { type FusedLayer, fusedConvolutions, hasFusedConvolutions } from './fusedConvolutions';

const activations = { relu: tf.relu, tanh: tf.tanh, elu: tf.elu, softplus: tf.softplus };

/** A fully connected layer, [inputs, outputs] and [outputs]. */
export interface DenseLayer {
  kernel: tf.Tensor2D;
  bias: tf.Tensor;
}

/** Options of {@link MultilayerPerceptron}. */
export interface MultilayerPerceptronOptions {
  /** [d] */
  inputShape: Shape;
  /** Number of outputs. */
  units: number;
  /** Widths of the hidden layers; empty for a plain linear map. Default [64, 64]. */
  hiddenUnits?: readonly number[];
  /** 'relu', 'tanh', 'elu' or 'softplus'. Default 'relu'. */
  activation?: keyof typeof activations;
  /** What is read beside x: a number of values, an event shape, or either by name. Default: nothing. */
  context?: ContextOption;
  /** Seed of the initial weights. Default: another one each time. */
  seed?: number;
  /** Name in the weight tree. Default 'network'. */
  name?: string;
}

/**
 * A fully connected network for vectors, its last layer zero at the start.
 *
 *     h_0 = [x, flat(context)],    h_i = activation(h_{i-1} W_i + b_i),    y = h_k W + b
 *
 * Shapes: [n, d] -> [n, units]; a context [n, ...shape] is flattened, parts by name follow one another as they are declared. Hidden weights start uniform within +-sqrt(6 / fanIn) (He), biases at 0.
 *
 * @throws ConfigError for a bad configuration; ShapeError for an input or context of another shape
 * @see He et al., "Delving Deep into Rectifiers" (2015), section 2.2, arXiv:1502.01852
 * @example
 * const network = new MultilayerPerceptron({ inputShape: [1], units: 2, hiddenUnits: [32, 32], seed: 1 });
 * network.apply(tf.ones([4, 1])).shape; // [4, 2]
 */
export class MultilayerPerceptron extends Conditioner {
  static className = 'FlowMultilayerPerceptron';
  private readonly hiddenUnits: readonly number[];
  private readonly activation: keyof typeof activations;
  private readonly layers: DenseLayer[];

  constructor(options: MultilayerPerceptronOptions) {
    if (new.target === MultilayerPerceptron)
      checkOptions('MultilayerPerceptron', options, {
        inputShape: true,
        units: true,
        hiddenUnits: true,
        activation: true,
        context: true,
        seed: true,
        name: true,
      });
    const { inputShape, units, hiddenUnits = [64, 64], activation = 'relu' } = options;
    checkEventShape('MultilayerPerceptron', inputShape, [1]);
    checkInteger('MultilayerPerceptron', 'units', units);
    for (const width of hiddenUnits) checkInteger('MultilayerPerceptron', 'hiddenUnits', width);
    checkChoice('MultilayerPerceptron', 'activation', activation, Object.keys(activations));
    const context = contextShapeOf('MultilayerPerceptron', options.context);
    super(options.name ?? 'network', inputShape, [units]);
    this.declareContext(context);
    this.hiddenUnits = [...hiddenUnits];
    this.activation = activation;
    const random = new RandomStream(options.seed);
    const widths = [inputShape[0] + contextSize(context), ...hiddenUnits, units];
    this.layers = widths.slice(1).map((width, i) => {
      const shape = [widths[i], width];
      const limit = Math.sqrt(6 / widths[i]);
      const start = i === hiddenUnits.length ? tf.zeros(shape) : random.uniform(shape, -limit, limit);
      return {
        kernel: this.addWeight(`kernel${i}`, start) as unknown as tf.Tensor2D,
        bias: this.addWeight(`bias${i}`, tf.zeros([width])),
      };
    });
  }

  override get fusedLayers(): FusedLayer[] | undefined {
    const plain = this.activation === 'relu' && this.contextShape === undefined;
    return plain && this.computesAs(MultilayerPerceptron) ? this.convolutions : undefined;
  }

  protected compute(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const input = this.withContext(x, context);
    if (this.activation === 'relu' && hasFusedConvolutions())
      return fusedConvolutions(input, this.convolutions);
    const activate = activations[this.activation];
    return this.denseLayers().reduce((value, { kernel, bias }, i) => {
      const linear = tf.add(tf.matMul(value as tf.Tensor2D, kernel), bias);
      return i === this.hiddenUnits.length ? linear : activate(linear);
    }, input);
  }

  getConfig(): tf.serialization.ConfigDict {
    const config = {
      name: this.name,
      inputShape: [...this.inputShape],
      units: this.outputShape[0],
      hiddenUnits: [...this.hiddenUnits],
      activation: this.activation,
    };
    return this.contextShape === undefined ? config : { ...config, context: this.contextShape as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    // Files of earlier versions give the length of a context vector, 0 for none.
    const { contextSize: size, ...rest } = config;
    return new cls(size ? { ...rest, context: size } : rest);
  }

  /** The layers as they compute, in order. */
  protected denseLayers(): DenseLayer[] {
    return this.layers;
  }

  /** The layers as 1x1 convolutions of images of one pixel. */
  private get convolutions(): FusedLayer[] {
    return this.denseLayers().map(({ kernel, bias }) => ({ filter: kernel, offset: bias }));
  }

  private withContext(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const parts = contextRows(context);
    return parts.length === 0 ? x : tf.concat([x, ...parts], 1);
  }
}

registerModule(MultilayerPerceptron);
