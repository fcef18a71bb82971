import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { importCheckpoint, readNpz, type VectorSettings, writeNpz } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixture } from '../../support/fixture';
import { leavesNoTensors } from '../../support/leaks';
import { expectSame } from './fixture';

beforeAll(() => tf.setBackend('cpu'));

const weights = (name: string) => fixture(`vectorForms/${name}/weights.npz`);

/** Forms that trained fixtures do not have, and what their files do not say. */
const forms: [name: string, config: VectorSettings][] = [
  ['zuko_one_value', {}],
  ['zuko_one_value_alone', {}],
  ['zuko_one_affine_alone', {}],
  ['zuko_elementwise', {}],
  ['zuko_maf_randperm', { activation: 'tanh' }],
  ['zuko_adjacency', {}],
  ['zuko_bare', {}],
  ['zuko_bare_coupling', {}],
  ['zuko_nice_additive', {}],
  ['zuko_coupling_spline', {}],
  ['zuko_bound', { bound: 3 }],
  ['zuko_gmm_full', {}],
  ['zuko_gmm_full_tied', {}],
  ['zuko_gmm_diagonal', {}],
  ['zuko_gmm_diagonal_tied', {}],
  ['zuko_gmm_spherical', {}],
  ['zuko_gmm_spherical_tied', {}],
  ['zuko_gmm_one', {}],
  ['zuko_inverse', {}],
  ['zuko_linear', {}],
  ['zuko_residual_wide', {}],
  ['zuko_ncsf_context', {}],
  ['sbi_zuko_positional', {}],
  ['sbi_zuko_nsf', {}],
  ['sbi_zuko_structured', {}],
  ['nflows_plain', { activation: 'tanh', bound: 3 }],
  ['normflows_block_additive', { activation: 'leakyRelu' }],
  ['normflows_block_odd', {}],
  ['normflows_block_no_last', { layers: { 3: { gaps: 'identity' } } }],
  ['normflows_actnorm', {}],
  ['normflows_reverse_spline', {}],
  ['normflows_circular_context', {}],
  ['normflows_maf_context', {}],
];

describe('flows of the libraries in other forms', () => {
  it.each(forms)('%s', (name, config) =>
    leavesNoTensors(async () => {
      const io = readNpz(fixture(`vectorForms/${name}/io.npz`));
      await expectSame({ io, bytes: () => weights(name) }, 'weights.npz', { config });
    }),
  );

  it.each([
    ['zuko_gaussianization', "zuko's polynomials, monotone networks and Gaussianizations are not read"],
    ['normflows_maf_plain', 'expected residual blocks in the masked network at flows.0.flow'],
    [
      'normflows_masked_affine',
      'expected a layer of normflows at flows.0 that is read, got one with b, s.net',
    ],
  ])('%s is refused by name', async (name, message) => {
    await expect(importCheckpoint(weights(name))).rejects.toThrow(message);
  });

  it('a plain network of nflows that reads more than what passes is refused by name', async () => {
    const name = '_transform._transforms.0.transform_net._input_layer.weight';
    const wider = { shape: [7, 3], data: new Float32Array(21) };
    const bytes = writeNpz({ ...readNpz(weights('nflows_plain')), [name]: wider });
    await expect(importCheckpoint(bytes)).rejects.toThrow(
      'an MLP at _transform._transforms.0.transform_net that reads the 2 values that pass, got 3 inputs',
    );
  });
});
