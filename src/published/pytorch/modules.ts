import { complaint, FormatError } from '../../core/errors';
import { isTensor, type StoredTensors } from '../storedTensor';
import { PickledObject } from './pickledObject';

/** Modules of a model, each counted where it stands. */
const MOST_MODULES = 2 ** 16;

/** The attributes of an object that a pickle describes, by name. */
export function attributesOf(object: PickledObject): ReadonlyMap<unknown, unknown> {
  // With slots, the state is a pair.
  const state = Array.isArray(object.state) ? object.state[0] : object.state;
  return state instanceof Map ? state : new Map();
}

/** Whether an object is a torch.nn.Module that was saved whole. */
export function isModule(value: unknown): value is PickledObject {
  return value instanceof PickledObject && attributesOf(value).get('_modules') instanceof Map;
}

/**
 * Parameters and buffers of a module that was saved whole, under the names that its state_dict() gives them.
 *
 * Source: torch/nn/modules/module.py, Module.state_dict.
 *
 * @throws FormatError for a module inside itself, or more modules than any model has
 */
export function moduleTensors(module: PickledObject): StoredTensors {
  const tensors: StoredTensors = new Map();
  const path = new Set<PickledObject>();
  let modules = 0;
  const visit = (at: PickledObject, prefix: string) => {
    if (path.has(at) || ++modules > MOST_MODULES) {
      const received = path.has(at) ? `'${prefix}' inside itself` : 'more';
      throw new FormatError(complaint('importCheckpoint', `at most ${MOST_MODULES} modules`, received));
    }
    path.add(at);
    const part = (name: string): ReadonlyMap<unknown, unknown> => {
      const found = attributesOf(at).get(name);
      return found instanceof Map ? found : new Map();
    };
    const unsaved = attributesOf(at).get('_non_persistent_buffers_set');
    const left = new Set(
      unsaved instanceof PickledObject ? [...unsaved.items, ...listOf(unsaved.args[0])] : [],
    );
    for (const [name, value] of [...part('_parameters'), ...part('_buffers')]) {
      if (isTensor(value) && !left.has(name)) tensors.set(`${prefix}${String(name)}`, value);
    }
    for (const [name, value] of part('_modules')) {
      if (isModule(value)) visit(value, `${prefix}${String(name)}.`);
    }
    path.delete(at);
  };
  visit(module, '');
  return tensors;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
