import { DiagonalNormal, type Distribution, NormalMixture, StandardNormal, UniformBox } from 'tfjs-flows';
import type { Arrays, VectorConfig } from './arrays';
import { setWeights } from './dense';

/** The base of a flow. */
export function baseOf({ library, base, features }: VectorConfig, weights: Arrays): Distribution {
  const eventShape = [features];
  if (base === 'StandardNormal') return new StandardNormal({ eventShape });
  if (library === 'zuko') return zukoBase(base, eventShape, weights);
  if (base.startsWith('Uniform')) return new UniformBox({ eventShape, low: -Math.PI, high: Math.PI });
  const [mean, logScale] = ['q0.loc', 'q0.log_scale'].map((name) => weights.values(name));
  if (base.startsWith('DiagGaussian')) return new DiagonalNormal({ eventShape, mean, logScale });
  const logits = weights.values('q0.weight_scores');
  return new NormalMixture({
    eventShape,
    components: logits.length,
    logits,
    means: mean,
    logScales: logScale,
  });
}

function zukoBase(base: string, eventShape: number[], weights: Arrays): Distribution {
  if (base.startsWith('BoxUniform')) {
    const [low, high] = ['base.lower', 'base.upper'].map((name) => weights.values(name));
    return new UniformBox({ eventShape, low, high });
  }
  if (base.startsWith('DiagNormal')) {
    const [mean, scale] = [weights.values('base.loc'), weights.values('base.scale')];
    return new DiagonalNormal({ eventShape, mean, logScale: scale.map(Math.log) });
  }
  const [logits, means, logDiagonal, lower] = [0, 1, 2, 3].map((i) => weights.values(`base.phi.${i}`));
  const mixture = new NormalMixture({ eventShape, components: logits.length, covariance: 'full' });
  const logScales = logDiagonal.map((raw) => Math.log(Math.exp(raw) + 1e-6));
  setWeights(mixture, { logits, means, logScales, lower });
  return mixture;
}
