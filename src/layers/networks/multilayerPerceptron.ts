import type * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../../core/context';
import { registerModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import { RandomStream } from '../../core/random';
import { checkEventShape, checkInteger, type Shape, sizeOf } from '../../core/shapes';
import { Conditioner } from './conditioner';
import { perceptronForms } from './denseLayers';
import { DenseStack } from './denseStack';
import type { FusedPerceptron } from './fusedPerceptron';
import {
  type PerceptronOptions,
  type PerceptronSettings,
  perceptronConfig,
  perceptronNames,
  perceptronSettings,
} from './perceptronOptions';

/** Options of {@link MultilayerPerceptron}. */
export interface MultilayerPerceptronOptions extends PerceptronOptions {
  /** [d], or any other event shape: [t, k] of a series, [h, w, c] of an image. */
  inputShape: Shape;
  /** Number of outputs. */
  units: number;
  /** Widths of the hidden layers; empty for a plain linear map. Default [64, 64]. */
  hiddenUnits?: readonly number[];
}

/**
 * A fully connected network, its last layer zero at the start.
 *
 *     h_0 = [flat(x), flat(context)],    h_i = activation(h_{i-1} W_i + b_i),    y = h_k W + b
 *
 * Shapes: [n, ...inputShape] -> [n, units]; a context [n, ...shape] is flattened, parts by name follow one another as they are declared.
 * Hidden weights start uniform within +-sqrt(6 / fanIn) (He), biases at 0.
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
  private readonly settings: PerceptronSettings;
  private readonly stack: DenseStack;

  constructor(options: MultilayerPerceptronOptions) {
    const where = 'MultilayerPerceptron';
    if (new.target === MultilayerPerceptron) {
      checkOptions(where, options, { inputShape: true, units: true, hiddenUnits: true, ...perceptronNames });
    }
    const { inputShape, units, hiddenUnits = [64, 64] } = options;
    checkEventShape(where, inputShape);
    checkInteger(where, 'units', units);
    for (const width of hiddenUnits) checkInteger(where, 'hiddenUnits', width);
    const settings = perceptronSettings(where, options);
    super(options.name ?? 'network', inputShape, [units]);
    this.declareContext(settings.contextShape);
    this.hiddenUnits = [...hiddenUnits];
    this.settings = settings;
    const { featuresPerValue, context } = settings;
    const features = featuresPerValue * sizeOf(inputShape);
    this.stack = new DenseStack(
      this,
      {
        weight: (name, initial) => this.addWeight(name, initial),
        constant: (tensor) => this.addConstant(tensor),
      },
      {
        settings,
        forms: perceptronForms({ features, outputs: units, context, contextAs: 'inputs' }, hiddenUnits),
        random: new RandomStream(options.seed),
      },
    );
  }

  override get fusedPerceptron(): FusedPerceptron | undefined {
    const plain = this.settings.periodic === undefined && this.inputShape.length === 1;
    return plain && this.computesAs(MultilayerPerceptron) ? this.stack.fused : undefined;
  }

  protected compute(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.stack.compute(x, context);
  }

  getConfig(): tf.serialization.ConfigDict {
    return {
      name: this.name,
      inputShape: [...this.inputShape],
      units: this.outputShape[0],
      hiddenUnits: [...this.hiddenUnits],
      ...perceptronConfig(this.settings),
    };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    // Files of earlier versions give the length of a context vector, 0 for none.
    const { contextSize, ...rest } = config;
    return new cls(contextSize ? { ...rest, context: contextSize } : rest);
  }
}

registerModule(MultilayerPerceptron);
