import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError, ShapeError } from '../core/errors';
import { checkFinite32, checkFloat32 } from '../core/hostValues';
import {
  type BigArray,
  type HostArray,
  type NestedNumbers,
  type NumericArray,
  nestedShape,
  readArray,
  toFloat64,
} from '../core/numbers';
import { batchOf, checkBatch, type Shape, sameShape, sizeOf } from '../core/shapes';
import type { Table } from '../data';
import { Matrix } from '../linalg';

/** Numbers with their shape: `x` beside the shape of one event, as `fit` takes them, or `data` beside that of all, [n, ...]. */
export type EventSet =
  | { x: NumericArray | BigArray | NestedNumbers; shape?: Shape }
  | { data: ArrayLike<number>; shape: Shape };

/** Events that need no flow to be read. */
export type EventArray = tf.Tensor | NumericArray | BigArray | NestedNumbers | EventSet | Matrix;

/**
 * Events as the methods of flows take them, [n, ...eventShape]: a tensor (integers and booleans become float32), nested arrays, whose
 * rows may be typed arrays, one typed array of all values, numbers with their shape, a matrix of latents, or a table, where the flow
 * knows its columns.
 */
export type Events = EventArray | Table;

/** Events that were looked at and can be cut into batches. */
export interface EventSource {
  count: number;
  /** Events start .. end - 1 on the device, [end - start, ...shape]; the whole of a float32 tensor is that tensor itself. */
  slice(start: number, end: number): tf.Tensor;
}

/**
 * All events on the device, [n, ...shape].
 *
 * @param hint what to look at where the shape does not fit
 * @throws ShapeError, DataError; ConfigError for options in place of events
 */
export function readEvents(where: string, events: EventArray, shape: Shape, hint = ''): tf.Tensor {
  const source = openEvents(where, events, shape, hint);
  return source.slice(0, source.count);
}

/** One event with or without its batch axis, as [1, ...shape]. */
export function readEvent(where: string, event: EventArray, shape: Shape): tf.Tensor {
  const bare =
    event instanceof tf.Tensor
      ? sameShape(event.shape, shape)
      : Array.isArray(event) && sameShape(nestedShape(event), shape);
  const one = bare
    ? event instanceof tf.Tensor
      ? tf.expandDims(event, 0)
      : ([event] as unknown as NestedNumbers)
    : event;
  const read = readEvents(where, one, shape);
  if (read.shape[0] !== 1) throw new ShapeError(complaint(where, 'one event at each end', read.shape));
  return read;
}

/** Looks at events without moving them to the device. */
export function openEvents(where: string, events: EventArray, shape: Shape, hint = ''): EventSource {
  if (events instanceof tf.Tensor) {
    checkBatch(where, events, shape, oneEvent(events.shape, shape, 'tf.expandDims(x, 0)') ?? hint);
    const count = events.shape[0];
    if (count === 0) throw empty(where, shape);
    const part = (start: number, end: number) =>
      end - start === count ? events : tf.slice(events, [start], [end - start]);
    return {
      count,
      slice: (start, end) => asFloat32(where, part(start, end)),
    };
  }
  const host = readHost(where, events, shape, hint);
  if (host.count === 0) throw empty(where, shape);
  checkFinite32(where, 'events', host, 'Clean the data first.');
  checkFloat32(where, 'events', host);
  const size = sizeOf(shape);
  return {
    count: host.count,
    slice: (start, end) => {
      const values = Float32Array.from(host.values.subarray(start * size, end * size));
      return tf.tensor(values, [end - start, ...shape]);
    },
  };
}

/** Layers compute in float32. */
export function asFloat32(where: string, x: tf.Tensor): tf.Tensor {
  if (x.dtype === 'float32') return x;
  if (x.dtype === 'int32' || x.dtype === 'bool') return tf.cast(x, 'float32');
  throw new DataError(complaint(where, 'numbers (float32, int32 or bool)', `a tensor of ${x.dtype}`));
}

function readHost(
  where: string,
  events: Exclude<EventArray, tf.Tensor>,
  shape: Shape,
  hint: string,
): HostArray {
  if (events instanceof Matrix) {
    const rows: HostArray = {
      values: events.data,
      count: events.rows,
      shape: [events.cols],
      dtype: 'float32',
    };
    return checkEvent(where, unflattened(rows, shape), shape, hint);
  }
  if (isRecord(events) && 'data' in events && 'shape' in events) {
    return checkEvent(where, readSet(where, events), shape, hint);
  }
  if (isRecord(events) && 'x' in events) {
    return checkEvent(where, readArray(where, 'x', events.x, events.shape ?? shape), shape, hint);
  }
  if (!Array.isArray(events)) {
    return checkEvent(where, readArray(where, 'events', events, shape), shape, hint);
  }
  if (events[0] instanceof tf.Tensor) {
    throw new DataError(complaint(where, 'events', 'an array of tensors', 'One tensor of all: tf.stack(x).'));
  }
  return checkEvent(where, unflattened(readArray(where, 'events', events), shape), shape, hint);
}

/** `data` of any list beside the shape of all events. */
function readSet(where: string, { data, shape }: { data: ArrayLike<number>; shape: Shape }): HostArray {
  const expected = sizeOf(shape);
  if (data?.length !== expected) {
    throw new ShapeError(complaint(where, `data of ${expected} values, as their shape says`, data?.length));
  }
  const values = ArrayBuffer.isView(data) ? data : toFloat64(where, 'data', data);
  return readArray(where, 'data', values, shape.slice(1));
}

/** Rows of as many values as an event has are events; other nested shapes of that size have another order. */
function unflattened(host: HostArray, shape: Shape): HostArray {
  const isFlat = host.shape.length < 2 && sizeOf(host.shape) === sizeOf(shape);
  return isFlat ? { ...host, shape } : host;
}

function checkEvent(where: string, host: HostArray, shape: Shape, hint: string): HostArray {
  if (sameShape(host.shape, shape) || host.count === 0) return host;
  const received = [host.count, ...host.shape];
  throw new ShapeError(complaint(where, batchOf(shape), received, oneEvent(received, shape, '[x]') ?? hint));
}

function oneEvent(received: Shape, shape: Shape, wrapped: string): string | undefined {
  return sameShape(received, shape) ? `One event? Wrap it: ${wrapped}.` : undefined;
}

function empty(where: string, shape: Shape): DataError {
  return new DataError(complaint(where, batchOf(shape), 'an empty batch'));
}

function isRecord(value: object): value is EventSet {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
