import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ConfigError,
  FormatError,
  type ImportOptions,
  importCheckpoint,
  inspectCheckpoint,
  type NdArray,
  readNpz,
  type VectorSettings,
  writeNpz,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../../support/leaks';
import { vectorFixture } from './fixture';

beforeAll(() => tf.setBackend('cpu'));

type Arrays = Record<string, NdArray>;

/** A model's arrays, some of them changed. */
function changed(name: string, change: (arrays: Arrays) => void): Uint8Array {
  const arrays: Arrays = { ...readNpz(vectorFixture(name).bytes('weights.npz')) };
  change(arrays);
  return writeNpz(arrays);
}

/** The error that an import throws, which leaves nothing behind. */
async function errorOf(bytes: Uint8Array, options: ImportOptions = {}): Promise<Error> {
  let thrown: unknown;
  await leavesNoTensors(async () => {
    try {
      (await importCheckpoint(bytes, options)).dispose();
    } catch (error) {
      thrown = error;
    }
  });
  return thrown as Error;
}

const moved = (arrays: Arrays, from: string, to: string) => {
  for (const name of Object.keys(arrays)) {
    if (!name.startsWith(from)) continue;
    arrays[to + name.slice(from.length)] = arrays[name];
    delete arrays[name];
  }
};
const ones = (...shape: number[]): NdArray => ({
  shape,
  data: new Float32Array(shape.reduce((product, length) => product * length, 1)).fill(1),
});
const layer = (i: number) => `_transform._transforms.${i}`;

describe('parameters that do not fit', () => {
  it('are named all at once: missing, unknown and misshapen', async () => {
    const bytes = changed('nflows_maf_context', (arrays) => {
      delete arrays[`${layer(1)}.autoregressive_net.initial_layer.bias`];
      arrays[`${layer(3)}.autoregressive_net.final_layer.bias`] = ones(5);
      arrays[`${layer(3)}.autoregressive_net.gate`] = ones(2);
    });
    const error = await errorOf(bytes);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain('3 that do not');
    expect(error.message).toContain(`${layer(1)}.autoregressive_net.initial_layer.bias is missing`);
    expect(error.message).toContain(`${layer(3)}.autoregressive_net.final_layer.bias is [5] instead of [8]`);
    expect(error.message).toContain(`${layer(3)}.autoregressive_net.gate is unknown`);
  });

  it('are those by which config does not fit the file', async () => {
    const error = await errorOf(vectorFixture('nflows_rqs_autoregressive').bytes('weights.npz'), {
      config: { bins: 10 },
    });
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain('final_layer.weight is [92, 20] instead of [116, 20]');
  });

  it.each<[what: string, (arrays: Arrays) => void, message: string]>([
    [
      'a layer of other sizes',
      (arrays) => {
        arrays[`${layer(0)}._permutation`] = { shape: [3], data: Int32Array.of(0, 1, 2) };
      },
      `${layer(0)} has 3 values`,
    ],
    [
      'a network without its first layer',
      (arrays) => {
        delete arrays[`${layer(1)}.autoregressive_net.initial_layer.weight`];
      },
      `${layer(1)}.autoregressive_net.initial_layer.weight`,
    ],
    [
      'a weight without axes',
      (arrays) => {
        arrays[`${layer(1)}.autoregressive_net.final_layer.weight`] = ones();
      },
      'to have 2 axes',
    ],
    [
      'no layers at all',
      (arrays) => {
        for (const name of Object.keys(arrays)) delete arrays[name];
        arrays['_transform.other'] = ones(2);
      },
      '_transform',
    ],
    [
      'an order that is none',
      (arrays) => {
        arrays[`${layer(0)}._permutation`] = { shape: [4], data: Int32Array.of(0, 1, 1, 2) };
      },
      'permutation',
    ],
    [
      'masks by which values depend on themselves',
      (arrays) => {
        const name = `${layer(1)}.autoregressive_net.final_layer.mask`;
        arrays[name] = ones(...arrays[name].shape);
      },
      'every value depends on those before it',
    ],
    [
      'a layer that is not read',
      (arrays) => {
        delete arrays[`${layer(0)}._permutation`];
        arrays[`${layer(0)}.q_vectors`] = ones(4, 4);
      },
      `a layer of nflows at ${layer(0)}`,
    ],
    [
      'normalization of batches',
      (arrays) => {
        arrays[`${layer(1)}.autoregressive_net.blocks.0.batch_norm_layers.0.weight`] = ones(20);
      },
      'batch normalization',
    ],
    [
      'another base',
      (arrays) => {
        arrays['_distribution._context_encoder.weight'] = ones(8, 2);
      },
      '_distribution._context_encoder.weight',
    ],
  ])('%s', async (_, change, message) => {
    const error = await errorOf(changed('nflows_maf_context', change));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain(message);
    expect(error.message.length).toBeLessThan(2000);
  });

  it.each<[what: string, (arrays: Arrays) => void, message: string]>([
    ['a layer', (arrays) => moved(arrays, layer(3), layer(60_000_000)), '_transforms.6 to 59999999'],
    [
      'a block',
      (arrays) => {
        const blocks = `${layer(1)}.autoregressive_net.blocks`;
        moved(arrays, `${blocks}.1`, `${blocks}.60000000`);
      },
      'blocks.1',
    ],
  ])('%s of number 60,000,000 builds nothing', async (_, change, message) => {
    expect((await errorOf(changed('nflows_maf_context', change))).message).toContain(message);
  });
});

