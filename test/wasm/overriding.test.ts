import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { RandomStream, ReversePass, type Shape } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ActNorm,
  AffineCoupling,
  type Bijector,
  Chain,
  ConvolutionNetwork,
  InvConv1x1,
  MultilayerPerceptron,
  RationalQuadraticSpline,
  type Reversed,
  TransformerCoupling,
} from '../../src/layers';
import { Convolution } from '../../src/layers/networks';
import { distance } from './helpers';

/* A hook that a subclass, or somebody with one object, replaced is used on every backend. Each of these triples what its parent gives. */

const tripled = (x: tf.Tensor) => tf.mul(x, 3) as tf.Tensor;

class OwnTransform extends AffineCoupling {
  protected override transform(part: tf.Tensor, parameters: tf.Tensor, inverse: boolean) {
    const { value, logDet } = super.transform(part, parameters, inverse);
    return { value: tripled(value), logDet };
  }
}
class OwnCouple extends AffineCoupling {
  protected override couple(x: tf.Tensor, parameters: tf.Tensor, inverse: boolean) {
    const { value, logDet } = super.couple(x, parameters, inverse);
    return { value: tripled(value), logDet };
  }
}
class OwnNetwork extends ConvolutionNetwork {
  protected override compute(x: tf.Tensor) {
    return tripled(super.compute(x));
  }
}
class OwnApply extends ConvolutionNetwork {
  override apply(x: tf.Tensor) {
    return tripled(super.apply(x));
  }
}
class OwnConvolution extends Convolution {
  protected override compute(x: tf.Tensor) {
    return tripled(super.compute(x));
  }
}
class OwnPerceptron extends MultilayerPerceptron {
  protected override compute(x: tf.Tensor) {
    return tripled(super.compute(x));
  }
}
class OwnNorm extends ActNorm {
  protected override computeForward(x: tf.Tensor) {
    const { value, logDet } = super.computeForward(x);
    return { value: tripled(value), logDet };
  }
}
class OwnScale extends ActNorm {
  override get fusedScale() {
    const { offset, logScale } = super.fusedScale;
    return { offset, logScale: tf.mul(logScale, 2) as tf.Tensor1D };
  }
}
class OwnForward extends ActNorm {
  override forward(x: tf.Tensor) {
    const { value, logDet } = super.forward(x);
    return { value: tripled(value), logDet };
  }
}
class OwnRotation extends InvConv1x1 {
  protected override computeForward(x: tf.Tensor) {
    const { value, logDet } = super.computeForward(x);
    return { value: tripled(value), logDet };
  }
}

class OwnSpline extends RationalQuadraticSpline {
  override forward(x: tf.Tensor, parameters: tf.Tensor) {
    const { value, logDerivative } = super.forward(x, parameters);
    return { value: tripled(value), logDerivative };
  }
}
class OwnTransformerCoupling extends TransformerCoupling {
  protected override transform(part: tf.Tensor, parameters: tf.Tensor, inverse: boolean) {
    const { value, logDet } = super.transform(part, parameters, inverse);
    return { value: tripled(value), logDet };
  }
}

class OwnReverse extends ActNorm {
  protected override computeReverse({ value, gradient }: Reversed, pass: ReversePass, name: string) {
    return super.computeReverse({ value, gradient: tripled(gradient) }, pass, name);
  }
}
class OwnPassBack extends AffineCoupling {
  protected override passBack({ value, gradient }: Reversed, pass: ReversePass, anchor?: tf.Tensor) {
    return super.passBack({ value, gradient: tripled(gradient) }, pass, anchor);
  }
}

const inputShape = [4, 4, 6];
const network =
  (Network: typeof ConvolutionNetwork) =>
  (shape: Shape, [, , filters]: Shape) =>
    new Network({ inputShape: shape, filters, hiddenChannels: 5, seed: 1 });
const coupling = (Coupling: typeof AffineCoupling, Network = ConvolutionNetwork) =>
  new Coupling({ inputShape, network: network(Network) });
const step = (Norm: typeof ActNorm, Rotation: typeof InvConv1x1, parameterization: 'full' | 'lu' = 'lu') =>
  new Chain({
    bijectors: [new Norm({ inputShape }), new Rotation({ inputShape, parameterization, seed: 1 })],
  });
const splines = (Coupling = TransformerCoupling, Spline = RationalQuadraticSpline) =>
  new Coupling({
    inputShape: [6],
    transformer: new Spline({ bins: 4 }),
    network: ([d], [units]) => new MultilayerPerceptron({ inputShape: [d], units, seed: 1 }),
  });
const onObject = () => {
  const changed = coupling(AffineCoupling) as unknown as { transform: OwnTransform['transform'] };
  const { transform } = changed;
  changed.transform = (...given) => {
    const { value, logDet } = transform.apply(changed, given);
    return { value: tripled(value), logDet };
  };
  return changed as unknown as AffineCoupling;
};

