import type * as tf from '@tensorflow/tfjs-core';
import { complaint, FormatError } from '../core/errors';
import { isJsonObject } from '../core/json';
import { type NamedTensor, packTensors, unpackTensors } from './tensors';

/** Version of the files that this release writes and reads. */
export const formatVersion = 1;

/** Kinds of files. */
export type FileKind = 'module' | 'checkpoint';

/** What stands in `modelTopology` around a file's own content. */
interface Envelope<T> {
  format: 'tfjs-flows';
  version: number;
  kind: FileKind;
  /** CRC-32 of the weight data. */
  checksum: string;
  content: T;
}

/** A file's content and its tensors by name; the reader disposes them. */
export interface Opened<T> {
  content: T;
  tensors: Map<string, tf.Tensor>;
}

/** Content and tensors as tf.io artifacts. */
export async function seal(
  where: string,
  kind: FileKind,
  content: object,
  tensors: readonly NamedTensor[],
): Promise<tf.io.ModelArtifacts> {
  const { weightSpecs, weightData, checksum } = await packTensors(where, tensors);
  const modelTopology: Envelope<object> = {
    format: 'tfjs-flows',
    version: formatVersion,
    kind,
    checksum,
    content,
  };
  return {
    format: 'tfjs-flows',
    generatedBy: 'tfjs-flows',
    convertedBy: null,
    modelTopology,
    weightSpecs,
    weightData,
  };
}

/**
 * Reads artifacts that `seal` made.
 *
 * @throws FormatError for another format, kind or version, or damaged data
 */
export function open<T>(where: string, kind: FileKind, artifacts: tf.io.ModelArtifacts): Opened<T> {
  const envelope = (artifacts?.modelTopology ?? {}) as Partial<Envelope<T>>;
  if (
    envelope.format !== 'tfjs-flows' ||
    !isJsonObject(envelope.content) ||
    typeof envelope.checksum !== 'string'
  ) {
    throw new FormatError(
      complaint(where, 'a file of tfjs-flows', `one of format '${envelope.format ?? artifacts?.format}'`),
    );
  }
  if (envelope.version !== formatVersion) {
    throw new FormatError(
      complaint(
        where,
        `format version ${formatVersion}`,
        `version ${envelope.version}`,
        'Load it with the release of tfjs-flows that wrote it.',
      ),
    );
  }
  if (envelope.kind !== kind) {
    throw new FormatError(
      complaint(
        where,
        `a ${kind}`,
        `a ${envelope.kind}`,
        envelope.kind === 'checkpoint' ? "Pass checkpoints to fit's resume option." : '',
      ),
    );
  }
  return { content: envelope.content, tensors: unpackTensors(where, artifacts, envelope.checksum) };
}