describe('options', () => {
  const nsf = () => vectorFixture('nflows_nsf_coupling').bytes('weights.npz');

  it.each<[ImportOptions, string]>([
    [{ config: { tail_bound: 3 } as VectorSettings }, "Did you mean 'bound'?"],
    [{ config: { activation: 'sigmoid' as never } }, 'activation among relu'],
    [{ config: { bound: -1 } }, 'a bound above 0'],
    [{ config: { scale: 'softplus' } }, "'scale'"],
    [{ config: { divided: 1 as never } }, 'divided'],
    [{ config: { layers: [{ bound: 3 }] } }, 'a permutation layer'],
    [{ config: { layers: { 17: { bound: 3 } } } }, 'layers 0 to 7'],
    [{ config: { base: { type: 'cauchy' as never } } }, 'type of the base'],
    [{ config: [] as never }, 'an object of options'],
    [{ nBits: 5 }, 'for a file of nflows'],
    [{ columns: ['a', 'b'] }, '5'],
    [{ library: 'pyro' as never }, 'library'],
  ])('%j is refused', async (options, message) => {
    const error = await errorOf(nsf(), options);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain(message);
  });

  it('of vectors are no options of a Glow', async () => {
    const glow = writeNpz({ 'blocks.0.flows.0.actnorm.loc': ones(1, 4, 1, 1) });
    const error = await errorOf(glow, { library: 'rosinality', config: {} });
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("'config'");
  });

  it('say another library than the names', async () => {
    expect((await errorOf(nsf(), { library: 'zuko' })).message).toContain('the parameter names of zuko');
    expect(inspectCheckpoint(nsf(), { library: 'sbi' })).toMatchObject({ library: 'sbi' });
    expect(inspectCheckpoint(nsf(), { library: 'sbi' }).guesses).toContainEqual(
      expect.objectContaining({ field: 'bound', value: 3 }),
    );
  });

  it('name columns', async () => {
    const columns = ['a', 'b', 'c', 'd', 'e'];
    const flow = await importCheckpoint(nsf(), { library: 'nflows', columns, name: 'posterior' });
    expect(flow.columns.map(({ name }) => name)).toEqual(columns);
    expect(flow.name).toBe('posterior');
    expect(flow.latentIsNormal).toBe(true);
    flow.dispose();
  });
});

describe('what stands around a flow', () => {
  it('is refused where it is a network of its own, unless it is computed outside', async () => {
    const bytes = changed('nflows_sbi_maf', (arrays) => {
      arrays['net._embedding_net.1.0.weight'] = ones(2, 7);
      arrays['net._embedding_net.1.0.bias'] = ones(2);
    });
    const error = await errorOf(bytes);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain('net._embedding_net.1.0.weight');
    expect(inspectCheckpoint(bytes).leftOut).toContain('net._embedding_net.1.0.bias');
    await leavesNoTensors(async () => {
      const flow = await importCheckpoint(bytes, { library: 'sbi', config: { embedding: 'outside' } });
      expect(flow.contextShape).toEqual([2]);
      flow.dispose();
    });
  });

  it('are layers without parameters, which may do nothing where the user says so', async () => {
    const bytes = changed('nflows_realnvp', (arrays) => moved(arrays, layer(3), layer(5)));
    expect((await errorOf(bytes)).message).toContain('none for _transforms.3 to 4');
    await leavesNoTensors(async () => {
      (await importCheckpoint(bytes, { config: { gaps: 'identity' } })).dispose();
    });
  });
});
