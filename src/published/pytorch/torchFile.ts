import { complaint, FormatError } from '../../core/errors';
import { type Bytes, toBytes, viewOf } from '../../data/bytes';
import { openZip, type ZipEntry } from '../../data/zip';
import { elementSize } from '../elements';
import { Storage, torchGlobals } from './tensors';
import { type PickleWorld, unpickle } from './unpickle';

/** First number of the stacked-pickle form (torch/serialization.py). */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

const WHERE = 'readTorchFile';

/** Whether the bytes begin as the stacked pickles that torch.save wrote before version 1.6. */
export function isLegacyTorchFile(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80 && bytes[1] <= 5;
}

/**
 * Reads what `torch.save` wrote, in the zip form or the older stacked-pickle form, and runs no code of the file.
 *
 * @returns the object: dicts as Maps, tuples and lists as arrays, tensors as StoredTensor
 * @throws FormatError for anything but tensors, dicts, numbers and strings in it (the message names it), or a damaged file
 * @example
 * const checkpoint = readTorchFile(trainedPkg) as Map<string, unknown>;
 * checkpoint.get('global_step');
 */
export function readTorchFile(input: Bytes): unknown {
  const bytes = toBytes(WHERE, input);
  return isLegacyTorchFile(bytes) ? readStacked(bytes) : readZipped(bytes);
}

function readZipped(bytes: Uint8Array): unknown {
  const files = openZip(WHERE, 'a whole PyTorch file', bytes);
  const pickle = [...files.keys()].find((name) => name.endsWith('/data.pkl'));
  if (pickle === undefined) {
    throw new FormatError(complaint(WHERE, 'an archive with data.pkl', [...files.keys()].join(', ')));
  }
  const root = pickle.slice(0, -'data.pkl'.length);
  const order = files.get(`${root}byteorder`);
  if (order !== undefined && new TextDecoder().decode(order.read()) !== 'little') {
    throw new FormatError(
      complaint(WHERE, 'little-endian values', 'big-endian ones', 'Save it on another machine.'),
    );
  }
  const storages = new Map<string, Storage>();
  const { value } = unpickle(WHERE, (files.get(pickle) as ZipEntry).read(), 0, world(storages));
  for (const [key, storage] of storages) {
    const content = files.get(`${root}data/${key}`);
    if (content === undefined) throw new FormatError(complaint(WHERE, `the entry data/${key}`, 'none'));
    storage.fill(content.read());
  }
  return value;
}

function readStacked(bytes: Uint8Array): unknown {
  const storages = new Map<string, Storage>();
  let offset = 0;
  const next = () => {
    const { value, end } = unpickle(WHERE, bytes, offset, world(storages));
    offset = end;
    return value;
  };
  if (next() !== LEGACY_MAGIC) {
    throw new FormatError(complaint(WHERE, 'a file of torch.save', 'another pickle'));
  }
  const protocol = next();
  if (protocol !== LEGACY_PROTOCOL) {
    throw new FormatError(complaint(WHERE, `protocol ${LEGACY_PROTOCOL}`, String(protocol)));
  }
  const system = next();
  if (system instanceof Map && system.get('little_endian') === false) {
    throw new FormatError(
      complaint(WHERE, 'little-endian values', 'big-endian ones', 'Save it on another machine.'),
    );
  }
  const value = next();
  const keys = next();
  for (const key of Array.isArray(keys) ? keys : []) {
    const storage = storages.get(key);
    const length = offset + 8 <= bytes.length ? Number(viewOf(bytes).getBigInt64(offset, true)) : Number.NaN;
    if (storage === undefined || length !== storage.count) {
      throw new FormatError(
        complaint(
          WHERE,
          `${storage?.count} values in storage ${key}`,
          `${length}`,
          'The file is damaged or truncated.',
        ),
      );
    }
    const end = offset + 8 + length * elementSize(storage.type);
    storage.fill(bytes.subarray(offset + 8, end));
    offset = end;
  }
  return value;
}

/** Tensors refer to their storages by ('storage', type, key, device, count, ...). */
function world(storages: Map<string, Storage>): PickleWorld {
  return {
    globals: torchGlobals,
    persistent: (id) => {
      const [kind, type, key, , count] = Array.isArray(id) ? id : [];
      if (kind !== 'storage' || !Storage.isType(type) || !Number.isSafeInteger(count)) {
        throw new FormatError(complaint(WHERE, 'a reference to a storage', `${String(kind)} ${String(key)}`));
      }
      const known = storages.get(String(key));
      if (known !== undefined) return known;
      const storage = new Storage(String(key), type.storageType, count);
      storages.set(storage.key, storage);
      return storage;
    },
  };
}
