import {
  type Adjacency,
  AffineCoupling,
  AffineTransformer,
  type Bijector,
  Chain,
  Flow,
  Linear,
  MaskedAutoregressive,
  MaskedPerceptron,
  MaskedResidualPerceptron,
  MultilayerPerceptron,
  Permutation,
  RandomStream,
  RationalQuadraticSpline,
  ResidualPerceptron,
  type Shape,
  type Transformer,
  TransformerCoupling,
} from 'tfjs-flows';
import type { VectorCase } from '../comparison/cases';

/** A flow for vectors with the layers and networks that a library gives it, and as many weights. */
export function vectorFlow(what: VectorCase): Flow {
  const { kind, dimensions, layers } = what;
  const random = new RandomStream(1);
  const inputShape: Shape = [dimensions];
  const order = kind === 'affineAutoregressive' ? 'reverse' : 'shuffle';
  const mixing = (i: number): Bijector[] => {
    const seed = random.childSeed();
    const permutation = new Permutation({ inputShape, order, seed, name: `permutation${i}` });
    const mixes = kind.startsWith('spline') && what.library !== 'zuko';
    return mixes ? [permutation, new Linear({ inputShape, form: 'lu', name: `linear${i}` })] : [permutation];
  };
  const steps = Array.from({ length: layers }, (_, i) => [...mixing(i), layerOf(what, random, i)]);
  // nflows mixes once more at the end, as the paper does.
  const last = what.library === 'nflows' && kind.startsWith('spline') ? mixing(layers) : [];
  return new Flow({ bijector: new Chain({ bijectors: [...steps.flat(), ...last] }), seed: 1 });
}

function layerOf(what: VectorCase, random: RandomStream, i: number): Bijector {
  const { kind, library, dimensions, hidden } = what;
  const [inputShape, name]: [Shape, string] = [[dimensions], `layer${i}`];
  const residual = library !== 'zuko' && !(library === 'normflows' && kind === 'affineCoupling');
  const transformer: Transformer = kind.startsWith('spline')
    ? new RationalQuadraticSpline({ bins: what.bins, bound: what.bound })
    : new AffineTransformer({ scale: 'softclip' });
  const masked = (adjacency: Adjacency, outputsPerValue: number) => {
    const options = { adjacency, outputsPerValue, seed: random.childSeed() };
    return residual
      ? new MaskedResidualPerceptron({ ...options, hiddenUnits: hidden, blocks: 2 })
      : new MaskedPerceptron({ ...options, hiddenUnits: [hidden, hidden] });
  };
  if (kind.endsWith('Autoregressive') || (library === 'zuko' && kind === 'splineCoupling')) {
    // zuko's couplings are autoregressive layers of two passes.
    const passes = kind === 'splineCoupling' ? 2 : dimensions;
    return new MaskedAutoregressive({ inputShape, name, transformer, network: masked, passes });
  }
  const passthrough = library === 'normflows' ? Math.ceil(dimensions / 2) : Math.floor(dimensions / 2);
  const network = ([d]: Shape, [units]: Shape) => {
    const options = { inputShape: [d], units, seed: random.childSeed() };
    return residual
      ? new ResidualPerceptron({ ...options, hiddenUnits: hidden, blocks: 2 })
      : new MultilayerPerceptron({ ...options, hiddenUnits: [hidden, hidden] });
  };
  if (kind === 'affineCoupling')
    return new AffineCoupling({ inputShape, name, network, passthrough, scale: 'exp' });
  return new TransformerCoupling({
    inputShape,
    name,
    network,
    passthrough,
    transformer,
    passed: transformer,
  });
}
