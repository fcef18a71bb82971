import { complaint, FormatError } from '../../core/errors';
import { DiagonalNormal, type Distribution, NormalMixture, UniformBox } from '../../distributions';
import { copy } from '../rule';
import type { Below } from './below';
import type { VectorBase, VectorConfig } from './config';
import type { InferredLayer } from './library';
import type { Piece } from './piece';

/** The base of a flow of normflows; a uniform one has no parameters. */
export function inferNormflowsBase(file: Below, layers: readonly InferredLayer[]): VectorBase {
  if (file.has('weight_scores'))
    return { type: 'mixture', components: file.shape('loc', 3)[1], covariance: 'diagonal' };
  if (file.has('loc') && file.has('log_scale')) return { type: 'diagonal' };
  if (file.names.length === 0) {
    const bound = layers.map(({ layer }) => layer.bound).find((each) => each !== undefined) ?? Math.PI;
    return { type: 'box', bound };
  }
  const received = `one with ${file.names.slice(0, 4).join(', ')}`;
  throw new FormatError(
    complaint('importCheckpoint', 'a base of normflows: DiagGaussian, GaussianMixture or Uniform', received),
  );
}

/** The distribution of the latents, its names behind `q0`. */
export function normflowsBase({ base, features }: VectorConfig): Piece<Distribution> {
  const eventShape = [features];
  const { type, bound = Math.PI, components = 1 } = base;
  if (type === 'box') {
    return { rules: [], build: () => new UniformBox({ eventShape, low: -bound, high: bound }) };
  }
  if (type === 'mixture') {
    const parts = [1, components, features];
    return {
      rules: [
        copy('q0.weight_scores', [1, components], 'logits'),
        copy('q0.loc', parts, 'means'),
        copy('q0.log_scale', parts, 'logScales'),
      ],
      build: () => new NormalMixture({ eventShape, components }),
    };
  }
  return {
    rules: [copy('q0.loc', [1, features], 'mean'), copy('q0.log_scale', [1, features], 'logScale')],
    build: () => new DiagonalNormal({ eventShape }),
  };
}
