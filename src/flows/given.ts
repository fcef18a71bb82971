import type * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../core/errors';
import type { Table } from '../data';
import type { Transformed } from '../layers';
import type { Account } from './account';
import type { Context, ContextRows } from './context';
import type { EventArray, Events } from './events';
import type {
  ContextOptions,
  DecodeOptions,
  InterpolateOptions,
  PassOptions,
  SampleOptions,
  TransformOptions,
} from './options';
import type { ConditionalDensity } from './someColumns/conditionalDensity';
import type { ColumnDensityOptions, MarginalDensity } from './someColumns/marginalDensity';

/** Events drawn, and the log-density of each in nats. */
export interface SampledWithLogProb {
  /** [n, ...eventShape] */
  value: tf.Tensor;
  /** [n], nats */
  logProb: tf.Tensor1D;
}

/** What one asks a flow. */
export interface FlowVerbs {
  logProb(x: Events, options?: PassOptions): tf.Tensor1D;
  transform(x: Events, options?: TransformOptions): Transformed;
  encode(x: Events, options?: ContextOptions): tf.Tensor;
  decode(z: EventArray, options?: DecodeOptions): tf.Tensor;
  sample(n: number, options?: SampleOptions): tf.Tensor;
  sampleWithLogProb(n: number, options?: SampleOptions): SampledWithLogProb;
  interpolate(from: Events, to: Events, options?: InterpolateOptions): tf.Tensor;
  account(x: Events, options?: PassOptions): Promise<Account>;
}

/** What one asks a flow of images. */
export interface ImageFlowVerbs extends FlowVerbs {
  bitsPerDim(images: Events, options?: PassOptions): tf.Tensor1D;
}

/** What one asks a flow of vectors. */
export interface VectorFlowVerbs extends FlowVerbs {
  sampleTable(n: number, options?: SampleOptions): Promise<Table>;
  marginal(columns: readonly string[], options?: ColumnDensityOptions): MarginalDensity;
  conditional(
    given: Readonly<Record<string, number | string>>,
    options?: ColumnDensityOptions,
  ): Promise<ConditionalDensity>;
}

/**
 * A flow and what it is conditioned on, p(x | context): the verbs of the flow without the option `context`. `flow.given` makes it.
 *
 * It holds no tensor of its own, so there is nothing to dispose; a context given as tensor has to live as long. Gradients by that
 * tensor go through every verb, and weights that change meanwhile, by training for one, are used as they are.
 *
 * @example
 * const ring = realNvp({ dimensions: 2, layers: 2, hiddenUnits: [8], context: 1, seed: 1 });
 * const wide = ring.given([2]); // one row for whatever is asked
 * const points = wide.sample(5, { seed: 1 }); // [5, 2]
 * wide.logProb(points).shape; // [5]
 */
export class ConditionedFlow implements FlowVerbs {
  /**
   * @param context what `given` read
   * @internal
   */
  constructor(
    protected readonly flow: FlowVerbs,
    private readonly context: ContextRows,
  ) {}

  /** As the flow's `logProb`: [n] in nats. */
  logProb(x: Events, options: Omit<PassOptions, 'context'> = {}): tf.Tensor1D {
    return this.flow.logProb(x, this.bound('logProb', options));
  }

  /** As the flow's `transform`: latents and log-determinant. */
  transform(x: Events, options: Omit<TransformOptions, 'context'> = {}): Transformed {
    return this.flow.transform(x, this.bound('transform', options));
  }

  /** As the flow's `encode`. */
  encode(x: Events, options: Omit<ContextOptions, 'context'> = {}): tf.Tensor {
    return this.flow.encode(x, this.bound('encode', options));
  }

  /** As the flow's `decode`. */
  decode(z: EventArray, options: Omit<DecodeOptions, 'context'> = {}): tf.Tensor {
    return this.flow.decode(z, this.bound('decode', options));
  }

