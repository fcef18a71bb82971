import { complaint, FormatError } from '../../core/errors';
import { type Bytes, toBytes, viewOf } from '../../data/bytes';
import { fileKind } from '../../data/fileKind';
import { openZip, type ZipEntry } from '../../data/zip';
import { PickledClass, PickledObject, type PickleGlobal } from './pickledObject';
import { Storage } from './storage';
import { torchGlobals } from './tensors';
import { type PickleWorld, unpickle } from './unpickle';

/** First number of the stacked-pickle form (torch/serialization.py). */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

const WHERE = 'readTorchFile';
const DAMAGED = 'The file is damaged or truncated.';

/** Whether the bytes begin as a pickle, or the stacked pickles that torch.save wrote before version 1.6. */
export function isPickle(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5;
}

/**
 * Reads what `torch.save` wrote, in the zip form or the older stacked-pickle form, or `pickle.dump`, and runs no code of the file.
 *
 * Numpy arrays of numbers are tensors too. Objects of other classes stand for themselves, by the name of their class.
 *
 * @returns the object: dicts as Maps, tuples and lists as arrays, tensors as StoredTensor, bytes as Uint8Array, others as PickledObject
 * @throws FormatError for what would run code in Python (the message names it), a damaged file, or one made to fill memory
 * @example
 * const checkpoint = readTorchFile(trainedPkg) as Map<string, unknown>;
 * checkpoint.get('global_step');
 */
export function readTorchFile(input: Bytes): unknown {
  const bytes = toBytes(WHERE, input);
  if (isPickle(bytes)) return readPickles(bytes);
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return readZipped(bytes);
  throw new FormatError(complaint(WHERE, 'a file of torch.save', fileKind(bytes)));
}

function readZipped(bytes: Uint8Array): unknown {
  const files = openZip(WHERE, 'a whole PyTorch file', bytes);
  const pickle = [...files.keys()].find((name) => name.endsWith('/data.pkl'));
  if (pickle === undefined) {
    const names = [...files.keys()].slice(0, 8).join(', ');
    throw new FormatError(complaint(WHERE, 'an archive with data.pkl', `files ${names}`));
  }
  const root = pickle.slice(0, -'data.pkl'.length);
  const order = files.get(`${root}byteorder`);
  if (order !== undefined) checkOrder(new TextDecoder().decode(order.read()) === 'little');
  const world = new TorchWorld();
  const { value } = unpickle(WHERE, (files.get(pickle) as ZipEntry).read(), 0, world);
  for (const [key, storage] of world.storages) {
    const content = files.get(`${root}data/${key}`);
    if (content === undefined) throw new FormatError(complaint(WHERE, `the entry data/${key}`, 'none'));
    storage.fill(content.read());
  }
  world.checkViews();
  return value;
}

function checkOrder(little: boolean): void {
  if (little) return;
  throw new FormatError(
    complaint(WHERE, 'little-endian values', 'big-endian ones', 'Save it on another machine.'),
  );
}

/** One pickle, or those of the older form of torch.save: a magic number, a version, the machine, the object, the keys of its storages. */
function readPickles(bytes: Uint8Array): unknown {
  const world = new TorchWorld();
  const first = unpickle(WHERE, bytes, 0, world);
  const value = first.value === LEGACY_MAGIC ? readStacked(bytes, first.end, world) : first.value;
  world.checkViews();
  return value;
}

function readStacked(bytes: Uint8Array, start: number, world: TorchWorld): unknown {
  let offset = start;
  const next = () => {
    const { value, end } = unpickle(WHERE, bytes, offset, world);
    offset = end;
    return value;
  };
  const protocol = next();
  if (protocol !== LEGACY_PROTOCOL) {
    throw new FormatError(complaint(WHERE, `protocol ${LEGACY_PROTOCOL}`, printed(protocol)));
  }
  const system = next();
  checkOrder(!(system instanceof Map && system.get('little_endian') === false));
  const value = next();
  const keys = next();
  for (const key of Array.isArray(keys) ? keys : []) {
    const storage = world.storages.get(key);
    const length = offset + 8 <= bytes.length ? Number(viewOf(bytes).getBigInt64(offset, true)) : Number.NaN;
    if (storage === undefined || length !== storage.count) {
      const expected = `${storage?.count} values in storage ${printed(key)}`;
      throw new FormatError(complaint(WHERE, expected, `${length}`, DAMAGED));
    }
    const end = offset + 8 + storage.byteLength;
    storage.fill(bytes.subarray(offset + 8, end));
    offset = end;
  }
  return value;
}

/** A number or text of a pickle for messages; lists may be nested without end. */
function printed(value: unknown): string {
  return typeof value === 'object' ? 'an object' : String(value);
}

/** Bytes that tensors may have beyond those of their storages: 64 MiB, ... */
const VIEWS_ALWAYS = 2 ** 26;
/** ... and this many times the storages, for weights that several layers share. */
const VIEWS_MOST_TIMES = 8;

/** What a file's pickles refer to. */
class TorchWorld implements PickleWorld {
  readonly storages = new Map<string, Storage>();
  private stored = 0;
  private viewed = 0;

  readonly globals: ReadonlyMap<string, PickleGlobal> = new Map([
    ...torchGlobals((bytes) => {
      this.viewed += bytes;
    }),
    // How pickle.dump keeps a storage: as a file of torch.save within the pickle.
    ['torch.storage._load_from_bytes', { call: ([bytes]: unknown[]) => this.storageWithin(bytes) }],
  ]);

  /** Tensors refer to their storages by ('storage', type, key, device, count, ...). */
  persistent(id: unknown): unknown {
    const [kind, type, key, , count] = Array.isArray(id) ? id : [];
    // The class of a module, with its source, in files of the older form.
    if (kind === 'module' && type instanceof PickledClass) return type;
    if (kind === 'storage' && type instanceof PickledClass) return new PickledObject(type.name);
    const sound =
      Storage.isType(type) && Number.isSafeInteger(count) && count >= 0 && typeof key !== 'object';
    if (kind !== 'storage' || !sound) {
      throw new FormatError(complaint(WHERE, 'a reference to a storage', `${printed(kind)} ${printed(key)}`));
    }
    const known = this.storages.get(String(key));
    if (known !== undefined) return known;
    const storage = new Storage(String(key), type.storageType, count);
    this.storages.set(storage.key, storage);
    this.stored += storage.byteLength;
    return storage;
  }

  private storageWithin(bytes: unknown): unknown {
    const storage = bytes instanceof Uint8Array ? readPickles(bytes) : undefined;
    if (!(storage instanceof Storage)) {
      throw new FormatError(complaint(WHERE, 'a storage within a pickle', 'something else'));
    }
    this.stored += storage.byteLength;
    return storage;
  }

  /** Throws a FormatError where a small file has tensors made to fill memory: views on one value, or on the same values again and again. */
  checkViews(): void {
    const most = VIEWS_ALWAYS + VIEWS_MOST_TIMES * this.stored;
    if (this.viewed <= most) return;
    const expected = `tensors of at most ${most} bytes, for storages of ${this.stored}`;
    throw new FormatError(complaint(WHERE, expected, this.viewed));
  }
}
