import * as tf from '@tensorflow/tfjs-core';
import {
  type Batch,
  type Loss,
  Module,
  RandomStream,
  registerModule,
  ShapeError,
  type Trainable,
} from 'tfjs-flows';

/** One affine layer z = (x + bias) * exp(logScale) with data-dependent initialization. */
class ToyAffine extends Module {
  static readonly className = 'TestToyAffine';
  readonly bias: tf.Variable;
  readonly logScale: tf.Variable;
  readonly sign: tf.Variable;
  private isInitialized = false;

  constructor(
    name: string,
    readonly size: number,
  ) {
    super(name);
    this.bias = this.addWeight('bias', tf.zeros([size]));
    this.logScale = this.addWeight('logScale', tf.zeros([size]));
    this.sign = this.addWeight('sign', tf.ones([size]), false);
  }

  override get initialized(): boolean {
    return this.isInitialized;
  }

  override markInitialized(): void {
    this.isInitialized = true;
  }

  apply(x: tf.Tensor): tf.Tensor {
    return tf.mul(this.sign, tf.mul(tf.add(x, this.bias), tf.exp(this.logScale)));
  }

  getConfig(): tf.serialization.ConfigDict {
    return { name: this.name, size: this.size };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    _cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new ToyAffine(config.name as string, config.size as number) as unknown as T;
  }
}

/** Density of d-vectors: two affine layers with a mixing matrix between them, on a standard normal; noise is added as in dequantization. */
export class ToyFlow extends Module implements Trainable {
  static readonly className = 'TestToyFlow';
  readonly lossUnit = 'nats';
  requiredKernelsOfTest: string[] = [];
  private readonly first: ToyAffine;
  private readonly second: ToyAffine;
  private readonly mix: tf.Variable;

  constructor(readonly size = 2) {
    super('toy');
    this.mix = this.addWeight('mix', tf.eye(size));
    this.first = this.addChild(new ToyAffine('first', size));
    this.second = this.addChild(new ToyAffine('second', size));
  }

  override get requiredKernels(): string[] {
    return this.requiredKernelsOfTest;
  }

  checkBatch({ x }: Batch): void {
    if (x.rank !== 2 || x.shape[1] !== this.size) throw new ShapeError(`ToyFlow: got [${x.shape}]`);
  }

  initializeFrom({ x }: Batch): void {
    tf.tidy(() => {
      const { mean, variance } = tf.moments(x, 0);
      this.first.bias.assign(tf.neg(mean));
      this.first.logScale.assign(tf.mul(-0.5, tf.log(tf.add(variance, 1e-6))));
    });
    this.markInitialized();
  }

  loss({ x, context }: Batch, random: RandomStream): Loss {
    const noisy = tf.add(x, tf.mul(0.01, random.normal(x.shape)));
    const hidden = tf.matMul(this.first.apply(noisy), this.mix as tf.Tensor2D);
    let z = this.second.apply(hidden);
    if (context !== undefined) z = tf.sub(z, tf.reshape(context as tf.Tensor, [-1, 1]));
    // ||mix|| stands in for log|det mix|, so that no determinant is needed in a toy.
    const logScales = tf.add(tf.sum(this.first.logScale), tf.sum(this.second.logScale));
    const energy = tf.mean(tf.sum(tf.mul(0.5, tf.square(z)), 1));
    const penalty = tf.sum(tf.square(tf.sub(this.mix, tf.eye(this.size))));
    const loss = tf.add(tf.sub(energy, logScales), penalty) as tf.Scalar;
    return { loss, metrics: { energy: energy as tf.Scalar } };
  }

  locateNonFinite({ x }: Batch): string | undefined {
    return tf.tidy(() => {
      const hidden = this.first.apply(x);
      if (!hidden.dataSync().every(Number.isFinite)) return 'first';
      const z = this.second.apply(tf.matMul(hidden, this.mix as tf.Tensor2D));
      return z.dataSync().every(Number.isFinite) ? undefined : 'second';
    });
  }

  getConfig(): tf.serialization.ConfigDict {
    return { size: this.size };
  }

  static override fromConfig<T extends tf.serialization.Serializable>(
    _cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    return new ToyFlow(config.size as number) as unknown as T;
  }
}

/**
 * Learns the mean of numbers without any noise: the loss (w - x)^2 / 2 has the gradient w - mean(x), so every step can be computed by
 * hand. It keeps the batches that it saw, with the weight that it had then.
 */
export class ToyMean extends Module implements Trainable {
  static readonly className = 'TestToyMean';
  lossUnit = 'squares';
  readonly seen: { x: number[]; w: number; context?: number[] }[] = [];
  /** Called in every loss, with the number of losses before. */
  inLoss: (call: number) => void = () => {};
  private readonly center: tf.Variable;

  constructor(start = 0) {
    super('toyMean');
    this.center = this.addWeight('center', tf.scalar(start));
  }

  get w(): number {
    return this.center.dataSync()[0];
  }

  checkBatch({ x }: Batch): void {
    if (x.rank !== 2 || x.shape[1] !== 1) throw new ShapeError(`ToyMean: got [${x.shape}]`);
  }

  initializeFrom(): void {}

  loss({ x, context }: Batch): Loss {
    const entry = { x: [...x.dataSync()], w: this.w };
    this.seen.push(
      context === undefined ? entry : { ...entry, context: [...(context as tf.Tensor).dataSync()] },
    );
    this.inLoss(this.seen.length - 1);
    const loss = tf.mean(tf.mul(0.5, tf.square(tf.sub(this.center, x)))) as tf.Scalar;
    return { loss, metrics: { largest: tf.max(x) as tf.Scalar } };
  }

  locateNonFinite(): string | undefined {
    return undefined;
  }

  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}

/** 0, 1, ... as examples of one value each: data whose order shows. */
export function numbers(n: number, first = 0): number[][] {
  return Array.from({ length: n }, (_, i) => [first + i]);
}

registerModule(ToyAffine);
registerModule(ToyFlow);

/** n correlated 2-vectors with mean [3, -1]. */
export function toyData(n: number, seed = 11): number[][] {
  const random = new RandomStream(seed);
  return Array.from({ length: n }, () => {
    const a = random.normalNumber();
    return [3 + 2 * a, -1 + 0.5 * a + 0.3 * random.normalNumber()];
  });
}

/** All weights of a model by name, as plain numbers. */
export function weightsOf(model: Module): Record<string, number[]> {
  return Object.fromEntries(model.weights.map(({ name, variable }) => [name, [...variable.dataSync()]]));
}

/** A tf.io handler that keeps what was saved last, through JSON as a file would. */
export function memoryHandler(): tf.io.IOHandler & { artifacts?: tf.io.ModelArtifacts; saves: number } {
  const handler: tf.io.IOHandler & { artifacts?: tf.io.ModelArtifacts; saves: number } = {
    saves: 0,
    async save(artifacts) {
      const { weightData, ...rest } = artifacts;
      const copy = tf.io.CompositeArrayBuffer.join(weightData).slice(0);
      handler.artifacts = { ...JSON.parse(JSON.stringify(rest)), weightData: copy };
      handler.saves++;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
    async load() {
      return handler.artifacts as tf.io.ModelArtifacts;
    },
  };
  return handler;
}
