import { complaint, FormatError } from '../../core/errors';
import { sizeOf } from '../../core/shapes';
import { DiagonalNormal, StandardNormal } from '../../distributions';
import { copy, type Rule } from '../rule';
import type { Below } from './below';
import type { VectorBase, VectorLayer } from './config';
import { commonSizes, type InferHow, type SizedLayer, type VectorLibrary } from './library';
import { luLinear, permutation, pointwiseAffine } from './linearLayers';
import { placesIn, refuseGaps } from './lists';
import { autoregressivePiece, inferAutoregressive } from './nflowsAutoregressive';
import { couplingPiece, inferCoupling } from './nflowsCoupling';
import type { LayerPiece, Scene } from './piece';

/**
 * Flows of github.com/bayesiains/nflows (5d22344), also inside sbi: masks, permutations and all parameters under `_transform`, bases under
 * `_distribution`. Splines add no offset to derivatives, and divide widths and heights by the root of a coupling network's width.
 */
export const nflows: VectorLibrary = {
  fromData: true,
  recognizes: (file) => file.names.some((name) => name.startsWith('_transform.')),
  infer: (file, how) => {
    const root = file.below('_transform');
    const { places, gaps } = placesIn(root, '_transforms');
    if (how.gaps !== 'identity') refuseGaps(gaps);
    const inferred = places.map(({ at }) => inferLayer(root.below(at), how));
    return {
      ...commonSizes(inferred),
      base: inferBase(file.below('_distribution')),
    };
  },
  layer: layerPiece,
  base: ({ features, base }) => {
    const eventShape = [features];
    if (base.type === 'standard') return { rules: [], build: () => new StandardNormal({ eventShape }) };
    const move = (theirs: string, ours: string): Rule => copy(`_distribution.${theirs}`, [features], ours);
    return {
      rules: [move('mean_', 'mean'), move('log_std_', 'logScale')],
      build: () => new DiagonalNormal({ eventShape }),
    };
  },
  ignores: (name) => name === '_distribution._log_z',
};

function inferLayer(file: Below, how: InferHow): SizedLayer {
  const at = file.prefix.slice(0, -1);
  const plain = (features: number, layer: Omit<VectorLayer, 'at'>): SizedLayer => {
    return { layer: { at, ...layer }, others: {}, features, context: 0 };
  };
  if (file.has('_permutation')) {
    const order = file.values('_permutation');
    return plain(order.length, { type: 'permutation', order });
  }
  if (file.has('unconstrained_upper_diag')) {
    return plain(file.shape('unconstrained_upper_diag', 1)[0], { type: 'linear' });
  }
  if (file.has('_scale')) {
    const length = sizeOf(file.get('_scale').shape);
    return plain(length, { type: 'standardize' });
  }
  if (file.has('transform_features')) return inferCoupling(file, how);
  if (file.names.some((name) => name.startsWith('autoregressive_net.')))
    return inferAutoregressive(file, how);
  throw unsupported(at, file.names);
}

function unsupported(at: string, names: readonly string[]): FormatError {
  const shown = names.slice(0, 6).join(', ');
  const hint =
    'Read are couplings and autoregressive layers, affine and with rational-quadratic splines, LU, permutations and pointwise affine maps.';
  return new FormatError(
    complaint('importCheckpoint', `a layer of nflows at ${at} that is read`, `one with ${shown}`, hint),
  );
}

function inferBase(file: Below): VectorBase {
  if (file.has('mean_')) return { type: 'diagonal' };
  const other = file.names.find((name) => name !== '_log_z');
  if (other === undefined) return { type: 'standard' };
  const expected = 'a standard normal base, or one with a mean and deviations';
  throw new FormatError(complaint('importCheckpoint', expected, `one with ${file.prefix}${other}`));
}

function layerPiece(layer: VectorLayer, scene: Scene): LayerPiece {
  switch (layer.type) {
    case 'permutation':
      return permutation(layer, scene, { _permutation: layer.order ?? [] });
    case 'linear':
      return luLinear(scene);
    case 'standardize':
      return pointwiseAffine(layer, scene, ['_scale', '_shift']);
    case 'autoregressive':
      return autoregressivePiece(layer, scene);
    default:
      return couplingPiece(layer, scene);
  }
}
