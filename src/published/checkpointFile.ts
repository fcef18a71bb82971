import { complaint, FormatError } from '../core/errors';
import { readNpz } from '../data';
import { type Bytes, toBytes } from '../data/bytes';
import { fileKind } from '../data/fileKind';
import { OtherArrayError } from '../data/npy';
import { openZip } from '../data/zip';
import { findStateDict } from './pytorch/stateDict';
import { isPickle, readTorchFile } from './pytorch/torchFile';
import { readSafetensors } from './safetensors';
import type { ElementType, StoredTensors } from './storedTensor';

/** Kinds of files that hold tensors. */
export type Container = 'pytorch' | 'npz' | 'safetensors';

/** The tensors of a checkpoint, whatever the file around them. */
export interface CheckpointFile {
  container: Container;
  tensors: StoredTensors;
  /** Strings beside the tensors, where the container has them. */
  metadata: Record<string, string>;
  /** What was beside the model: the optimizer's state, counters; tensors of types that are not read. */
  skipped: string[];
  /** What stood before every name, as in 'module._orig_mod.', and was taken off. */
  prefix: string;
}

const WHERE = 'importCheckpoint';

/**
 * Opens a PyTorch, npz or safetensors file by its first bytes, and finds the model's state dict in it.
 *
 * @throws FormatError for another kind of file, or none of them
 */
export function openCheckpoint(input: Bytes): CheckpointFile {
  const file = open(toBytes(WHERE, input));
  return file.metadata.format === 'tfjs-flows' ? file : plainNames(file);
}

function open(bytes: Uint8Array): CheckpointFile {
  if (isPickle(bytes)) return fromTorch(bytes);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    return isNpz(bytes) ? fromNpz(bytes) : fromTorch(bytes);
  }
  if (bytes[8] === 0x7b) return { container: 'safetensors', prefix: '', ...readSafetensors(bytes) };
  throw new FormatError(complaint(WHERE, 'a PyTorch, npz or safetensors file', fileKind(bytes)));
}

function fromTorch(bytes: Uint8Array): CheckpointFile {
  return { container: 'pytorch', metadata: {}, prefix: '', ...findStateDict(readTorchFile(bytes)) };
}

/** numpy writes `name.npy` into its archives, PyTorch `archive/data.pkl`. */
function isNpz(bytes: Uint8Array): boolean {
  const names = [...openZip(WHERE, 'a whole npz or PyTorch file', bytes).keys()];
  return names.every((name) => !name.endsWith('/data.pkl')) && names.some((name) => name.endsWith('.npy'));
}

/** What is no array of numbers is left out by name: it is nothing of a model. */
function fromNpz(bytes: Uint8Array): CheckpointFile {
  const tensors: StoredTensors = new Map();
  const skipped: string[] = [];
  const arrays = readNpz(bytes);
  for (const name of Object.keys(arrays)) {
    try {
      const array = arrays[name];
      tensors.set(name, { dtype: elementTypeOfData(array.data), shape: array.shape, read: () => array });
    } catch (error) {
      if (!(error instanceof OtherArrayError)) throw error;
      skipped.push(name);
    }
  }
  return { container: 'npz', tensors, metadata: {}, skipped, prefix: '' };
}

function elementTypeOfData(data: ArrayBufferView): ElementType {
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

/** What wrappers put before every name: DataParallel and DDP, torch.compile, modules of training code, sbi's estimators. */
const prefixes = ['module.', '_orig_mod.', 'model.', 'net.', '_estimator.'];

/** Names by which sbi's files are told from those of the libraries inside them; `net.` stays before these. */
const ofSbi = /^net\.(_transform|_distribution|_embedding_net|transform|base)\./;

/** Wrappers around wrappers. */
const MOST_PREFIXES = 8;

/** Names without what wrappers put before all of them, and without the `:0` of TensorFlow. */
function plainNames(file: CheckpointFile): CheckpointFile {
  const names = [...file.tensors.keys()];
  let prefix = '';
  const next = () => {
    const part = prefixes.find((known) => names.every((name) => name.startsWith(prefix + known)));
    return names.some((name) => ofSbi.test(name.slice(prefix.length))) ? undefined : part;
  };
  for (let i = 0; i < MOST_PREFIXES && names.length > 0; i++) prefix += next() ?? '';
  const plain = (name: string) => name.slice(prefix.length).replace(/:0$/, '');
  const tensors = new Map([...file.tensors].map(([name, tensor]) => [plain(name), tensor]));
  return { ...file, tensors, prefix };
}
