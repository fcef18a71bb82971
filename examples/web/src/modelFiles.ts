import type { SerializedPrior, Verdict } from 'tfjs-flows';

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
  /** Why `consistency` is null. */
  consistencyReason: string | null;
  /** Whether positions along the direction, mixed over subclasses, are near normal on held-out images. */
  nearNormal: Verdict;
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
