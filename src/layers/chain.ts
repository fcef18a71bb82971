import type * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, partOf } from '../core/context';
import { ConfigError, complaint, ShapeError } from '../core/errors';
import {
  building,
  deserializeModule,
  registerModule,
  type SerializedModule,
  serializeModule,
} from '../core/module';
import { checkOptions } from '../core/options';
import { isOwn } from '../core/overriding';
import { type Shape, sameShape } from '../core/shapes';
import { disposeBetween } from '../core/tensors';
import { hasPassesOf } from './absorbPermutation';
import {
  Bijector,
  type BothWays,
  type LatentSlice,
  type Reversed,
  type TraceEntry,
  type Transformed,
} from './bijector';
import { addLogDets } from './logDets';
import type { ReversePass } from './reversePass';

/** Options of {@link Chain}. */
export interface ChainOptions {
  /** In the order in which data meets them; at least one. */
  bijectors: Bijector[];
  /** Name in the weight tree. Default 'chain'. */
  name?: string;
}

/** One of a chain's members, or two neighbours that are one map. */
interface Member {
  /** Place in the tree, of two that of the first. */
  name: string;
  /** Of two the second. */
  bijector: Bijector;
  map: BothWays;
}

/** A member, or two, with a way back. */
interface MemberBack extends Member {
  map: Required<Pick<BothWays, 'reverse'>> & BothWays;
}

/** Builds a bijector for the shape that reaches it. */
export type BijectorBuilder = (inputShape: Shape) => Bijector;

/**
 * Bijectors one after the other.
 *
 *     z = f_k(... f_2(f_1(x))),    logDet = sum of the members' logDets
 *
 * Shapes: the first member's input, the last member's output; every joint is checked here. logDet in nats.
 * The chain owns its members: disposing it disposes them.
 *
 * @throws ConfigError for an empty chain or two members of one name; ShapeError for a joint that does not fit
 * @see Rezende and Mohamed (2015), section 3.1, arXiv:1505.05770
 * @example
 * const step = Chain.from([16, 16, 3], [
 *   (inputShape) => new Squeeze({ inputShape }),
 *   (inputShape) => new ActNorm({ inputShape }),
 *   (inputShape) => new InvConv1x1({ inputShape, seed: 1 }),
 * ]);
 * step.outputShape; // [8, 8, 12]
 */
export class Chain extends Bijector {
  static className = 'FlowChain';
  readonly bijectors: readonly Bijector[];

  constructor(options: ChainOptions) {
    if (new.target === Chain) checkOptions('Chain', options, { bijectors: true, name: true });
    const { bijectors, name = 'chain' } = options;
    if (bijectors.length === 0) throw new ConfigError(complaint('Chain', 'at least one bijector', 'none'));
    bijectors.slice(1).forEach((bijector, i) => {
      const before = bijectors[i];
      if (!sameShape(before.outputShape, bijector.inputShape)) {
        const expected = `'${bijector.name}' to take what '${before.name}' returns, [${before.outputShape.join(', ')}]`;
        throw new ShapeError(complaint('Chain', expected, bijector.inputShape));
      }
    });
    // Each member has looked at its own sizes.
    super(name, bijectors[0].inputShape, bijectors[bijectors.length - 1].outputShape, 'different');
    this.bijectors = bijectors.map((bijector) => this.addChild(bijector));
  }

  /** Builds a chain by handing every builder the shape that reaches it. Where one throws, what the others built is freed. */
  static from(inputShape: Shape, builders: readonly BijectorBuilder[], name?: string): Chain {
    return building(() => {
      const bijectors: Bijector[] = [];
      let shape = inputShape;
      for (const build of builders) {
        const bijector = build(shape);
        bijectors.push(bijector);
        shape = bijector.outputShape;
      }
      return new Chain({ bijectors, name });
    });
  }

