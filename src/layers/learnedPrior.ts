import * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../core/context';
import { registerModule } from '../core/module';
import { checkOptions } from '../core/options';
import { checkChoice, checkEventShape, sizeOf } from '../core/shapes';
import { splitChannels } from '../core/tensors';
import { Bijector, type BijectorOptions, type Conditioning, type Transformed } from './bijector';
import { standardize } from './fusedStandardize';
import { type ClassOption, labelsOf, labelTensor } from './labels';
import type { Measure } from './measures';
import { edgeMap } from './networks/convolution';

/** What a learned prior may differ by: nothing, the channel, channel and nearness to the border, or channel and position. */
export type PriorKind = 'constant' | 'perChannel' | 'border' | 'spatial';

/** Options of {@link LearnedPrior}. */
export interface LearnedPriorOptions extends BijectorOptions {
  /** 'constant': N(0, 1), nothing learned but the classes' part; 'perChannel'; 'border'; 'spatial'. Default 'perChannel'. */
  kind?: PriorKind;
  /** Number of classes whose labels shift mean and log scale; with a name, `{ labels: 3 }`, of that part of the context. Default 0. */
  classes?: ClassOption;
}

/**
 * The prior of the top level, as the affine map that makes it standard normal.
 *
 *     [mean | logScale] = bias + labels W,   y = (x - mean) * exp(-logScale),   logDet = -sum(logScale)
 *
 * Shapes: [n, h, w, c] or [n, d]; labels [n, classes] come as the context, or as its part of the name given. All weights start at 0. logDet in nats.
 * The bias is absent ('constant'), one pair per channel, that plus a 3x3 convolution of the frame around the image
 * ('border': what the published convolutions of zeros can express), or one per channel and position ('spatial').
 * What a class adds has one pair per channel, with 'spatial' one per channel and position.
 *
 * @throws ConfigError for a bad configuration; ShapeError for an input or labels of another shape
 * @see Kingma and Dhariwal, "Glow" (2018), the published `learntop` and `ycond`, arXiv:1807.03039
 * @example
 * const prior = new LearnedPrior({ inputShape: [2, 2, 8], classes: 10 });
 * const labels = tf.cast(tf.oneHot(tf.tensor1d([3], 'int32'), 10), 'float32');
 * prior.forward(tf.ones([1, 2, 2, 8]), labels);
 */
export class LearnedPrior extends Bijector {
  static className = 'FlowLearnedPrior';
  private readonly kind: PriorKind;
  private readonly classes: ClassOption;
  private readonly bias?: tf.Variable;
  private readonly edge?: { kernel: tf.Variable<tf.Rank.R4>; map: tf.Tensor4D };
  private readonly classWeights?: tf.Tensor2D;

  constructor(options: LearnedPriorOptions) {
    if (new.target === LearnedPrior)
      checkOptions('LearnedPrior', options, { inputShape: true, name: true, kind: true, classes: true });
    const { inputShape, kind = 'perChannel', classes = 0 } = options;
    checkEventShape('LearnedPrior', inputShape, kind === 'border' ? [3] : [1, 3]);
    checkChoice('LearnedPrior', 'kind', kind, ['constant', 'perChannel', 'border', 'spatial']);
    const labels = labelsOf('LearnedPrior', classes);
    super(options.name ?? 'prior', inputShape);
    this.declareLabels(labels.contextShape);
    this.kind = kind;
    this.classes = classes;
    const parameters = 2 * inputShape[inputShape.length - 1];
    const shape = kind === 'spatial' ? [...inputShape.slice(0, -1), parameters] : [parameters];
    if (kind !== 'constant') this.bias = this.addWeight('bias', tf.zeros(shape));
    if (kind === 'border') {
      const kernel = this.addWeight('edgeKernel', tf.zeros([3, 3, 1, parameters]));
      const [height, width] = inputShape;
      this.edge = {
        kernel: kernel as tf.Variable<tf.Rank.R4>,
        map: this.addConstant(edgeMap(height, width, 3)),
      };
    }
    if (labels.classes > 0) {
      const perClass = kind === 'spatial' ? sizeOf(shape) : parameters;
      this.classWeights = this.addWeight(
        'classWeights',
        tf.zeros([labels.classes, perClass]),
      ) as unknown as tf.Tensor2D;
    }
  }

  override get requiredKernels(): string[] {
    return this.edge === undefined ? [] : ['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'];
  }

  protected computeForward(x: tf.Tensor, labels?: ContextTensors): Transformed {
    return standardize(x, this.parameters(x.shape[0], labels), { kept: 0, inverse: false });
  }

  protected computeInverse(y: tf.Tensor, labels?: ContextTensors): Transformed {
    return standardize(y, this.parameters(y.shape[0], labels), { kept: 0, inverse: true });
  }

  protected override computeConditioning(x: tf.Tensor, labels?: ContextTensors): Conditioning<Measure> {
    const [, logScale] = splitChannels(this.parameters(x.shape[0], labels), this.channels);
    return { smallestScale: tf.exp(tf.neg(tf.max(logScale))) };
  }

  getConfig(): tf.serialization.ConfigDict {
    return {
      name: this.name,
      inputShape: [...this.inputShape],
      kind: this.kind,
      classes: this.classes as never,
    };
  }

  private get channels(): number {
    return this.inputShape[this.inputShape.length - 1];
  }

  /** [mean | logScale], broadcastable to [batch, ...positions, 2 channels]. */
  private parameters(batch: number, labels?: ContextTensors): tf.Tensor {
    const { channels } = this;
    const ones = this.inputShape.slice(0, -1).map(() => 1);
    let both: tf.Tensor = tf.zeros([batch, ...ones, 2 * channels]);
    if (this.bias !== undefined) both = tf.add(both, this.bias);
    if (this.edge !== undefined) {
      both = tf.add(both, tf.conv2d(this.edge.map, this.edge.kernel, 1, 'valid'));
    }
    if (this.classWeights !== undefined) {
      const byClass = tf.matMul(labelTensor(labels), this.classWeights);
      const positions = this.kind === 'spatial' ? this.inputShape.slice(0, -1) : ones;
      both = tf.add(both, tf.reshape(byClass, [batch, ...positions, 2 * channels]));
    }
    return both;
  }
}

registerModule(LearnedPrior);
