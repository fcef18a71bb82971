import type { NdArray } from '../../data';
import { readArray } from '../../data/npy';
import { elementTypeOf } from '../elements';
import type { ElementType } from '../storedTensor';
import { PickledObject, type PickleGlobal } from './pickledObject';

const WHERE = 'readTorchFile(numpy.ndarray)';

/**
 * A numpy array in a pickle: a tensor where it holds plain numbers, else an object like any other.
 *
 * Source: numpy/_core/src/multiarray/methods.c, array_reduce and array_setstate.
 */
class NumpyArray extends PickledObject {
  dtype?: ElementType;
  shape: number[] = [];
  read?: () => NdArray;

  constructor() {
    super('numpy.ndarray');
  }

  /** State: (version, shape, dtype, whether the order is Fortran's, bytes); a list of objects in place of bytes is left alone. */
  override build(state: unknown): void {
    const [, shape, dtype, fortranOrder, bytes] = Array.isArray(state) ? state : [];
    this.become(shape, dtype, fortranOrder === true, bytes);
  }

  become(shape: unknown, dtype: unknown, fortranOrder: boolean, bytes: unknown): void {
    const [kind, order] = formatOf(dtype);
    const elementType = elementTypeOf(kind);
    const whole =
      Array.isArray(shape) && shape.every((length) => Number.isSafeInteger(length) && length >= 0);
    if (!whole || elementType === undefined || !(bytes instanceof Uint8Array)) return;
    this.dtype = elementType;
    this.shape = shape;
    const form = { kind, littleEndian: order !== '>', fortranOrder, shape };
    this.read = () => readArray(WHERE, form, bytes);
  }
}

/** ['f4', '<'] of the dtype that was made of ('f4', False, True) and has the state (3, '<', ...). */
function formatOf(dtype: unknown): [kind: string, order: unknown] {
  if (!(dtype instanceof PickledObject) || dtype.className !== 'numpy.dtype') return ['', ''];
  const [, order] = Array.isArray(dtype.state) ? dtype.state : [];
  return [String(dtype.args[0]).replace(/^[<>|=]/, ''), order];
}

function reconstruct(): NumpyArray {
  return new NumpyArray();
}

/** Protocol 5 has the bytes, the dtype, the shape and the order as arguments. */
function fromBuffer([bytes, dtype, shape, order]: unknown[]): NumpyArray {
  const array = new NumpyArray();
  array.become(shape, dtype, order === 'F', bytes);
  return array;
}

/** Functions that make arrays, by their names before and since numpy 2. */
export const numpyGlobals: [string, PickleGlobal][] = ['numpy.core', 'numpy._core'].flatMap((module) => [
  [`${module}.multiarray._reconstruct`, { call: reconstruct }],
  [`${module}.numeric._frombuffer`, { call: fromBuffer }],
]);
