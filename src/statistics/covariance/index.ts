import { complaint, FormatError } from '../../core/errors';
import { BlockCovariance } from './blocks';
import type { Covariance, SerializedCovariance } from './covariance';
import { DiagonalCovariance } from './diagonal';
import { FullCovariance } from './full';
import { LowRankCovariance } from './lowRank';

export { BlockCovariance, sliceColumns } from './blocks';
export { Covariance, type CovarianceKind, dot, type SerializedCovariance } from './covariance';
export { DiagonalCovariance } from './diagonal';
export { FullCovariance } from './full';
export { LowRankCovariance } from './lowRank';

/**
 * A covariance from its JSON form.
 *
 * @throws FormatError where the kind is unknown
 * @example
 * const json = JSON.stringify(new DiagonalCovariance(Float64Array.of(4, 1)).toJSON());
 * covarianceFromJSON(JSON.parse(json)).diagonal(); // [4, 1]
 */
export function covarianceFromJSON(json: SerializedCovariance): Covariance {
  switch (json?.kind) {
    case 'full':
      return FullCovariance.fromJSON(json);
    case 'diagonal':
      return DiagonalCovariance.fromJSON(json);
    case 'lowRank':
      return LowRankCovariance.fromJSON(json);
    case 'blocks':
      return new BlockCovariance((json.blocks as SerializedCovariance[]).map(covarianceFromJSON));
    default:
      throw new FormatError(
        complaint('covarianceFromJSON', 'kind full, diagonal, lowRank or blocks', json?.kind),
      );
  }
}