const cases: [string, () => Bijector, () => Bijector][] = [
  ['AffineCoupling.transform', () => coupling(OwnTransform), () => coupling(AffineCoupling)],
  ['AffineCoupling.transform of one object', onObject, () => coupling(AffineCoupling)],
  ['AffineCoupling.couple', () => coupling(OwnCouple), () => coupling(AffineCoupling)],
  ["a network's compute", () => coupling(AffineCoupling, OwnNetwork), () => coupling(AffineCoupling)],
  ["a network's apply", () => coupling(AffineCoupling, OwnApply), () => coupling(AffineCoupling)],
  [
    "one convolution's compute",
    () =>
      new AffineCoupling({
        inputShape,
        network: (shape, [, , filters]) => new OwnConvolution({ inputShape: shape, filters, seed: 1 }),
      }),
    () =>
      new AffineCoupling({
        inputShape,
        network: (shape, [, , filters]) => new Convolution({ inputShape: shape, filters, seed: 1 }),
      }),
  ],
  ["a spline's forward", () => splines(TransformerCoupling, OwnSpline), () => splines()],
  ['TransformerCoupling.transform', () => splines(OwnTransformerCoupling), () => splines()],
  ['ActNorm.computeForward', () => step(OwnNorm, InvConv1x1), () => step(ActNorm, InvConv1x1)],
  ['ActNorm.forward', () => step(OwnForward, InvConv1x1), () => step(ActNorm, InvConv1x1)],
  ['InvConv1x1.computeForward', () => step(ActNorm, OwnRotation), () => step(ActNorm, InvConv1x1)],
  [
    'InvConv1x1.computeForward, full',
    () => step(ActNorm, OwnRotation, 'full'),
    () => step(ActNorm, InvConv1x1),
  ],
];

beforeAll(async () => {
  await prepareWasm({ threads: 1 });
});

/** Results on wasm, which must be those of cpu, and those of the layer whose hook was not replaced. */
async function replaced(build: () => Bijector, plain: () => Bijector) {
  const [own, ordinary, ours] = [
    await results(build, 'wasm'),
    await results(build, 'cpu'),
    await results(plain, 'wasm'),
  ];
  ordinary.forEach((expected, i) => {
    expect(distance(expected, own[i]), `result ${i}`).toBeLessThan(1e-5);
  });
  return { own, ours };
}

describe('hooks that were replaced', () => {
  it.each(cases)('%s is used on wasm as on cpu, in forward and on the way back', async (_, build, plain) => {
    const { own, ours } = await replaced(build, plain);
    expect(distance(ours[0], own[0])).toBeGreaterThan(0.1);
  });

  it.each<[string, () => Bijector, () => Bijector]>([
    ['ActNorm.computeReverse', () => step(OwnReverse, InvConv1x1), () => step(ActNorm, InvConv1x1)],
    ['AffineCoupling.passBack', () => coupling(OwnPassBack), () => coupling(AffineCoupling)],
  ])('%s is used on wasm as on cpu', async (_, build, plain) => {
    const { own, ours } = await replaced(build, plain);
    // Part of the gradient comes by the log-determinant alone.
    expect(distance(ours[4], own[4])).toBeGreaterThan(0.01);
  });

  it('a perceptron of vectors, too', async () => {
    const build = (Network: typeof MultilayerPerceptron) => () =>
      new AffineCoupling({
        inputShape: [6],
        network: ([d], [units]) => new Network({ inputShape: [d], units, seed: 1 }),
      });
    const [own, ours] = [
      await results(build(OwnPerceptron), 'wasm'),
      await results(build(MultilayerPerceptron), 'wasm'),
    ];
    const ordinary = await results(build(OwnPerceptron), 'cpu');
    expect(distance(ordinary[0], own[0])).toBeLessThan(1e-5);
    expect(distance(ours[0], own[0])).toBeGreaterThan(0.1);
  });

  it('an actnorm whose scale is replaced for fused operations keeps its own passes', async () => {
    const [own, ours] = [
      await results(() => step(OwnScale, InvConv1x1), 'wasm'),
      await results(() => step(ActNorm, InvConv1x1), 'cpu'),
    ];
    expect(distance(ours[0], own[0])).toBeLessThan(1e-5);
  });
});

/** Value, logDet and the gradient of a layer with weights drawn from a seed. */
async function results(build: () => Bijector, backend: string): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  const random = new RandomStream(3);
  const bijector = build();
  for (const variable of bijector.trainableWeights) variable.assign(random.normal(variable.shape, 0, 0.3));
  const x = random.normal([3, ...bijector.inputShape]);
  const tensors = tf.tidy(() => {
    const { value, logDet } = bijector.forward(x);
    const loss = (input: tf.Tensor) => {
      const result = bijector.forward(input);
      return tf.add(tf.sum(tf.square(result.value)), tf.sum(result.logDet));
    };
    const pass = new ReversePass({ logDetGradient: logDet });
    const before = bijector.reverse({ value: x, gradient: value }, pass);
    const gradients = pass.takeGradients(bijector.trainableWeights) as tf.Tensor[];
    return [value, logDet, tf.grad(loss)(x), before.value, before.gradient, ...gradients];
  });
  const values = tensors.map((tensor) => tensor.dataSync<'float32'>().slice());
  tf.dispose([tensors, x]);
  bijector.dispose();
  await tf.setBackend('wasm');
  return values;
}
