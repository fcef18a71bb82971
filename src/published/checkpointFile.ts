import { complaint, FormatError } from '../core/errors';
import { readNpz } from '../data';
import { type Bytes, toBytes } from '../data/bytes';
import { fileKind } from '../data/fileKind';
import { OtherArrayError } from '../data/npy';
import { isLegacyTorchFile, readTorchFile } from './pytorch/torchFile';
import { readSafetensors } from './safetensors';
import type { ElementType, StoredTensor, StoredTensors } from './storedTensor';

/** Kinds of files that hold tensors. */
export type Container = 'pytorch' | 'npz' | 'safetensors';

/** The tensors of a checkpoint, whatever the file around them. */
export interface CheckpointFile {
  container: Container;
  tensors: StoredTensors;
  /** Strings beside the tensors, where the container has them. */
  metadata: Record<string, string>;
  /** What was beside the model: the optimizer's state, counters. */
  skipped: string[];
}

const WHERE = 'importCheckpoint';

/** Where training code keeps the model beside other things. */
const wrappers = ['graph', 'state_dict', 'model_state_dict', 'model', 'module'];

/**
 * Opens a PyTorch, npz or safetensors file by its first bytes, and finds the model's state dict in it.
 *
 * @throws FormatError for another kind of file, or none of them
 */
export function openCheckpoint(input: Bytes): CheckpointFile {
  const bytes = toBytes(WHERE, input);
  const opened = open(bytes);
  return { ...opened, tensors: plainNames(opened.tensors) };
}

function open(bytes: Uint8Array): CheckpointFile {
  if (isLegacyTorchFile(bytes)) return fromTorch(readTorchFile(bytes));
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    return isTorchArchive(bytes) ? fromTorch(readTorchFile(bytes)) : fromNpz(bytes);
  }
  if (bytes[8] === 0x7b) return { container: 'safetensors', skipped: [], ...readSafetensors(bytes) };
  throw new FormatError(complaint(WHERE, 'a PyTorch, npz or safetensors file', fileKind(bytes)));
}

/** PyTorch writes `archive/data.pkl` first; numpy writes `name.npy`. */
function isTorchArchive(bytes: Uint8Array): boolean {
  const nameLength = bytes[26] + 256 * bytes[27];
  return !new TextDecoder().decode(bytes.subarray(30, 30 + nameLength)).endsWith('.npy');
}

/** What is no array of numbers is left out by name: it is nothing of a model. */
function fromNpz(bytes: Uint8Array): CheckpointFile {
  const tensors: StoredTensors = new Map();
  const skipped: string[] = [];
  const arrays = readNpz(bytes);
  for (const name of Object.keys(arrays)) {
    try {
      const array = arrays[name];
      tensors.set(name, { dtype: elementTypeOf(array.data), shape: array.shape, read: () => array });
    } catch (error) {
      if (!(error instanceof OtherArrayError)) throw error;
      skipped.push(name);
    }
  }
  return { container: 'npz', tensors, metadata: {}, skipped };
}

function elementTypeOf(data: ArrayBufferView): ElementType {
  const names: [unknown, ElementType][] = [
    [Float32Array, 'F32'],
    [Float64Array, 'F64'],
    [Int32Array, 'I32'],
    [Uint32Array, 'U32'],
    [Int16Array, 'I16'],
    [Uint16Array, 'U16'],
    [Int8Array, 'I8'],
  ];
  return names.find(([type]) => type === data.constructor)?.[1] ?? 'U8';
}

function fromTorch(root: unknown): CheckpointFile {
  if (!(root instanceof Map)) {
    const received = isTensor(root) ? 'one tensor' : Array.isArray(root) ? 'a list' : typeof root;
    throw new FormatError(complaint(WHERE, 'a state dict', received));
  }
  const direct = tensorsOf(root);
  const [wrapper, inner] = wrappers
    .map((key): [string, unknown] => [key, root.get(key)])
    .find(([, value]) => value instanceof Map && tensorsOf(value).size > 0) ?? ['', undefined];
  if (inner instanceof Map) {
    const skipped = [...root.keys()].filter((key) => key !== wrapper).map(String);
    return { container: 'pytorch', tensors: tensorsOf(inner), metadata: {}, skipped };
  }
  if (direct.size === 0) {
    const hint = root.has('param_groups')
      ? "That is an optimizer's state; the model is in another file."
      : '';
    const received = `keys ${[...root.keys()].slice(0, 8).map(String).join(', ')}`;
    throw new FormatError(
      complaint(WHERE, `a state dict, or one under ${wrappers.join(', ')}`, received, hint),
    );
  }
  const skipped = [...root.keys()].filter((key) => !direct.has(key)).map(String);
  return { container: 'pytorch', tensors: direct, metadata: {}, skipped };
}

function tensorsOf(map: ReadonlyMap<unknown, unknown>): StoredTensors {
  const tensors: StoredTensors = new Map();
  for (const [name, value] of map) if (typeof name === 'string' && isTensor(value)) tensors.set(name, value);
  return tensors;
}

function isTensor(value: unknown): value is StoredTensor {
  return typeof value === 'object' && value !== null && 'read' in value && 'dtype' in value;
}

/** Names without the `module.` of DataParallel and DDP and without the `:0` of TensorFlow. */
function plainNames(tensors: StoredTensors): StoredTensors {
  const parallel = tensors.size > 0 && [...tensors.keys()].every((name) => name.startsWith('module.'));
  return new Map(
    [...tensors].map(([name, tensor]) => [name.slice(parallel ? 7 : 0).replace(/:0$/, ''), tensor]),
  );
}
