import { complaint, FormatError } from '../../core/errors';
import { isTensor, type StoredTensors } from '../storedTensor';
import { attributesOf, isModule, moduleTensors } from './modules';
import { PickledClass, PickledObject } from './pickledObject';

const WHERE = 'importCheckpoint';

/** Where training code keeps the model beside other things. */
const wrappers = ['graph', 'state_dict', 'model_state_dict', 'model', 'module'];

/** A model's tensors by name, and what was beside them. */
export interface FoundStateDict {
  tensors: StoredTensors;
  /** Names of what is left out, with the class of what is an object. */
  skipped: string[];
}

type Named = ReadonlyMap<unknown, unknown>;

/**
 * The state dict in what a PyTorch file holds: that itself, one among other things, or that of a model that was saved whole.
 *
 * @throws FormatError where there is none
 */
export function findStateDict(root: unknown): FoundStateDict {
  if (isModule(root)) return modelOf(root, []);
  const parts = partsOf(root);
  if (parts === undefined) throw new FormatError(complaint(WHERE, 'a state dict', received(root)));
  for (const key of wrappers) {
    const value = parts.get(key);
    const inner = partsOf(value);
    const found = isModule(value) || (inner !== undefined && tensorsOf(inner).size > 0);
    if (found) return modelOf(value, entriesBut(parts, key));
  }
  if (tensorsOf(parts).size > 0) return modelOf(root, []);
  // An object that holds its network, such as a posterior or an estimator.
  const [name, network] = [...parts].find(([, value]) => isModule(value)) ?? [];
  if (network !== undefined) return modelOf(network, entriesBut(parts, name));
  const keys = [...parts.keys()].slice(0, 8).map(printed).join(', ');
  const got =
    root instanceof PickledObject
      ? `an object of ${root.className} with ${keys || 'nothing'}`
      : `keys ${keys}`;
  const hint = parts.has('param_groups')
    ? "That is an optimizer's state; the model is in another file."
    : 'Save plain state dicts: torch.save(model.state_dict(), path).';
  throw new FormatError(complaint(WHERE, `a state dict, or one under ${wrappers.join(', ')}`, got, hint));
}

/** @param beside what was found around it, by name */
function modelOf(model: unknown, beside: readonly [unknown, unknown][]): FoundStateDict {
  const parts = isModule(model) ? undefined : partsOf(model);
  const tensors = parts === undefined ? moduleTensors(model as PickledObject) : tensorsOf(parts);
  const others = [...(parts ?? [])].filter(([name]) => !tensors.has(name as string));
  const skipped = [...beside, ...others].map(([name, value]) => describe(printed(name), value));
  return { tensors, skipped };
}

/** What a dict holds by its keys, or an object by its attributes. */
function partsOf(value: unknown): Named | undefined {
  if (value instanceof Map) return value;
  if (!(value instanceof PickledObject)) return undefined;
  return value.entries.size > 0 ? value.entries : attributesOf(value);
}

function entriesBut(parts: Named, left: unknown): [unknown, unknown][] {
  return [...parts].filter(([key]) => key !== left);
}

/** A name with the class of what it names, where that says more. */
function describe(name: string, value: unknown): string {
  if (value instanceof PickledClass) return `${name} (${value.name})`;
  return value instanceof PickledObject ? `${name} (${value.className})` : name;
}

/** A key for messages: lists may be nested without end. */
function printed(key: unknown): string {
  return typeof key === 'object' && key !== null ? '(...)' : String(key);
}

function received(root: unknown): string {
  if (isTensor(root)) return 'one tensor';
  if (root instanceof PickledClass) return `the class ${root.name}`;
  return Array.isArray(root) ? 'a list' : root === null ? 'None' : typeof root;
}

function tensorsOf(map: Named): StoredTensors {
  const tensors: StoredTensors = new Map();
  for (const [name, value] of map) if (typeof name === 'string' && isTensor(value)) tensors.set(name, value);
  return tensors;
}
