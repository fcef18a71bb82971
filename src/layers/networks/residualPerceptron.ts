import type * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../../core/context';
import { registerModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import { RandomStream } from '../../core/random';
import { checkEventShape, checkInteger, type Shape, sizeOf } from '../../core/shapes';
import { Conditioner } from './conditioner';
import { residualForms } from './denseLayers';
import { DenseStack } from './denseStack';
import type { FusedPerceptron } from './fusedPerceptron';
import {
  type PerceptronOptions,
  type PerceptronSettings,
  perceptronConfig,
  perceptronNames,
  perceptronSettings,
} from './perceptronOptions';

/** Options of {@link ResidualPerceptron}. */
export interface ResidualPerceptronOptions extends PerceptronOptions {
  /** [d], or any other event shape: [t, k] of a series, [h, w, c] of an image. */
  inputShape: Shape;
  /** Number of outputs. */
  units: number;
  /** Width of the hidden layers. Default 64. */
  hiddenUnits?: number;
  /** Blocks of two layers each. Default 2. */
  blocks?: number;
}

/**
 * A fully connected network of residual blocks; a context enters at the input and gates every block.
 *
 *     h = [flat(x), flat(context)] W + b
 *     in every block  t = a(a(h) W_0 + b_0) W_1 + b_1,    h += t * sigmoid(flat(context) W_c + b_c)
 *     y = h W_f + b_f
 *
 * Shapes: [n, ...inputShape] -> [n, units]; a context [n, ...shape] is flattened, parts by name follow one another as they are declared.
 * W and W_0 start uniform within +-sqrt(6 / fanIn) (He), W_1 within +-0.001, W_c within +-1 / sqrt(fanIn), b within
 * +-1 / sqrt(fanIn), W_f and all other biases at 0.
 * Dropout stands before W_1. There is no normalization of batches.
 *
 * @throws ConfigError for a bad configuration; ShapeError for an input or context of another shape
 * @see Durkan et al., "Neural Spline Flows" (2019), appendix B, arXiv:1906.04032; He et al. (2016), arXiv:1603.05027
 * @example
 * const network = new ResidualPerceptron({ inputShape: [3], units: 2, hiddenUnits: 32, context: 1, seed: 1 });
 * network.apply(tf.ones([4, 3]), tf.ones([4, 1])).shape; // [4, 2]
 */
export class ResidualPerceptron extends Conditioner {
  static className = 'FlowResidualPerceptron';
  private readonly hiddenUnits: number;
  private readonly blocks: number;
  private readonly settings: PerceptronSettings;
  private readonly stack: DenseStack;

  constructor(options: ResidualPerceptronOptions) {
    const where = 'ResidualPerceptron';
    if (new.target === ResidualPerceptron) {
      checkOptions(where, options, {
        inputShape: true,
        units: true,
        hiddenUnits: true,
        blocks: true,
        ...perceptronNames,
      });
    }
    const { inputShape, units, hiddenUnits = 64, blocks = 2 } = options;
    checkEventShape(where, inputShape);
    for (const [name, value] of Object.entries({ units, hiddenUnits, blocks }))
      checkInteger(where, name, value);
    const settings = perceptronSettings(where, options);
    super(options.name ?? 'network', inputShape, [units]);
    this.declareContext(settings.contextShape);
    this.hiddenUnits = hiddenUnits;
    this.blocks = blocks;
    this.settings = settings;
    const ends = {
      features: settings.featuresPerValue * sizeOf(inputShape),
      outputs: units,
      context: settings.context,
      contextAs: 'gates',
    } as const;
    this.stack = new DenseStack(
      this,
      {
        weight: (name, initial) => this.addWeight(name, initial),
        constant: (tensor) => this.addConstant(tensor),
      },
      {
        settings,
        forms: residualForms(ends, { units: hiddenUnits, blocks, preactivated: true }),
        random: new RandomStream(options.seed),
      },
    );
  }

  override get fusedPerceptron(): FusedPerceptron | undefined {
    const plain = this.settings.periodic === undefined && this.inputShape.length === 1;
    return plain && this.computesAs(ResidualPerceptron) ? this.stack.fused : undefined;
  }

  protected compute(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.stack.compute(x, context);
  }

  getConfig(): tf.serialization.ConfigDict {
    const { name, hiddenUnits, blocks } = this;
    return {
      name,
      inputShape: [...this.inputShape],
      units: this.outputShape[0],
      hiddenUnits,
      blocks,
      ...perceptronConfig(this.settings),
    };
  }
}

registerModule(ResidualPerceptron);
