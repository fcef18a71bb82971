import { ConfigError, complaint } from '../../core/errors';
import { named } from '../../core/numbers';
import { checkOptions, type OptionNames } from '../../core/options';
import { printable } from '../../core/printable';
import { RandomStream } from '../../core/random';
import { checkChoice, checkInteger } from '../../core/shapes';
import type { Matrix } from '../../linalg';
import { type LatentsInput, toLatents } from '../../statistics/inputs';
import { selectRows } from '../../statistics/rows';
import { type Labeled, type SubclassName, toLabeled } from '../labeled';
import { Prior } from '../prior';
import { checkDimension } from '../prior/checks';
import { joinSamples, noSamples, pickSamples, type SyntheticSamples } from './batches';
import { chooseMethod } from './chooseMethod';
import { type LabelFilter, nearestClassFilter, rivalMeans } from './labelKeeping';
import { type SynthesisMethod, type SynthesizeOptions, samplesOf, synthesizeOptions } from './synthesize';

/** Synthetic samples tried per sample wanted before `augment` stops with what it has. */
const ATTEMPTS = 20;

/** Options of `augment`: those of `synthesize`, and how the label is kept. */
export interface AugmentOptions extends Omit<SynthesizeOptions, 'method'> {
  /** How samples are made; 'auto' compares none, mixup and attribute by leaving one sample out. Default: 'auto'. */
  method?: SynthesisMethod | 'auto';
  /** Samples of the other subclasses of the task: rivals of the label filter, and needed for 'auto'. */
  others?: Labeled;
  /** Name of this subclass, where the prior or `others` hold it too and it must not rival itself. */
  subclass?: SubclassName;
  /**
   * What keeps the label: 'nearestClass' among the subclass means of the prior and of `others`, 'none', or a function that says of every
   * row whether it still is of the subclass. Default: 'nearestClass'.
   */
  filter?: 'nearestClass' | 'none' | LabelFilter;
}

const OPTIONS: OptionNames<AugmentOptions> = {
  ...synthesizeOptions,
  others: true,
  subclass: true,
  filter: true,
};

/** Synthetic samples that passed the filter. */
export interface Augmented extends SyntheticSamples {
  /** What made them; 'none' where 'auto' found that nothing helps. */
  method: SynthesisMethod | 'none';
  /** Why that method; null unless 'auto' chose it. */
  reason: string | null;
  /** Synthetic samples that the filter refused. */
  rejected: number;
}

/**
 * More samples of a subclass, near the few there are, filtered so that they keep their label.
 *
 * Only the new samples are returned; fewer than `count` where the filter refuses too many, none where 'auto' finds no method that helps.
 * An augmentation that fits the prior better is not therefore a better sample: quote accuracy, not log-density. On the digits data no
 * method raised few-shot accuracy reliably, and full draws from the posterior lowered it.
 *
 * Shapes: few [n, d] -> z [at most count, d].
 *
 * @throws ConfigError, DataError, ShapeError
 * @example
 * const { z, method, rejected } = augment(few, prior, { count: 50, others: samplesOfTheOtherClasses });
 */
export function augment(few: LatentsInput, prior: Prior, options: AugmentOptions): Augmented {
  const where = 'augment';
  checkOptions(where, options, OPTIONS);
  const { method = 'auto', filter = 'nearestClass', others, subclass, count, seed = 0 } = options ?? {};
  checkInteger(where, 'count', count);
  checkChoice(where, 'method', method, ['auto', 'attribute', 'pair', 'posterior', 'mixup']);
  if (!(prior instanceof Prior)) {
    throw new ConfigError(complaint(where, 'a prior', named(prior)[0], 'See fitPrior.'));
  }
  const samples = toLatents(where, few);
  checkDimension(where, samples, prior.dimension);
  const choice = method === 'auto' ? decide(prior, samples, options) : { method, reason: null };
  if (choice.method === 'none') {
    return printable({ ...noSamples(prior.dimension), ...choice, rejected: 0 }, linesOf);
  }

  const posterior = prior.posterior(samples);
  const keeps = filterOf(where, filter, () =>
    nearestClassFilter(posterior, rivalMeans(where, prior, others, subclass)),
  );
  const random = new RandomStream(seed);
  const kept: SyntheticSamples[] = [];
  let found = 0;
  let rejected = 0;
  for (let attempt = 0; attempt < ATTEMPTS && found < count; attempt++) {
    const batch = samplesOf(where, posterior, {
      ...options,
      method: choice.method,
      seed: random.childSeed(),
    });
    const verdicts = keeps(batch.z);
    const good = Array.from(batch.source.keys()).filter((i) => verdicts[i] === true);
    const taken = good.slice(0, count - found);
    // Once enough are found, the rest of the batch is surplus rather than rejected.
    const looked = taken.length < good.length ? good[taken.length] : batch.z.rows;
    rejected += looked - taken.length;
    found += taken.length;
    kept.push(pickSamples(batch, taken));
  }
  return printable({ ...joinSamples(kept), ...choice, rejected }, linesOf);
}

function linesOf({ z, method, reason, rejected }: Augmented): string[] {
  const made =
    method === 'none'
      ? 'no samples made'
      : `${z.rows} samples of ${z.cols} values by ${method}, ${rejected} refused by the filter`;
  return reason === null ? [made] : [made, reason];
}

function decide(
  prior: Prior,
  samples: Matrix,
  options: AugmentOptions,
): { method: SynthesisMethod | 'none'; reason: string } {
  if (options.others === undefined) {
    return {
      method: 'none',
      reason: "'auto' needs `others`, samples of the other subclasses, to compare methods",
    };
  }
  const { z, subclass, names } = toLabeled('augment (others)', options.others);
  checkDimension('augment (others)', z, prior.dimension);
  const own = options.subclass === undefined ? -1 : names.indexOf(options.subclass);
  const rows = Array.from(subclass.keys()).filter((i) => subclass[i] !== own);
  const references = { z: selectRows(z, rows), subclass: Int32Array.from(rows, (i) => subclass[i]) };
  if (rows.length === 0) return { method: 'none', reason: '`others` holds no other subclass' };
  return chooseMethod(prior, samples, references, options);
}

function filterOf(
  where: string,
  filter: 'nearestClass' | 'none' | LabelFilter,
  nearestClass: () => LabelFilter,
): LabelFilter {
  if (typeof filter === 'function') return filter;
  if (filter === 'none') return (z) => new Array<boolean>(z.rows).fill(true);
  if (filter === 'nearestClass') return nearestClass();
  throw new ConfigError(complaint(where, "filter 'nearestClass', 'none' or a function", filter));
}
