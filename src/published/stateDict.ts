import type { NdArray } from '../data';
import type { WholeType } from './safetensors';

/** Parameters by another code's names, on the way into a file. */
export interface StateDict {
  arrays: Record<string, NdArray>;
  /** The types of those that are neither float32 nor bytes. */
  types?: Record<string, WholeType>;
  /** Texts that a safetensors file keeps beside them. */
  metadata: Record<string, string>;
}
