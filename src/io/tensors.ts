import * as tf from '@tensorflow/tfjs-core';
import { requireBackend } from '../core/backend';
import { crc32 } from '../core/checksum';
import { complaint, FormatError } from '../core/errors';
import { sameShape, sizeOf } from '../core/shapes';
import { checkWeightNames } from '../core/weightNames';

/** A tensor with the name it has in a file. */
export interface NamedTensor {
  name: string;
  tensor: tf.Tensor;
}

/** Tensors as bytes, with what is needed to read them again. */
export interface PackedTensors {
  weightSpecs: tf.io.WeightsManifestEntry[];
  weightData: ArrayBuffer;
  /** CRC-32 of `weightData`, eight hexadecimal digits. */
  checksum: string;
}

/**
 * Tensors as one buffer, bit for bit.
 *
 * @throws ConfigError for two tensors of one name: a file could give back only one of them
 */
export async function packTensors(where: string, tensors: readonly NamedTensor[]): Promise<PackedTensors> {
  checkWeightNames(
    where,
    tensors.map(({ name, tensor }) => ({ name, shape: tensor.shape })),
  );
  const { data, specs } = await tf.io.encodeWeights([...tensors]);
  return { weightSpecs: specs, weightData: data, checksum: checksumOf(data) };
}

/**
 * Tensors by name from the artifacts of a file; the caller disposes them.
 *
 * @param checksum what `packTensors` gave when the file was written
 * @throws FormatError for data that are missing, truncated or altered
 */
export function unpackTensors(
  where: string,
  artifacts: tf.io.ModelArtifacts,
  checksum: string,
): Map<string, tf.Tensor> {
  const { weightSpecs, weightData } = artifacts;
  if (weightSpecs === undefined || weightData === undefined) {
    throw new FormatError(complaint(where, 'weightSpecs and weightData', 'artifacts without them'));
  }
  if (!Array.isArray(weightSpecs) || !weightSpecs.every(isSpec)) {
    throw new FormatError(complaint(where, 'weightSpecs of name, shape and dtype', 'others', HINT));
  }
  const parts = Array.isArray(weightData) ? weightData : [weightData];
  if (!parts.every((part) => part instanceof ArrayBuffer || ArrayBuffer.isView(part))) {
    throw new FormatError(complaint(where, 'weightData in buffers', 'something else', HINT));
  }
  const data = tf.io.CompositeArrayBuffer.join(weightData);
  const expected = weightSpecs.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * bytesOf(dtype), 0);
  if (data.byteLength !== expected) {
    throw new FormatError(complaint(where, `${expected} bytes of weights`, `${data.byteLength} bytes`, HINT));
  }
  const found = checksumOf(data);
  if (found !== checksum) {
    throw new FormatError(complaint(where, `weights with checksum ${checksum}`, found, HINT));
  }
  requireBackend(where);
  return new Map(Object.entries(tf.io.decodeWeights(data, weightSpecs)));
}

const HINT = 'The file is damaged or was cut short; use another copy.';

function isSpec(spec: unknown): boolean {
  const { name, shape, dtype } = (spec ?? {}) as Partial<tf.io.WeightsManifestEntry>;
  const whole = (length: unknown) => Number.isSafeInteger(length) && (length as number) >= 0;
  const known = dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
  return typeof name === 'string' && Array.isArray(shape) && shape.every(whole) && known;
}

function checksumOf(data: ArrayBuffer): string {
  return crc32(new Uint8Array(data)).toString(16).padStart(8, '0');
}

/** What a file must hold under one name. */
export interface ExpectedTensor {
  name: string;
  shape: readonly number[];
  dtype: string;
}

/**
 * Compares what a file holds with what it must hold.
 *
 * @throws FormatError that lists every tensor that is missing, unknown or of another shape or type
 */
export function matchTensors(
  where: string,
  expected: readonly ExpectedTensor[],
  found: ReadonlyMap<string, tf.Tensor>,
): void {
  const problems: string[] = [];
  for (const { name, shape, dtype } of expected) {
    const tensor = found.get(name);
    if (tensor === undefined) problems.push(`${name} is missing`);
    else if (!sameShape(tensor.shape, shape) || tensor.dtype !== dtype) {
      problems.push(
        `${name} is ${tensor.dtype} [${tensor.shape.join(', ')}] instead of ${dtype} [${shape.join(', ')}]`,
      );
    }
  }
  const names = new Set(expected.map(({ name }) => name));
  for (const name of found.keys()) if (!names.has(name)) problems.push(`${name} is unknown`);
  if (problems.length > 0) {
    throw new FormatError(
      complaint(
        where,
        `${expected.length} matching weights`,
        `${problems.length} problems: ${problems.join('; ')}`,
      ),
    );
  }
}

function bytesOf(dtype: string): number {
  return dtype === 'bool' ? 1 : 4;
}
