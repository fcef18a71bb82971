import { Matrix, RandomStream } from 'tfjs-flows';
import { LowRankCovariance } from 'tfjs-flows/attributes';

/** A general class whose subclasses are drawn at random: means N(0, T), samples N(their mean, W). */
export interface PopulationOptions {
  dimensions: number;
  /** Factors common to all coordinates, in T and others in W, that make half of every variance; 0 for none. */
  factors: number;
  /** Mean variance between subclasses over that within. */
  ratio: number;
  /** Largest over smallest standard deviation of a coordinate. */
  units: number;
  seed: number;
}

/** Draws subclasses, and knows the truth about them. */
export class Population {
  readonly within: LowRankCovariance;
  readonly between: LowRankCovariance;
  readonly random: RandomStream;

  constructor(readonly options: PopulationOptions) {
    const { dimensions: d, factors, ratio, units, seed } = options;
    this.random = new RandomStream(seed);
    const scales = Float64Array.from({ length: d }, (_, j) => units ** (d === 1 ? 0 : j / (d - 1)));
    const share = factors === 0 ? 0 : 0.5;
    const covariance = (size: number) => {
      const loadings = Matrix.zeros(factors, d);
      for (let k = 0; k < factors; k++) {
        const row = loadings.row(k);
        for (let j = 0; j < d; j++) {
          row[j] = Math.sqrt((size * share) / factors) * scales[j] * this.random.normalNumber();
        }
      }
      return new LowRankCovariance(
        scales.map((scale) => size * (1 - share) * scale * scale),
        loadings,
      );
    };
    this.within = covariance(1);
    this.between = covariance(ratio);
  }

  /** Mean of an ordinary subclass. */
  ordinary(): Float64Array {
    return this.between.draw(this.random);
  }

  /** A mean that lies a number of between-class deviations off in every direction at once: mean^T T^-1 mean = deviations^2 d. */
  planted(deviations: number): Float64Array {
    const direction = this.between.draw(this.random);
    const length = Math.sqrt(this.between.mahalanobis(direction) / direction.length);
    return direction.map((value) => (deviations * value) / length);
  }

  /** Samples around a mean, [n, d]. */
  samples(mean: Float64Array, n: number): Matrix {
    const result = Matrix.zeros(n, mean.length);
    for (let i = 0; i < n; i++) {
      const noise = this.within.draw(this.random);
      result.row(i).set(mean.map((value, j) => value + noise[j]));
    }
    return result;
  }

  /** Labelled samples of ordinary subclasses. */
  base(classes: number, perClass: number): { z: Matrix; subclass: Int32Array } {
    const d = this.options.dimensions;
    const z = Matrix.zeros(classes * perClass, d);
    for (let c = 0; c < classes; c++) {
      z.data.set(this.samples(this.ordinary(), perClass).data, c * perClass * d);
    }
    return {
      z,
      subclass: Int32Array.from({ length: classes * perClass }, (_, i) => Math.floor(i / perClass)),
    };
  }
}
