import * as tf from '@tensorflow/tfjs-core';
import type { NdArray, VectorSettings } from 'tfjs-flows';

/** The models of test/fixtures/vector, and what their files do not say, where it is not the library's default. */
export const publishedVectors: Readonly<Record<string, VectorSettings>> = {
  nflows_lists: { activation: 'elu' },
  nflows_maf_context: {},
  nflows_nsf_coupling: { bound: 3 },
  nflows_nsf_coupling_context: { bound: 4 },
  nflows_realnvp: {},
  nflows_rqs_autoregressive: { bound: 3 },
  nflows_sbi_maf: {},
  nflows_sbi_nsf: {},
  nflows_sbi_scalar: {},
  normflows_nsf_coupling_lu: {},
  normflows_nsf_autoregressive: {},
  normflows_maf_stock: {},
  normflows_maf_reversed: {},
  normflows_nsf_context: {},
  normflows_realnvp_gmm: {},
  normflows_circular_coupling: {},
  zuko_nsf: {},
  zuko_nsf_coupling_context: {},
  zuko_nsf_residual: { activation: 'elu' },
  zuko_maf_context: {},
  zuko_ncsf: {},
  zuko_realnvp_context: {},
  zuko_gmm_base: {},
};

/** Those whose library we write, under the names that it gives such a flow: not as lists in lists, nor one value by sbi. */
export const writtenVectors = Object.entries(publishedVectors).filter(
  ([name]) => !name.startsWith('normflows') && !['nflows_lists', 'nflows_sbi_scalar'].includes(name),
);

/** An array of a fixture on the device. */
export function tensorOf({ shape, data }: NdArray): tf.Tensor {
  return tf.tensor(Float32Array.from(data), shape);
}
