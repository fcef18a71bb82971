import { complaint, FormatError } from '../../core/errors';
import { sizeOf } from '../../core/shapes';
import { elementSize, readElements } from '../elements';
import type { ElementType, StoredTensor } from '../storedTensor';
import { numpyGlobals } from './numpyArrays';
import { bytesOfLatin1 } from './pickleBytes';
import { PickledClass, PickledObject, type PickleGlobal } from './pickledObject';
import { Storage, storageClasses } from './storage';

const WHERE = 'readTorchFile';

/** Axes of a tensor; PyTorch stops at 64. */
const MOST_AXES = 64;

/** How tensors look at a storage: value [i, j, ...] is storage[offset + i * stride[0] + j * stride[1] + ...]. */
interface View {
  storage: Storage;
  type: ElementType;
  offset: number;
  shape: number[];
  strides: number[];
}

/**
 * A tensor, or an object that stands for one of a type that is not read here.
 *
 * @param viewed told the bytes of each tensor
 * @param dtype type of the values, for storages that hold bytes
 */
function rebuildTensor(
  viewed: (bytes: number) => void,
  [storage, offset, size, stride]: unknown[],
  dtype?: unknown,
): StoredTensor | PickledObject {
  const unread = [storage, dtype].find(
    (part) => part instanceof PickledObject || part instanceof PickledClass,
  );
  if (unread !== undefined) {
    return new PickledObject(
      unread instanceof PickledClass ? unread.name : (unread as PickledObject).className,
    );
  }
  const whole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const lists = [size, stride].every((list) => Array.isArray(list) && list.every(whole));
  if (!(storage instanceof Storage) || !whole(offset) || !lists) {
    throw new FormatError(complaint(WHERE, 'a tensor of storage, offset, size and stride', 'something else'));
  }
  const type = dtype === undefined ? storage.type : (dtype as DataType).elementType;
  const view = {
    storage,
    type,
    offset: offset as number,
    shape: size as number[],
    strides: stride as number[],
  };
  checkWithin(view);
  viewed(sizeOf(view.shape) * elementSize(type));
  return { dtype: type, shape: view.shape, read: () => ({ shape: view.shape, data: valuesOf(view) }) };
}

function checkWithin(view: View): void {
  const { storage, type, shape, strides } = view;
  const available = Math.floor(storage.byteLength / elementSize(type));
  const count = sizeOf(shape);
  if (shape.length > MOST_AXES || strides.length !== shape.length || !Number.isSafeInteger(count)) {
    const received = `${shape.length} lengths, ${strides.length} strides`;
    throw new FormatError(complaint(WHERE, `at most ${MOST_AXES} axes with a stride each`, received));
  }
  const last = lastOf(view);
  if (count > 0 && last >= available) {
    const expected = `a tensor within its storage of ${available} values`;
    throw new FormatError(complaint(WHERE, expected, `[${shape.join(', ')}] up to ${last}`));
  }
}

/** Place of the last value. */
function lastOf({ offset, shape, strides }: View): number {
  return shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis], offset);
}

function valuesOf(view: View) {
  const { storage, type, offset, shape, strides } = view;
  const count = sizeOf(shape);
  const width = elementSize(type);
  const rowMajor = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const inOrder =
    count === 0 || shape.every((length, axis) => length === 1 || strides[axis] === rowMajor[axis]);
  const bytes = inOrder
    ? storage.bytes.subarray(offset * width, (offset + count) * width)
    : gather(view, rowMajor);
  return readElements(WHERE, bytes, type, count);
}

/** The bytes of the values in row-major order. */
function gather({ storage, type, offset, shape, strides }: View, rowMajor: number[]): Uint8Array {
  const width = elementSize(type);
  const source = storage.bytes;
  const bytes = new Uint8Array(sizeOf(shape) * width);
  for (let i = 0; i * width < bytes.length; i++) {
    let at = offset;
    for (let axis = 0; axis < shape.length; axis++) {
      at += (Math.floor(i / rowMajor[axis]) % shape[axis]) * strides[axis];
    }
    for (let byte = 0; byte < width; byte++) bytes[i * width + byte] = source[at * width + byte];
  }
  return bytes;
}

/** A type of values by PyTorch's name: named in the pickle, never called. */
interface DataType extends PickleGlobal {
  elementType: ElementType;
}

/** Types of which PyTorch has no class of storages; the others it writes by those classes. */
const dataTypes: Record<string, ElementType> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
};

/**
 * The names that mean something in a PyTorch file.
 *
 * @param viewed told the bytes of each tensor that is made
 */
export function torchGlobals(viewed: (bytes: number) => void): [string, PickleGlobal][] {
  return [
    ['torch._utils._rebuild_tensor', { call: (args) => rebuildTensor(viewed, args) }],
    ['torch._utils._rebuild_tensor_v2', { call: (args) => rebuildTensor(viewed, args) }],
    ['torch._utils._rebuild_tensor_v3', { call: (args) => rebuildTensor(viewed, args, args[6]) }],
    ...plainGlobals,
  ];
}

const plainGlobals: [string, PickleGlobal][] = [
  ['collections.OrderedDict', { call: ([items = []]) => new Map(items as [unknown, unknown][]) }],
  ['_codecs.encode', { call: ([text]) => encoded(text) }],
  // Protocols 0 to 2 make of it what is empty.
  ['builtins.bytes', { call: () => new Uint8Array(0) }],
  // An object made by its class alone.
  ['copyreg._reconstructor', { call: ([made]) => objectOf(made) }],
  ['torch._utils._rebuild_parameter', { call: ([tensor]) => tensor }],
  ['torch._utils._rebuild_parameter_with_state', { call: ([tensor]) => tensor }],
  // A tensor with attributes, or of a subclass: (function, class, arguments, state).
  ['torch._tensor._rebuild_from_type_v2', { call: ([rebuild, , args]) => rebuilt(rebuild, args) }],
  ['torch.Size', { call: ([lengths]) => lengths }],
  ...numpyGlobals,
  ...storageClasses,
  ...Object.entries(dataTypes).map(([name, elementType]): [string, DataType] => [
    `torch.${name}`,
    { elementType },
  ]),
];

function encoded(text: unknown): Uint8Array {
  if (typeof text !== 'string') throw new FormatError(complaint(WHERE, 'text to encode', typeof text));
  return bytesOfLatin1(text);
}

function objectOf(made: unknown): PickledObject {
  return new PickledObject(made instanceof PickledClass ? made.name : 'object');
}

function rebuilt(rebuild: unknown, args: unknown): unknown {
  const { call } = (rebuild ?? {}) as PickleGlobal;
  if (call === undefined || !Array.isArray(args)) {
    throw new FormatError(complaint(WHERE, 'a function that rebuilds a tensor, and its arguments', 'others'));
  }
  return (rebuild as Required<PickleGlobal>).call(args);
}
