import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, partOf } from '../core/context';
import { ConfigError, complaint, ShapeError } from '../core/errors';
import { deserializeModule, registerModule, type SerializedModule, serializeModule } from '../core/module';
import { checkOptions } from '../core/options';
import { type Shape, sameShape, sizeOf } from '../core/shapes';
import { disposeBetween, joinChannels, splitChannels, zeroLogDet } from '../core/tensors';
import { Bijector, type LatentSlice, type Reversed, type TraceEntry, type Transformed } from './bijector';
import { addLogDets } from './logDets';
import type { ReversePass } from './reversePass';

/** Options of {@link MultiScale}. */
export interface MultiScaleOptions {
  /**
   * One bijector per level, coarser and coarser. After every level but the last the second half of the channels
   * leaves as that level's latents (so such a level usually ends in a Split); the first half goes on.
   */
  levels: Bijector[];
  /** Name in the weight tree. Default 'multiscale'. */
  name?: string;
}

/**
 * Levels in a row, half the channels leaving after each: a whole multi-scale flow as one bijector to a flat vector.
 *
 *     [h_1 | z_0] = level_0(x),  [h_2 | z_1] = level_1(h_1), ...,  z = [flat(z_0), flat(z_1), ..., flat(top)]
 *
 * Shapes: [n, h, w, c] -> [n, h * w * c]; `latentLayout` says which slice is which level. logDet in nats.
 *
 * @throws ConfigError for no levels or two of one name; ShapeError where a level does not take half of what the one before returns
 * @see Dinh et al., "Real NVP" (2016), section 3.6, arXiv:1605.08803
 * @example
 * const level = (inputShape: Shape, last: boolean, name: string) => Chain.from(inputShape, [
 *   (shape) => new Squeeze({ inputShape: shape }),
 *   (shape) => new InvConv1x1({ inputShape: shape, seed: 1 }),
 *   (shape) => last ? new LearnedPrior({ inputShape: shape }) : new Split({ inputShape: shape }),
 * ], name);
 * const flow = new MultiScale({ levels: [level([8, 8, 1], false, 'level0'), level([4, 4, 2], true, 'level1')] });
 * flow.latentLayout.map((slice) => slice.size); // [32, 32]
 */
export class MultiScale extends Bijector {
  static className = 'FlowMultiScale';
  readonly levels: readonly Bijector[];

  constructor(options: MultiScaleOptions) {
    if (new.target === MultiScale) checkOptions('MultiScale', options, { levels: true, name: true });
    const { levels, name = 'multiscale' } = options;
    if (levels.length === 0) throw new ConfigError(complaint('MultiScale', 'at least one level', 'none'));
    levels.slice(1).forEach((level, i) => {
      const stays = halfShape(levels[i].outputShape);
      if (!sameShape(stays, level.inputShape)) {
        const expected = `level ${i + 1} to take [${stays.join(', ')}], half of what level ${i} returns`;
        throw new ShapeError(complaint('MultiScale', expected, level.inputShape));
      }
    });
    super(name, levels[0].inputShape, [sizeOf(levels[0].inputShape)]);
    this.levels = levels.map((level) => this.addChild(level));
  }

  override get latentLayout(): LatentSlice[] {
    let offset = 0;
    return this.levels.map((bijector, level) => {
      const last = level === this.levels.length - 1;
      const shape = last ? bijector.outputShape : halfShape(bijector.outputShape);
      const slice = { level, offset, size: sizeOf(shape), shape };
      offset += slice.size;
      return slice;
    });
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    return this.run(x, (level, input) => level.forward(input, partOf(context, level.contextShape)));
  }

  protected override computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    const logDet = zeroLogDet(x.shape[0]);
    return this.run(x, (level, input) => ({
      value: level.initialize(input, partOf(context, level.contextShape)),
      logDet,
    })).value;
  }

  override trace(
    x: tf.Tensor,
    visit: (entry: TraceEntry) => void,
    context?: ContextTensors,
    name = this.name,
    joined = false,
  ): Transformed {
    if (!this.passesAsIn('trace')) return super.trace(x, visit, context, name);
    return this.run(x, (level, input) =>
      level.trace(input, visit, partOf(context, level.contextShape), `${name}/${level.name}`, joined),
    );
  }

  protected computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed {
    const latents = this.splitLevels(y);
    const logDets: tf.Tensor1D[] = [];
    let value: tf.Tensor | undefined;
    for (let i = this.levels.length - 1; i >= 0; i--) {
      const latent = latents[i];
      const output: tf.Tensor = value === undefined ? latent : joinChannels([value, latent]);
      const result = this.levels[i].inverse(output, partOf(context, this.levels[i].contextShape));
      disposeBetween(output, result.value);
      value = result.value;
      logDets.push(result.logDet);
    }
    return { value: value as tf.Tensor, logDet: addLogDets(logDets) };
  }

  protected override computeReverse(output: Reversed, pass: ReversePass, name: string): Reversed {
    const values = this.splitLevels(output.value);
    const gradients = this.splitLevels(output.gradient);
    let before: Reversed | undefined;
    for (let i = this.levels.length - 1; i >= 0; i--) {
      const after: Reversed =
        before === undefined
          ? { value: values[i], gradient: gradients[i] }
          : {
              value: joinChannels([before.value, values[i]]),
              gradient: joinChannels([before.gradient, gradients[i]]),
            };
      tf.dispose({ ...before });
      before = this.levels[i].reverse(after, pass, `${name}/${this.levels[i].name}`);
      disposeBetween(after.value, before.value);
      disposeBetween(after.gradient, before.gradient);
    }
    return before as Reversed;
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, levels: this.levels.map(serializeModule) as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const levels = (config.levels as unknown as SerializedModule[]).map((entry) =>
      deserializeModule<Bijector>(entry),
    );
    return new cls({ ...config, levels });
  }

  /** A flat latent vector, or a gradient by it, as every level's part in its own shape. */
  private splitLevels(flat: tf.Tensor): tf.Tensor[] {
    const layout = this.latentLayout;
    const sizes = layout.map((slice) => slice.size);
    return tf.split(flat, sizes, 1).map((part, i) => tf.reshape(part, [flat.shape[0], ...layout[i].shape]));
  }

  private run(x: tf.Tensor, pass: (level: Bijector, input: tf.Tensor) => Transformed): Transformed {
    const latents: tf.Tensor[] = [];
    const logDets: tf.Tensor1D[] = [];
    let value = x;
    this.levels.forEach((level, i) => {
      const result = pass(level, value);
      disposeBetween(value, x, result.value);
      logDets.push(result.logDet);
      if (i < this.levels.length - 1) {
        const [stays, leaves] = splitChannels(
          result.value,
          level.outputShape[level.outputShape.length - 1] / 2,
        );
        disposeBetween(result.value, x);
        latents.push(leaves);
        value = stays;
      } else {
        latents.push(result.value);
      }
    });
    const flat = latents.map((latent) => tf.reshape(latent, [x.shape[0], sizeOf(latent.shape.slice(1))]));
    return { value: tf.concat(flat, 1), logDet: addLogDets(logDets) };
  }
}

function halfShape(shape: Shape): Shape {
  return [...shape.slice(0, -1), shape[shape.length - 1] / 2];
}

registerModule(MultiScale);
