import type { SubclassRows } from './mixtures';

/** Where the skewness of an equal mixture of classes comes from; the parts sum to `total`. */
export interface SkewnessParts {
  /** Mean third cumulant of the classes. */
  within: number;
  /** 3 Cov(mean, variance) over classes: what scale that goes with location adds. */
  meanVariance: number;
  /** Third cumulant of the class means. */
  means: number;
  total: number;
}

/** Where the excess kurtosis of an equal mixture of classes comes from; the parts sum to `total`. */
export interface KurtosisParts {
  /** Mean fourth cumulant of the classes. */
  within: number;
  /** 4 Cov(third cumulant, mean) over classes. */
  meanSkewness: number;
  /** 3 Var(variance) over classes, never negative: unequal scales always make heavy tails. */
  variances: number;
  /** 6 times the joint cumulant of variance, mean and mean. */
  meanVariance: number;
  /** Fourth cumulant of the class means. */
  means: number;
  total: number;
}

/** The law of total cumulance for one view, in units of the mixture's standard deviation. */
export interface CumulantDecomposition {
  skewness: SkewnessParts;
  excessKurtosis: KurtosisParts;
  /** Share of the variance of this mixture that lies between its class means as they are, 0 to 1; an intraclass correlation takes their sampling error off. */
  betweenShare: number;
}

/**
 * Splits the shape of an equal mixture of all classes into what the classes bring and what mixing adds.
 *
 *     k3 = E k3c + 3 Cov(m, v) + k3(m)
 *     k4 = E k4c + 4 Cov(k3c, m) + 3 Var(v) + 6 k(v, m, m) + k4(m)       m, v: class mean and variance
 *
 * Mixing averages only the first term of each; the others it adds. Source: Brillinger, "The calculation of cumulants
 * via conditioning" (1969), doi:10.1007/BF02532246.
 */
export function decomposeCumulants(values: Float64Array, groups: SubclassRows): CumulantDecomposition {
  const classes = groups.map((rows) => classCumulants(values, rows));
  const average = (f: (c: ClassCumulants) => number) =>
    classes.reduce((sum, c) => sum + f(c), 0) / classes.length;
  const mean = average((c) => c.mean);
  const within = average((c) => c.variance);
  const third = average((c) => c.third);
  const between = average((c) => (c.mean - mean) ** 2);
  const variance = within + between;
  const s3 = variance ** 1.5;
  const s4 = variance ** 2;
  const skewness = {
    within: third / s3,
    meanVariance: (3 * average((c) => (c.mean - mean) * c.variance)) / s3,
    means: average((c) => (c.mean - mean) ** 3) / s3,
  };
  const excessKurtosis = {
    within: average((c) => c.fourth) / s4,
    meanSkewness: (4 * average((c) => (c.third - third) * (c.mean - mean))) / s4,
    variances: (3 * average((c) => (c.variance - within) ** 2)) / s4,
    meanVariance: (6 * average((c) => (c.variance - within) * (c.mean - mean) ** 2)) / s4,
    means: (average((c) => (c.mean - mean) ** 4) - 3 * between ** 2) / s4,
  };
  return {
    skewness: { ...skewness, total: sumOf(skewness) },
    excessKurtosis: { ...excessKurtosis, total: sumOf(excessKurtosis) },
    betweenShare: between / variance,
  };
}

interface ClassCumulants {
  mean: number;
  variance: number;
  third: number;
  fourth: number;
}

function classCumulants(values: Float64Array, rows: Int32Array): ClassCumulants {
  const moment = (order: number, center: number) => {
    let sum = 0;
    for (const row of rows) sum += (values[row] - center) ** order;
    return sum / rows.length;
  };
  const mean = moment(1, 0);
  const variance = moment(2, mean);
  return { mean, variance, third: moment(3, mean), fourth: moment(4, mean) - 3 * variance ** 2 };
}

function sumOf(parts: Record<string, number>): number {
  return Object.values(parts).reduce((sum, part) => sum + part, 0);
}
