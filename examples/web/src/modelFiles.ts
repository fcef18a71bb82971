import type { SerializedPrior } from 'tfjs-flows';

/** A verdict of `mixedNormality`. */
export type MixingVerdict = 'supported' | 'not supported' | 'undecided';

/** A direction in latent space that a slider moves along. */
export interface AttributeFile {
  name: string;
  /** What strength 1 stands for. */
  unit: 'with' | 'deviation';
  /** Latent shift of strength 1, [d]. */
  delta: number[];
  /** rho across subclasses; null where it cannot be estimated. */
  consistency: number | null;
  /** Its standard error; null where it cannot be estimated. */
  consistencyError: number | null;
  /** Whether the attribute, mixed over subclasses, is near normal on held-out images. */
  mixing: MixingVerdict;
}

/** What `statistics.json` beside a trained model holds. */
export interface StatisticsFile {
  title: string;
  /** Names of all subclasses. */
  subclasses: string[];
  /** Subclasses that neither the flow nor the prior has seen. */
  novel: number[];
  attributes: AttributeFile[];
  prior: SerializedPrior;
  /** Mean bits per dimension of held-out images. */
  heldOutBitsPerDim: number;
  /** Where the pictures come from, for the page's footer. */
  source: string;
}
