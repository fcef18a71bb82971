import { ConfigError, complaint, NotLearnableError, ShapeError } from '../../core/errors';
import { named } from '../../core/numbers';
import { checkOptions, type OptionNames } from '../../core/options';
import { figure, printable } from '../../core/printable';
import { checkChoice } from '../../core/shapes';
import { BlockCovariance, Covariance, dot } from '../../statistics/covariance';
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
   * Covariance of the subclasses that the direction was learned on, or the `Prior` that holds it as `within`; what `match` starts from.
   * Default: the posterior's prior.
   */
  from?: Covariance | { within: Covariance };
  /**
   * Whether the direction is coloured for the other subclass: 'none', 'diagonal' (by the ratio of standard deviations) or 'full' (by
   * Gaussian optimal transport). Colouring by covariances of five samples did harm where it was measured. Default: 'none'.
   */
  match?: 'none' | 'diagonal' | 'full';
  /**
   * Factor on the direction, or 'auto': the largest learnable one above 0, at most 2 standard deviations of the attribute. Default: 'auto'
   * where `z` is given, else 1. Backwards, away from the attribute, goes only a negative number that you give.
   */
  strength?: number | 'auto';
  /** The latent that is to be moved, [d]; with it the strength is checked against its learnable range. */
  z?: VectorInput;
  /** Whether a strength outside the learnable range is applied all the same. Default: false. */
  allowOutside?: boolean;
}

const OPTIONS: OptionNames<TransferDeltaOptions> = {
  ...rangeOptions,
  from: true,
  match: true,
  strength: true,
  z: true,
  allowOutside: 'boolean',
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
 * @param posterior the subclass it goes to: a `Posterior`, or a covariance where no range is wanted
 * @throws NotLearnableError for a strength outside the range, or where 'auto' finds none above 0; ConfigError, ShapeError, DataError
 * @example
 * const { delta } = transferDelta(zDelta(base), prior.posterior(few), { z: few[0], assumeNearNormal: true });
 */
export function transferDelta(
  direction: DirectionInput,
  posterior: SubclassSummary | Covariance,
  options: TransferDeltaOptions = {},
): TransferredDelta {
  const where = 'transferDelta';
  checkOptions(where, options, OPTIONS);
  const { match = 'none', z, allowOutside = false } = options;
  checkChoice(where, 'match', match, ['none', 'diagonal', 'full']);
  const target = targetOf(where, posterior);
  const plain = toDirection(where, direction, target.dimension);
  const coloured =
    match === 'none' ? plain : colour(where, plain, sourceOf(where, posterior, options), target, match);
  const strength = options.strength ?? (z === undefined ? 1 : 'auto');
  if (strength !== 'auto' && !Number.isFinite(strength)) {
    throw new ConfigError(complaint(where, "a finite strength or 'auto'", strength));
  }
  if (z === undefined) {
    if (strength === 'auto') {
      throw new ConfigError(complaint(where, "z, the latent to be moved, with strength 'auto'", 'none'));
    }
    return transferred(coloured, strength, null);
  }
  if (posterior instanceof Covariance) {
    throw new ConfigError(
      complaint(where, 'a posterior to move z in', 'a covariance', 'See Prior.posterior.'),
    );
  }
  const range = rangeOf(where, posterior, z, coloured, options, direction);
  const used = strength === 'auto' ? automaticStrength(where, direction, range) : strength;
  if (!allowOutside) range.check(where, used);
  return transferred(coloured, used, range);
}

function transferred(
  direction: Float64Array,
  strength: number,
  range: LearnableRange | null,
): TransferredDelta {
  const delta = direction.map((value) => strength * value);
  return printable({ delta, strength, direction, range }, linesOf);
}

function linesOf({ delta, strength, range }: TransferredDelta): string[] {
  const length = figure(Math.sqrt(dot(delta, delta)));
  const moved = `strength ${figure(strength)}, which moves by ${length} in ${delta.length} dimensions`;
  if (range === null) return [`${moved}; not checked against a range`];
  return [`${moved}: ${range.status(strength)}`, ...(range.refusal === null ? [] : [range.refusal])];
}

/** Covariance of the subclass that the direction goes to. */
function targetOf(where: string, posterior: SubclassSummary | Covariance): Covariance {
  const covariance = posterior instanceof Covariance ? posterior : posterior?.covariance;
  if (covariance instanceof Covariance) return covariance;
  const hint = 'transferDelta(direction, prior.posterior(few), { z: few[0] })';
  throw new ConfigError(complaint(where, 'a posterior to move in', named(posterior)[0], `As in ${hint}.`));
}

/** Covariance of the subclasses that the direction was learned on. */
function sourceOf(
  where: string,
  posterior: SubclassSummary | Covariance,
  { from, match }: TransferDeltaOptions,
): Covariance {
  const given = from ?? (posterior instanceof Covariance ? undefined : posterior.prior);
  const source = given instanceof Covariance ? given : given?.within;
  if (!(source instanceof Covariance)) {
    const expected = `from, the covariance or the prior that match '${match}' starts at`;
    throw new ConfigError(complaint(where, expected, named(given)[0]));
  }
  const target = targetOf(where, posterior);
  if (source.dimension === target.dimension) return source;
  throw new ShapeError(
    complaint(where, `two covariances of ${target.dimension} dimensions`, source.dimension),
  );
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
    const back = range.largest(-limit);
    const hint = back === 0 ? reason : `${reason} Backwards, a strength down to ${back.toPrecision(3)} is.`;
    throw new NotLearnableError(complaint(where, 'a strength above 0 to be learnable', 'none', hint));
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
