import { type Module, serializeModule } from '../core/module';
import { checkWeightNames } from '../core/weightNames';
import type { NdArray } from '../data';
import type { Values } from './arrays';
import { writeSafetensors } from './safetensors';

/**
 * A flow as a safetensors file: structure and weights, bit for bit; `importCheckpoint` reads it.
 *
 * Tensors: every weight under its hierarchical name (`bijector/multiscale/level0/step2/actnorm/bias`), float32, kernels as
 * [height, width, in, out]. Metadata: `format` 'tfjs-flows', `version` '1', `module` the structure as JSON, `initialized`.
 *
 * @throws ConfigError for two weights of one name
 * @see github.com/huggingface/safetensors, "Format"
 * @example
 * const bytes = await exportSafetensors(glow);
 * const copy = await importCheckpoint(bytes);
 */
export async function exportSafetensors(flow: Module): Promise<Uint8Array> {
  const arrays: Record<string, NdArray> = Object.fromEntries(await readWeights('exportSafetensors', flow));
  return writeSafetensors(arrays, {
    format: 'tfjs-flows',
    version: '1',
    module: JSON.stringify(serializeModule(flow)),
    initialized: String(flow.initialized),
  });
}

/** All weights of a module, read back from the device. */
export async function readWeights(where: string, module: Module): Promise<Map<string, Values>> {
  checkWeightNames(
    where,
    module.weights.map(({ name, variable }) => ({ name, shape: variable.shape })),
  );
  const entries = module.weights.map(async ({ name, variable }): Promise<[string, Values]> => {
    const data = Float32Array.from(await variable.data());
    return [name, { shape: [...variable.shape], data }];
  });
  return new Map(await Promise.all(entries));
}
