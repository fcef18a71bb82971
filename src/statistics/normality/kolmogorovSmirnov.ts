import { ConfigError, complaint, DataError } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { toVector, type VectorInput } from '../inputs';
import { normalCdf } from '../special';
import { kolmogorovDistance } from './empirical';
import { kolmogorovSf } from './kolmogorovDistribution';
import { describe, printableTest, type StatisticalTest } from './sample';

/** The normal distribution to test against, known before the data were seen. */
export interface KolmogorovSmirnovOptions {
  /** Mean of the hypothesis; required. */
  mean: number;
  /** Standard deviation of the hypothesis, > 0; required. */
  standardDeviation: number;
}

const OPTIONS: OptionNames<KolmogorovSmirnovOptions> = {
  mean: true,
  standardDeviation: ['sd', 'std', 'sigma'],
};

/**
 * Kolmogorov-Smirnov test against one given normal distribution, exact p-value.
 *
 *     D = sup_x |F_n(x) - Phi((x - mean) / standardDeviation)|
 *
 * Mean and deviation must come from somewhere else than these values (a flow's base distribution, say). Fitted ones make the
 * p-value meaningless, so the sample's own are refused: `lilliefors` is the test for that.
 *
 * @param x n >= 1 values
 * @throws ConfigError where an option is missing, not finite, or the sample's own (within 1 % of their standard errors, so rounded ones too); DataError for no or non-finite values
 * Source: Simard and L'Ecuyer (2011), doi:10.18637/jss.v039.i11.
 * @example
 * const { statistic, p } = kolmogorovSmirnov([0.3, -1.2, 0.8, 0.1], { mean: 0, standardDeviation: 1 });
 */
export function kolmogorovSmirnov(x: VectorInput, options: KolmogorovSmirnovOptions): StatisticalTest {
  checkOptions('kolmogorovSmirnov', options, OPTIONS);
  const { mean, standardDeviation } = options ?? {};
  if (!Number.isFinite(mean) || !Number.isFinite(standardDeviation) || standardDeviation <= 0) {
    throw new ConfigError(
      complaint(
        'kolmogorovSmirnov',
        'a finite mean and a standardDeviation > 0 that were not fitted to these values',
        `mean ${mean}, standardDeviation ${standardDeviation}`,
        'To test with fitted ones, call lilliefors.',
      ),
    );
  }
  const values = toVector('kolmogorovSmirnov', x);
  if (values.length === 0) throw new DataError(complaint('kolmogorovSmirnov', 'at least 1 value', 'none'));
  checkGiven(values, mean, standardDeviation);
  values.sort();
  const statistic = kolmogorovDistance(values.map((value) => normalCdf((value - mean) / standardDeviation)));
  return printableTest({ statistic, p: kolmogorovSf(statistic, values.length) });
}

/** Given moments this near to the sample's own, in standard errors of these, are its own but for rounding: chance does it once in 16,000. */
const TOO_NEAR = 0.01;

/** Refuses the sample's own mean and deviation, by either divisor, rounded or not. */
function checkGiven(values: Float64Array, mean: number, standardDeviation: number): void {
  const n = values.length;
  if (n < 2) return;
  const own = describe(Float64Array.from(values));
  const biased = own.standardDeviation * Math.sqrt((n - 1) / n);
  const near = (a: number, b: number, standardError: number) => Math.abs(a - b) <= TOO_NEAR * standardError;
  const errorOfMean = own.standardDeviation / Math.sqrt(n);
  const errorOfDeviation = own.standardDeviation / Math.sqrt(2 * n);
  const sameDeviation = [own.standardDeviation, biased].some((deviation) =>
    near(deviation, standardDeviation, errorOfDeviation),
  );
  if (near(own.mean, mean, errorOfMean) && sameDeviation) {
    throw new ConfigError(
      complaint(
        'kolmogorovSmirnov',
        'a mean and standardDeviation that were not fitted to these values',
        "the sample's own",
        'Its p-value would be far too large; call lilliefors.',
      ),
    );
  }
}
