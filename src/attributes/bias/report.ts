import type { AttributeName } from '../attributeColumns';
import type { DirectionConsistency } from '../consistency';
import type { SubclassName } from '../labeled';
import type { Complementarity } from './complementarity';
import type { SubclassDifferences } from './differences';
import type { SubclassShape } from './shapes';
import type { Transferability } from './transferability';

/** One subclass: how its few samples deviate from it, and how it deviates from the general class. */
export interface SubclassBias extends SubclassShape {
  subclass: SubclassName;
  /** Few samples, and reference samples. */
  count: number;
  referenceCount: number;
  /** b_c = mean of the few - mean of the reference, [d]. */
  bias: Float64Array;
  /** sqrt(b^T W^-1 b / d): in within-class deviations per dimension. */
  biasNorm: number;
  /** What independent sampling alone gives for `biasNorm`: sqrt(1 / count + 1 / referenceCount). */
  expectedBiasNorm: number;
  /** d_c = mean of the reference - general mean, [d]. */
  offset: Float64Array;
  /** sqrt(d^T W^-1 d / d), in within-class deviations per dimension. */
  offsetNorm: number;
}

/** Whether an attribute has one direction in all subclasses. */
export interface AttributeConsistency extends DirectionConsistency {
  /** Its name where it has one, else its column. */
  attribute: AttributeName;
}

/** What `biasReport` found; `notes` says it in sentences. */
export interface BiasReport {
  perSubclass: SubclassBias[];
  /** H2a: whether the few samples of different subclasses differ. */
  differ: SubclassDifferences;
  /** H2b: whether deviations of small samples cancel over subclasses beyond what independence does. */
  complementarity: Complementarity;
  /** H2c: whether other subclasses' deviations are a better model than a subclass's own few samples; null where nothing can be scored. */
  transfer: Transferability | null;
  /** H2d: consistency of every attribute's direction over subclasses; empty without attributes in the reference. */
  directions: AttributeConsistency[];
  /** The findings in sentences. */
  notes: string[];
}