  /** As the flow's `sample`. */
  sample(n: number, options: Omit<SampleOptions, 'context'> = {}): tf.Tensor {
    return this.flow.sample(n, this.bound('sample', options));
  }

  /** As the flow's `sampleWithLogProb`. */
  sampleWithLogProb(n: number, options: Omit<SampleOptions, 'context'> = {}): SampledWithLogProb {
    return this.flow.sampleWithLogProb(n, this.bound('sampleWithLogProb', options));
  }

  /** As the flow's `interpolate`. */
  interpolate(from: Events, to: Events, options: Omit<InterpolateOptions, 'context'> = {}): tf.Tensor {
    return this.flow.interpolate(from, to, this.bound('interpolate', options));
  }

  /** As the flow's `account`. */
  async account(x: Events, options: Omit<PassOptions, 'context'> = {}): Promise<Account> {
    return this.flow.account(x, this.bound('account', options));
  }

  protected bound<Options extends object>(method: string, options: Options): Options & { context: Context } {
    if (typeof options === 'object' && options !== null && 'context' in options) {
      const hint = 'Ask the flow itself, or bind the other one: flow.given(context).';
      throw new ConfigError(
        complaint(`ConditionedFlow.${method}`, 'no context beside the bound one', 'one', hint),
      );
    }
    return { ...options, context: this.context as unknown as Context };
  }
}

/**
 * A flow of images and what it is conditioned on: a {@link ConditionedFlow} with `bitsPerDim`.
 *
 * @example
 * const ofClasses = new Glow({ imageShape: [8, 8, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, classes: 3 });
 * const ofOne: ConditionedImageFlow = ofClasses.given(1);
 * ofOne.bitsPerDim(images).shape; // [48]
 */
export class ConditionedImageFlow extends ConditionedFlow implements ImageFlowVerbs {
  /** @internal */
  constructor(
    protected override readonly flow: ImageFlowVerbs,
    context: ContextRows,
  ) {
    super(flow, context);
  }

  /** As the flow's `bitsPerDim`: [n], bits. */
  bitsPerDim(images: Events, options: Omit<PassOptions, 'context'> = {}): tf.Tensor1D {
    return this.flow.bitsPerDim(images, this.bound('bitsPerDim', options));
  }
}

/**
 * A flow of vectors and what it is conditioned on: a {@link ConditionedFlow} with tables and densities of some columns.
 *
 * @example
 * const coupling = new TransformerCoupling({
 *   inputShape: [2],
 *   passthrough: 1,
 *   transformer: new AffineTransformer(),
 *   network: (inputShape, [units]) => new MultilayerPerceptron({ inputShape, units, context: 1, seed: 1 }),
 * });
 * const high: ConditionedVectorFlow = new VectorFlow({ bijector: coupling }).given(3);
 * high.marginal(['0']).sample(5).shape; // [5, 1]
 */
export class ConditionedVectorFlow extends ConditionedFlow implements VectorFlowVerbs {
  /** @internal */
  constructor(
    protected override readonly flow: VectorFlowVerbs,
    context: ContextRows,
  ) {
    super(flow, context);
  }

  /** As the flow's `sampleTable`. */
  sampleTable(n: number, options: Omit<SampleOptions, 'context'> = {}): Promise<Table> {
    return this.flow.sampleTable(n, this.bound('sampleTable', options));
  }

  /** As the flow's `marginal`. */
  marginal(columns: readonly string[], options: Omit<ColumnDensityOptions, 'context'> = {}): MarginalDensity {
    return this.flow.marginal(columns, this.bound('marginal', options));
  }

  /** As the flow's `conditional`. */
  conditional(
    given: Readonly<Record<string, number | string>>,
    options: Omit<ColumnDensityOptions, 'context'> = {},
  ): Promise<ConditionalDensity> {
    return this.flow.conditional(given, this.bound('conditional', options));
  }
}