  protected computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
    return this.run(x, this.maps(), ({ map }, input) =>
      map.forward(input, partOf(context, map.contextShape)),
    );
  }

  protected computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed {
    return this.run(y, this.maps().reverse(), ({ map }, output) =>
      map.inverse(output, partOf(context, map.contextShape)),
    );
  }

  protected override computeInitialize(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.bijectors.reduce((value, bijector) => {
      const next = bijector.initialize(value, partOf(context, bijector.contextShape));
      disposeBetween(value, x, next);
      return next;
    }, x);
  }

  override trace(
    x: tf.Tensor,
    visit: (entry: TraceEntry) => void,
    context?: ContextTensors,
    name = this.name,
    joined = false,
  ): Transformed {
    if (!this.passesAsIn('trace')) return super.trace(x, visit, context, name);
    const maps = joined ? this.mapsBack(name) : this.members(name);
    return this.run(x, maps, ({ map, bijector, name: place }, input) => {
      const given = partOf(context, map.contextShape);
      if (map === bijector) return bijector.trace(input, visit, given, place, joined);
      const output = map.forward(input, given);
      visit({ name: place, bijector, input, output, context: given });
      return output;
    });
  }

  protected override computeReverse(output: Reversed, pass: ReversePass, name: string): Reversed {
    return this.mapsBack(name).reduceRight<Reversed>((after, { map, name: place }) => {
      const before = map.reverse(after, pass, place);
      disposeBetween(after.value, output.value, before.value);
      disposeBetween(after.gradient, output.gradient, before.gradient);
      return before;
    }, output);
  }

  override get latentLayout(): LatentSlice[] {
    return this.bijectors[this.bijectors.length - 1].latentLayout;
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, bijectors: this.bijectors.map(serializeModule) as never };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const bijectors = (config.bijectors as unknown as SerializedModule[]).map((entry) =>
      deserializeModule<Bijector>(entry),
    );
    return new cls({ ...config, bijectors });
  }

  /** The members as a pass runs them: those of chains among them one after the other, and one map for two where one absorbs the other. */
  private maps(name = this.name, joins = (_: BothWays) => true): Member[] {
    const maps: Member[] = [];
    for (const member of this.flat(name)) {
      const last = maps[maps.length - 1];
      // Two that are one already cannot be absorbed: the first of them would be lost.
      const both = last?.map instanceof Bijector ? member.bijector.absorb(last.map) : undefined;
      if (both === undefined || !joins(both)) maps.push(member);
      else maps[maps.length - 1] = { ...member, name: last.name, map: both };
    }
    return maps;
  }

  /** As `maps`, two being one where they go back as one, too. */
  private mapsBack(name: string): MemberBack[] {
    return this.maps(name, ({ reverse }) => reverse !== undefined) as MemberBack[];
  }

  /** The members, and in place of chains theirs: one sum of log-determinants for all. */
  private flat(name: string): Member[] {
    return this.members(name).flatMap((member) => {
      const { bijector } = member;
      return bijector instanceof Chain && bijector.isPlain() ? bijector.flat(member.name) : [member];
    });
  }

  private members(name: string): Member[] {
    return this.bijectors.map((bijector) => ({ name: `${name}/${bijector.name}`, bijector, map: bijector }));
  }

  /** Whether it does what its members do, one after the other. */
  private isPlain(): boolean {
    return (
      !this.disposed &&
      hasPassesOf(this, Chain, 'trace', 'computeReverse') &&
      isOwn(this, Bijector, 'reverse')
    );
  }

  private run<T>(
    input: tf.Tensor,
    order: readonly T[],
    pass: (map: T, value: tf.Tensor) => Transformed,
  ): Transformed {
    let value = input;
    const logDets: tf.Tensor1D[] = [];
    for (const map of order) {
      const result = pass(map, value);
      disposeBetween(value, input, result.value);
      value = result.value;
      logDets.push(result.logDet);
    }
    return { value, logDet: addLogDets(logDets) };
  }
}

registerModule(Chain);
