import { ConfigError, complaint, NotLearnableError, ShapeError } from '../../core/errors';
import { named } from '../../core/numbers';
import { checkOptions, type OptionNames } from '../../core/options';
import { checkChoice } from '../../core/shapes';
import { BlockCovariance, Covariance } from '../../statistics/covariance';
import type { VectorInput } from '../../statistics/inputs';
import { otMap } from '../../statistics/optimalTransport';
import { type DirectionInput, toDirection } from '../manipulate';
import type { LearnableRange, LearnableRangeOptions, SubclassSummary } from '../range';
import { rangeOf, rangeOptions } from '../range/learnableRange';

/** Above this many dimensions a block's d x d transport map is not built. */
const FULL_LIMIT = 1024;
/** Largest automatic strength, in standard deviations of the attribute within subclasses. */
const MAXIMUM_DEVIATIONS = 2;

/** Options of `transferDelta`; those of `learnableRange` apply where `z` is given. */
export interface TransferDeltaOptions extends LearnableRangeOptions {
  /**
   * Whether the direction is coloured for the other subclass: 'none', 'diagonal' (by the ratio of standard deviations) or 'full' (by
   * Gaussian optimal transport). Colouring by covariances of five samples did harm where it was measured. Default: 'none'.
   */
  match?: 'none' | 'diagonal' | 'full';
  /**
   * Factor on the direction, or 'auto': the largest learnable one, at most 2 standard deviations of the attribute. Default: 'auto' where
   * `z` is given, else 1.
   */
  strength?: number | 'auto';
  /** The latent that is to be moved, [d]; with it the strength is checked against its learnable range. */
  z?: VectorInput;
  /** Whether a strength outside the learnable range is applied all the same. Default: false. */
  allowOutside?: boolean;
}

const OPTIONS: OptionNames<TransferDeltaOptions> = {
  ...rangeOptions,
  match: true,
  strength: true,
  z: true,
  allowOutside: true,
};

/** A direction made ready for another subclass. */
export interface TransferredDelta {
  /** strength * coloured direction, [d]: add it to the latent. */
  delta: Float64Array;
  strength: number;
  /** The coloured direction, before the strength, [d]. */
  direction: Float64Array;
  /** Learnable strengths of `z` along `direction`; null without `z`. */
  range: LearnableRange | null;
}

/**
 * An attribute direction learned on some subclasses, made ready for another.
 *
 *     none: delta,   diagonal: delta_j sqrt(to_jj / from_jj),   full: A delta with A = from^-1/2 (from^1/2 to from^1/2)^1/2 from^-1/2
 *
 * Shapes: delta [d] -> [d].
 *
 * Source: the colouring map of Peyre and Cuturi, "Computational Optimal Transport" (2019), remark 2.31, arXiv:1803.00567.
 *
 * @param from covariance of the subclasses that the direction was learned on, or the `Prior` that holds it as `within`
 * @param to the subclass it goes to: a `Posterior`, or a covariance where no range is wanted
 * @throws NotLearnableError for a strength outside the range, or where no strength but 0 is learnable; ConfigError, ShapeError, DataError
 * @example
 * const { delta } = transferDelta(zDelta(base), prior, prior.posterior(few), { z: few[0], assumeNearNormal: true });
 */
export function transferDelta(
  delta: DirectionInput,
  from: Covariance | { within: Covariance },
  to: Covariance | SubclassSummary,
  options: TransferDeltaOptions = {},
): TransferredDelta {
  const where = 'transferDelta';
  checkOptions(where, options, OPTIONS);
  const { match = 'none', z, allowOutside = false } = options;
  checkChoice(where, 'match', match, ['none', 'diagonal', 'full']);
  const source = covarianceOf(where, 'from', from instanceof Covariance ? from : from?.within);
  const target = covarianceOf(where, 'to', to instanceof Covariance ? to : to?.covariance);
  if (source.dimension !== target.dimension) {
    throw new ShapeError(
      complaint(where, `two covariances of ${source.dimension} dimensions`, target.dimension),
    );
  }
  const plain = toDirection(where, delta, source.dimension);
  const direction = match === 'none' ? plain : colour(where, plain, source, target, match);
  const strength = options.strength ?? (z === undefined ? 1 : 'auto');
  if (strength !== 'auto' && !Number.isFinite(strength)) {
    throw new ConfigError(complaint(where, "a finite strength or 'auto'", strength));
  }
  if (z === undefined) {
    if (strength === 'auto') {
      throw new ConfigError(complaint(where, "z, the latent to be moved, with strength 'auto'", 'none'));
    }
    return { delta: direction.map((value) => strength * value), strength, direction, range: null };
  }
  if (to instanceof Covariance) {
    throw new ConfigError(
      complaint(where, 'a posterior to move z in', 'a covariance', 'See Prior.posterior.'),
    );
  }
  const range = rangeOf(where, to, z, direction, options, delta);
  const used = strength === 'auto' ? automaticStrength(where, delta, range) : strength;
  if (!allowOutside) range.check(where, used);
  return { delta: direction.map((value) => used * value), strength: used, direction, range };
}

function covarianceOf(where: string, side: string, covariance: Covariance): Covariance {
  if (covariance instanceof Covariance) return covariance;
  const expected = `a covariance as ${side}, or the prior or posterior that holds it`;
  throw new ConfigError(complaint(where, expected, named(covariance)[0]));
}

function automaticStrength(where: string, delta: DirectionInput, range: LearnableRange): number {
  const deviation =
    typeof delta === 'object' && 'attributeDeviation' in delta
      ? Number(delta.attributeDeviation)
      : Number.NaN;
  const limit = Number.isFinite(deviation) ? MAXIMUM_DEVIATIONS * deviation : Number.POSITIVE_INFINITY;
  const strength = range.largest(limit);
  if (strength === 0) {
    const reason = range.refusal === null ? 'The range is empty.' : `Not transferable: ${range.refusal}.`;
    throw new NotLearnableError(complaint(where, 'a strength other than 0 to be learnable', 'none', reason));
  }
  return strength;
}

/** The direction as it looks in the other covariance. */
function colour(
  where: string,
  delta: Float64Array,
  from: Covariance,
  to: Covariance,
  match: 'diagonal' | 'full',
): Float64Array {
  if (from instanceof BlockCovariance) {
    const result = new Float64Array(delta.length);
    let offset = 0;
    for (const block of from.blocks) {
      const size = block.dimension;
      const part = delta.slice(offset, offset + size);
      result.set(colour(where, part, block, to.block(offset, size), match), offset);
      offset += size;
    }
    return result;
  }
  if (match === 'diagonal' || (from.kind === 'diagonal' && to.kind === 'diagonal')) {
    const variances = to.diagonal();
    return from.diagonal().map((variance, j) => delta[j] * Math.sqrt(variances[j] / variance));
  }
  if (delta.length > FULL_LIMIT) {
    throw new ConfigError(
      complaint(
        where,
        `at most ${FULL_LIMIT} dimensions a block for match 'full'`,
        delta.length,
        "Use match: 'diagonal', or a prior with a layout.",
      ),
    );
  }
  const map = otMap(from.toMatrix(), to.toMatrix());
  return Float64Array.from(delta, (_, i) => map.row(i).reduce((sum, value, j) => sum + value * delta[j], 0));
}
