import * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import { checkInteger } from '../../core/shapes';
import { type Adjacency, checkAdjacency, layerMasks } from './masks';
import {
  type DenseLayer,
  MultilayerPerceptron,
  type MultilayerPerceptronOptions,
} from './multilayerPerceptron';

/** Options of {@link MaskedPerceptron}. */
export interface MaskedPerceptronOptions extends Omit<MultilayerPerceptronOptions, 'units'> {
  /** Which inputs the outputs of each value may read: d rows of d booleans, or of 0 and 1. */
  adjacency: Adjacency;
  /** Outputs for each value. Default 1. */
  outputsPerValue?: number;
}

/**
 * A fully connected network whose outputs for each value read some inputs only; all of them read the context.
 *
 *     h_i = activation((M_i * W_i)^T h_{i-1} + b_i),   masks M such that the outputs of value i depend on x_j only where A_ij
 *
 * Shapes: [n, d] -> [n, d * outputsPerValue], the outputs of a value side by side. The last layer is zero at the start; the others start
 * uniform within +-sqrt(6 / number of unmasked inputs). There is no normalization across hidden units, which would let every output read
 * everything.
 *
 * @throws ConfigError for an adjacency that is not d rows of d, or a bad configuration
 * @see Germain et al., "MADE" (2015), section 4, arXiv:1502.03509
 * @example
 * const adjacency = [[false, false], [true, false]]; // the second value reads the first
 * const network = new MaskedPerceptron({ inputShape: [2], adjacency, outputsPerValue: 2, seed: 1 });
 * network.apply(tf.ones([4, 2])).shape; // [4, 4]
 */
export class MaskedPerceptron extends MultilayerPerceptron {
  static override className = 'FlowMaskedPerceptron';
  private readonly adjacency: Adjacency;
  private readonly outputsPerValue: number;
  private readonly masks: tf.Tensor2D[];

  constructor(options: MaskedPerceptronOptions) {
    if (new.target === MaskedPerceptron)
      checkOptions('MaskedPerceptron', options, {
        inputShape: true,
        adjacency: true,
        outputsPerValue: true,
        hiddenUnits: true,
        activation: true,
        context: true,
        seed: true,
        name: true,
      });
    const { adjacency: given, outputsPerValue = 1, ...rest } = options;
    checkInteger('MaskedPerceptron', 'outputsPerValue', outputsPerValue);
    const adjacency = checkAdjacency('MaskedPerceptron', given, options.inputShape[0]);
    super({ ...rest, units: options.inputShape[0] * outputsPerValue });
    this.adjacency = adjacency;
    this.outputsPerValue = outputsPerValue;
    const layers = super.denseLayers();
    const values = layers[0].kernel.shape[0] - adjacency.length;
    const readable = adjacency.map((row) => [...row, ...new Array<boolean>(values).fill(true)]);
    const widths = layers.slice(0, -1).map(({ kernel }) => kernel.shape[1]);
    this.masks = layerMasks(readable, widths, outputsPerValue).map((mask, i) =>
      this.addConstant(tf.tensor2d(mask, layers[i].kernel.shape)),
    );
    for (const [i, { kernel }] of layers.entries()) {
      const inputs = kernel.shape[0];
      const scale = tf.tidy(() => tf.sqrt(tf.div(inputs, tf.maximum(tf.sum(this.masks[i], 0), 1))));
      const scaled = tf.mul(kernel, scale);
      (kernel as unknown as tf.Variable).assign(scaled);
      tf.dispose([scale, scaled]);
    }
  }

  /** Whether its outputs for each value read what this adjacency allows. */
  masksAs(adjacency: Adjacency): boolean {
    return JSON.stringify(this.adjacency) === JSON.stringify(adjacency);
  }

  protected override denseLayers(): DenseLayer[] {
    return super.denseLayers().map(({ kernel, bias }, i) => ({
      kernel: tf.mul(kernel, this.masks[i]) as tf.Tensor2D,
      bias,
    }));
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { units: _, ...config } = super.getConfig();
    const { outputsPerValue } = this;
    return { ...config, outputsPerValue, adjacency: this.adjacency.map((row) => row.map(Number)) };
  }
}

registerModule(MaskedPerceptron);
