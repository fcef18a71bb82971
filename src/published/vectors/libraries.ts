import { complaint, FormatError } from '../../core/errors';
import type { CheckpointFile } from '../checkpointFile';
import type { StoredTensors } from '../storedTensor';
import { Below } from './below';
import type { VectorLibraryName, VectorSettings } from './config';
import type { VectorLibrary } from './library';
import { nflows } from './nflows';
import { normflows } from './normflows';
import { parseStated } from './stated';
import { zuko } from './zuko';

/** Libraries that have layers of their own; sbi stands around them. */
const codes: Partial<Record<VectorLibraryName, VectorLibrary>> = { nflows, zuko, normflows };

/** Names of all libraries of flows over vectors. */
export const vectorLibraries: readonly VectorLibraryName[] = ['zuko', 'nflows', 'sbi', 'normflows'];

/** A file of one of these libraries. */
export interface VectorFile {
  library: VectorLibraryName;
  code: VectorLibrary;
  tensors: StoredTensors;
  /** The flow's parameters; sbi keeps the flow as `net`. */
  flow: Below;
  /** Parameters of what the context goes through first. */
  embedding: Below;
  /** What its metadata say that names and shapes do not, where this library wrote them. */
  stated?: VectorSettings;
  /** Weights that its metadata keep as they were, where this library wrote them. */
  kept?: string;
}

/**
 * The library whose names a file has.
 *
 * @param metadata texts beside the tensors
 * @param given the library that the user says
 * @returns undefined where it is none of them
 * @throws FormatError where it is another one than the given
 */
export function readVectorFile(
  { tensors, metadata }: Pick<CheckpointFile, 'tensors' | 'metadata'>,
  given?: VectorLibraryName,
): VectorFile | undefined {
  for (const root of ['net.', '']) {
    const flow = new Below(tensors, root);
    const found = Object.entries(codes).find(([, code]) => code.recognizes(flow));
    if (found === undefined) continue;
    const [name, code] = found as [VectorLibraryName, VectorLibrary];
    const inside = flow.below('_embedding_net');
    const embedding = inside.names.length > 0 ? inside : new Below(tensors, '_embedding_net.');
    const library = given ?? (root !== '' || embedding.has('0._mean') ? 'sbi' : name);
    if (library !== 'sbi' && library !== name) throw otherNames(library, tensors);
    const isStated = metadata.code === name && metadata.config !== undefined;
    const stated = isStated ? parseStated(metadata.config) : undefined;
    const kept = isStated ? metadata.weights : undefined;
    return { library, code, tensors, flow, embedding, stated, kept };
  }
  if (given === undefined) return undefined;
  throw otherNames(given, tensors);
}

function otherNames(library: string, tensors: StoredTensors): FormatError {
  const received = [...tensors.keys()].slice(0, 5).join(', ');
  return new FormatError(complaint('importCheckpoint', `the parameter names of ${library}`, received));
}
