import { type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { BackendError, complaint } from '../core/errors';

/** An input, which may be missing. */
type Given = TensorInfo | undefined;

/**
 * What the inputs of one kernel must be, by name or by place in a list. These run before every call, several thousand times a second:
 * nothing is made unless something is wrong.
 *
 * @throws BackendError, from every method, that names kernel and input
 */
export class InputChecks {
  constructor(private readonly kernelName: string) {}

  type(name: string | number, tensor: Given, dtypes: readonly DataType[]): void {
    const { dtype } = this.present(name, tensor);
    if (!dtypes.includes(dtype)) throw this.complain(name, `of type ${dtypes.join(' or ')}`, dtype);
  }

  shape(name: string | number, tensor: Given, shape: readonly number[]): void {
    const given = this.present(name, tensor).shape;
    if (!util.arraysEqual(shape as number[], given)) throw this.misshapen(name, shape, given);
  }

  /** The shape of another tensor, but for the number of channels: the length of its last axis. */
  channels(name: string | number, tensor: Given, { shape }: TensorInfo, channels: number): void {
    const given = this.present(name, tensor).shape;
    const last = shape.length - 1;
    let fits = given.length === shape.length && given[last] === channels;
    for (let axis = 0; axis < last && fits; axis++) fits = given[axis] === shape[axis];
    if (!fits) throw this.misshapen(name, [...shape.slice(0, last), channels], given);
  }

  /** A number for each of so many. */
  vector(name: string | number, tensor: Given, length: number): void {
    const given = this.present(name, tensor).shape;
    if (given.length !== 1 || given[0] !== length) throw this.misshapen(name, [length], given);
  }

  /** A matrix, or a filter: whatever leads it. */
  matrix(name: string | number, tensor: Given, rows: number, columns: number): void {
    const given = this.present(name, tensor).shape;
    const rank = given.length;
    if (rank >= 2 && given[rank - 2] === rows && given[rank - 1] === columns) return;
    throw this.misshapen(name, [...given.slice(0, -2), rows, columns], given);
  }

  /** Vectors or images: more axes would be taken for fewer. */
  vectorsOrImages(name: string | number, tensor: Given): void {
    const given = this.present(name, tensor).shape;
    if (given.length > 4) throw this.misshapen(name, given.slice(0, 4), given);
  }

  /** A number of values, where the shape does not matter. */
  size(name: string | number, tensor: Given, size: number): void {
    const given = util.sizeFromShape(this.present(name, tensor).shape);
    if (given !== size) throw this.complain(name, `of ${size} values`, `${given}`);
  }

  present(name: string | number, tensor: Given): TensorInfo {
    if (tensor === undefined) throw this.complain(name, 'to be there', 'none');
    return tensor;
  }

  private misshapen(name: string | number, shape: readonly number[], given: readonly number[]): BackendError {
    return this.complain(name, `of shape [${shape.join(', ')}]`, `[${given.join(', ')}]`);
  }

  private complain(name: string | number, what: string, got: string): BackendError {
    const input = typeof name === 'number' ? `input ${name}` : name;
    return new BackendError(complaint(`${this.kernelName} on wasm`, `${input} ${what}`, got));
  }
}
