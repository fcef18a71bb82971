import { complaint, FormatError } from '../../core/errors';
import { sizeOf } from '../../core/shapes';
import { emptyLike, type NumericData } from '../../data/ndArray';
import { elementSize, readElements } from '../elements';
import type { ElementType, StoredTensor } from '../storedTensor';
import type { PickleGlobal } from './unpickle';

const WHERE = 'readTorchFile';

/** A class such as torch.FloatStorage: named in the pickle, never called. */
interface StorageClass extends PickleGlobal {
  storageType: ElementType;
}

/** A flat run of values that tensors look at; its bytes are known once the pickle has been read. */
export class Storage {
  private bytes?: Uint8Array;

  constructor(
    readonly key: string,
    readonly type: ElementType,
    readonly count: number,
  ) {}

  static isType(value: unknown): value is StorageClass {
    return typeof value === 'object' && value !== null && 'storageType' in value;
  }

  fill(bytes: Uint8Array): void {
    const expected = this.count * elementSize(this.type);
    if (bytes.length !== expected) {
      const where = `${WHERE}(storage ${this.key})`;
      throw new FormatError(
        complaint(where, `${expected} bytes`, `${bytes.length}`, 'The file is damaged or truncated.'),
      );
    }
    this.bytes = bytes;
  }

  /** Values `from` to `to`. */
  values(from: number, to: number): NumericData {
    if (this.bytes === undefined) {
      throw new FormatError(complaint(WHERE, `the values of storage ${this.key}`, 'none in the file'));
    }
    const width = elementSize(this.type);
    return readElements(WHERE, this.bytes.subarray(from * width, to * width), this.type, to - from);
  }
}

/** A view on a storage: value [i, j, ...] is storage[offset + i * stride[0] + j * stride[1] + ...]. */
function rebuildTensor([storage, offset, size, stride]: unknown[]): StoredTensor {
  const whole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const lists = [size, stride].every((list) => Array.isArray(list) && list.every(whole));
  if (!(storage instanceof Storage) || !whole(offset) || !lists) {
    throw new FormatError(complaint(WHERE, 'a tensor of storage, offset, size and stride', 'something else'));
  }
  const shape = size as number[];
  const strides = stride as number[];
  const count = sizeOf(shape);
  const reach = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis], offset as number);
  if (strides.length !== shape.length || (count > 0 && reach >= storage.count)) {
    throw new FormatError(
      complaint(
        WHERE,
        `a tensor within its storage of ${storage.count} values`,
        `[${shape.join(', ')}] up to ${reach}`,
      ),
    );
  }
  const read = () => ({ shape, data: gather(storage, offset as number, shape, strides) });
  return { dtype: storage.type, shape, read };
}

function gather(storage: Storage, offset: number, shape: number[], strides: number[]): NumericData {
  const count = sizeOf(shape);
  if (count === 0) return storage.values(0, 0);
  const reach = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis], 0);
  const source = storage.values(offset, offset + reach + 1);
  const rowMajor = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  if (shape.every((length, axis) => length === 1 || strides[axis] === rowMajor[axis])) return source;
  const data = emptyLike(source, count);
  for (let i = 0; i < count; i++) {
    let at = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      at += (Math.floor(i / rowMajor[axis]) % shape[axis]) * strides[axis];
    }
    data[i] = source[at];
  }
  return data;
}

const storageTypes: Record<string, ElementType> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** The names that a PyTorch file may use. */
export const torchGlobals: ReadonlyMap<string, PickleGlobal> = new Map<string, PickleGlobal>([
  ['collections.OrderedDict', { call: ([items = []]) => new Map(items as [unknown, unknown][]) }],
  ['torch._utils._rebuild_tensor', { call: rebuildTensor }],
  ['torch._utils._rebuild_tensor_v2', { call: rebuildTensor }],
  ['torch._utils._rebuild_parameter', { call: ([tensor]) => tensor }],
  ['torch.Size', { call: ([lengths]) => lengths }],
  ...Object.entries(storageTypes).map(([name, storageType]): [string, StorageClass] => [
    `torch.${name}`,
    { storageType },
  ]),
]);
