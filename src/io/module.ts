import * as tf from '@tensorflow/tfjs-core';
import { type Module, type SerializedModule, serializeModule } from '../core/module';
import { restoreModule } from '../core/restoreModule';
import { open, seal } from './envelope';
import { type Location, loaderOf, saveTo } from './handlers';
import { matchTensors } from './tensors';

interface ModuleContent extends SerializedModule {
  initialized: boolean;
}

/**
 * A module as tf.io artifacts: its JSON form in `modelTopology`, its weights under their hierarchical names.
 *
 * @param metadata anything JSON-able to keep beside the module, as `userDefinedMetadata`
 *
 * @example
 * const artifacts = await moduleToArtifacts(bijector);
 * artifacts.weightSpecs?.map(({ name }) => name); // ['step0/actnorm/bias', ...]
 */
export async function moduleToArtifacts(
  module: Module,
  metadata?: Record<string, object>,
): Promise<tf.io.ModelArtifacts> {
  const content: ModuleContent = { ...serializeModule(module), initialized: module.initialized };
  const tensors = module.weights.map(({ name, variable }) => ({ name, tensor: variable }));
  const artifacts = await seal('saveModule', 'module', content, tensors);
  return metadata === undefined ? artifacts : { ...artifacts, userDefinedMetadata: metadata };
}

/**
 * The module that artifacts describe, with the very same weights.
 *
 * @throws FormatError for another format or version, damaged data, an unknown class, or weights that do not fit; all are listed at once
 *
 * @example
 * const copy = moduleFromArtifacts<Chain>(await moduleToArtifacts(chain));
 */
export function moduleFromArtifacts<T extends Module>(artifacts: tf.io.ModelArtifacts): T {
  const { content, tensors } = open<ModuleContent>('loadModule', 'module', artifacts);
  let module: T | undefined;
  try {
    module = restoreModule<T>('loadModule', content, tensors.values());
    const weights = module.weights;
    const expected = weights.map(({ name, variable }) => ({
      name,
      shape: variable.shape,
      dtype: variable.dtype,
    }));
    matchTensors('loadModule', expected, tensors);
    for (const { name, variable } of weights) variable.assign(tensors.get(name) as tf.Tensor);
    if (content.initialized) module.markInitialized();
    return module;
  } catch (error) {
    module?.dispose();
    throw error;
  } finally {
    tf.dispose([...tensors.values()]);
  }
}

/**
 * Saves a module with its weights, bit for bit.
 *
 * @param location a tf.io handler or a URL: `indexeddb://`, `localstorage://`, `downloads://`, `https://`; `file://` with 'tfjs-flows/node'
 * @throws ConfigError for a URL that nothing handles
 *
 * @example
 * await saveModule(bijector, 'indexeddb://my-bijector');
 */
export async function saveModule(module: Module, location: Location): Promise<tf.io.SaveResult> {
  return saveTo('saveModule', location, () => moduleToArtifacts(module));
}

/**
 * Loads a module that `saveModule` wrote.
 *
 * @param location as for `saveModule`
 * @throws FormatError, ConfigError
 *
 * @example
 * const bijector = await loadModule<Chain>('indexeddb://my-bijector');
 */
export async function loadModule<T extends Module>(location: Location): Promise<T> {
  return moduleFromArtifacts<T>(await loaderOf('loadModule', location)());
}
