import { ConfigError, complaint, FormatError } from '../core/errors';
import { parseJsonObject } from '../core/json';
import { checkOptions, type OptionNames } from '../core/options';
import { restoreModule } from '../core/restoreModule';
import { checkChoice } from '../core/shapes';
import type { Bytes } from '../data';
import type { Flow, Glow, VectorFlow } from '../flows';
import { toValues } from './arrays';
import { type CheckpointFile, openCheckpoint } from './checkpointFile';
import {
  type GlowImportOptions,
  type GlowLibraryName,
  glowLibraries,
  glowOf,
  recognizeGlow,
} from './glowFile';
import { matchParameters, type Weights } from './rule';
import { setWeights } from './setWeights';
import type { VectorLibraryName } from './vectors/config';
import { importVectorFlow, type VectorImportOptions } from './vectors/importVectorFlow';
import { readVectorFile, type VectorFile, vectorLibraries } from './vectors/libraries';

/** Codes whose checkpoints are known: three published Glows, libraries of flows over vectors, and this library. */
export type CheckpointLibrary = GlowLibraryName | VectorLibraryName | 'tfjs-flows';

/** Options of {@link importCheckpoint}; what the file says itself needs none. */
export interface ImportOptions extends GlowImportOptions, VectorImportOptions {
  /** Code that wrote the weights. Default: recognized by its parameter names. */
  library?: CheckpointLibrary;
  /** Name in messages. Default 'glow', or 'vectorFlow'. */
  name?: string;
  /** Seed of sampling and noise. Default: another one each time. */
  seed?: number;
}

const libraries: readonly CheckpointLibrary[] = [...glowLibraries, ...vectorLibraries, 'tfjs-flows'];

const ofAll: OptionNames<Pick<ImportOptions, 'library' | 'name' | 'seed'>> = {
  library: ['format', 'code'],
  name: true,
  seed: true,
};
const ofGlows: OptionNames<GlowImportOptions> = {
  imageShape: ['size'],
  nBits: ['bits'],
  permutation: ['flowPermutation', 'orders'],
  lu: 'boolean',
  multiLabel: 'boolean',
  classWeight: true,
};
const ofVectors: OptionNames<VectorImportOptions> = {
  config: ['settings'],
  reference: true,
  columns: ['names'],
};

/**
 * A flow from a checkpoint of another code: a Glow of openai/glow, chaiyujin/glow-pytorch or rosinality/glow-pytorch, a flow over vectors of
 * zuko, nflows, sbi or normflows, or any flow of this library.
 *
 * Reads PyTorch files (zip and stacked pickle, with nothing of them executed), npz and safetensors; skips optimizers, counters and
 * the `module.` of DataParallel; infers the configuration from names and shapes; maps every convention (order of channels and
 * heads, paddings, signs, factors of logs, range of the images, masks, scales and derivatives of splines) to this library's. Latents,
 * likelihoods and samples are the code's own, up to rounding in float32.
 * Glows: a channel shuffle that chaiyujin drew is in no file, and looks like `reverse`: the option `permutation` must say which.
 * Vectors: what no file says (activations, bounds of splines) is the library's default unless `config` says it; `reference` rows verify it.
 * Files of {@link exportStateDict} say all of it in their metadata.
 *
 * @param input the file's bytes
 * @returns the flow; for 'tfjs-flows' of whatever class was exported
 * @throws FormatError for another code, a damaged file, code in a pickle, layers that are not read, or parameters that do not fit (all are
 * listed); ConfigError where an option is needed, does not fit, or is not read for such a file; DataError where reference rows do not fit
 * @see Kingma and Dhariwal, "Glow" (2018), arXiv:1807.03039; Durkan et al. (2019), arXiv:1906.04032; and the codes named above
 * @example
 * const glow = await importCheckpoint(trainedPkg); // bytes of a .pt, .pkg, .npz or .safetensors file
 * glow.sample(4, { temperature: 0.7 });
 */
export function importCheckpoint(
  input: Bytes,
  options: ImportOptions & { library: VectorLibraryName },
): Promise<VectorFlow>;
export function importCheckpoint<T extends Flow = Glow>(input: Bytes, options?: ImportOptions): Promise<T>;
export async function importCheckpoint(input: Bytes, options: ImportOptions = {}): Promise<Flow> {
  checkOptions('importCheckpoint', options, { ...ofAll, ...ofGlows, ...ofVectors });
  if (options.library !== undefined) checkChoice('importCheckpoint', 'library', options.library, libraries);
  const file = openCheckpoint(input);
  const { library, vectors } = recognize(file, options.library) ?? refuse(file);
  checkRead(library, options, vectors ? ofVectors : library === 'tfjs-flows' ? {} : ofGlows);
  if (vectors !== undefined) return importVectorFlow(vectors, options);
  if (library === 'tfjs-flows') return importOwn(file);
  const { flow, weights } = glowOf(file, library as GlowLibraryName, options);
  return setWeights(flow, weights);
}

/** Tensors of a model that is read; a Glow of 6 levels and 64 steps has half as many. */
const MOST_TENSORS = 2 ** 14;

/** Whose a file is. */
interface Recognized {
  library: CheckpointLibrary;
  /** Where it is one of flows over vectors. */
  vectors?: VectorFile;
}

/**
 * The code whose parameter names a file has, or the given one.
 *
 * @returns undefined where it is none that is known, or too large to be one
 * @throws FormatError where the given one has other names
 */
export function recognize(file: CheckpointFile, given?: CheckpointLibrary): Recognized | undefined {
  const { tensors, metadata } = file;
  if (tensors.size > MOST_TENSORS) return undefined;
  const isOwn = given === undefined ? metadata.format === 'tfjs-flows' : given === 'tfjs-flows';
  if (isOwn) return { library: 'tfjs-flows' };
  const glow = given === undefined ? recognizeGlow(tensors) : glowLibraries.find((name) => name === given);
  if (glow !== undefined) return { library: glow };
  const vectors = readVectorFile(file, given as VectorLibraryName | undefined);
  return vectors && { library: vectors.library, vectors };
}

function refuse({ tensors }: CheckpointFile): never {
  if (tensors.size > MOST_TENSORS) {
    const expected = `a model of at most ${MOST_TENSORS} tensors`;
    throw new FormatError(complaint('importCheckpoint', expected, `${tensors.size}`));
  }
  const received = `names ${[...tensors.keys()].slice(0, 5).join(', ')}`;
  throw new FormatError(
    complaint('importCheckpoint', `the parameter names of ${libraries.join(', ')}`, received),
  );
}

/** Throws a ConfigError for an option that is not read for such a file. */
function checkRead(library: CheckpointLibrary, options: ImportOptions, read: object): void {
  const known = { ...ofAll, ...read };
  const unread = Object.entries(options).find(
    ([name, value]) => value !== undefined && !Object.hasOwn(known, name),
  );
  if (unread === undefined) return;
  const expected = `options among ${Object.keys(known).join(', ')} for a file of ${library}`;
  throw new ConfigError(complaint('importCheckpoint', expected, `'${unread[0]}'`));
}

/** Class and configuration of the flow that `exportSafetensors` wrote. */
export function ownModule({ module = '' }: Record<string, string>): Record<string, unknown> {
  return parseJsonObject('importCheckpoint', "the metadata's module", module);
}

/** A file that `exportSafetensors` wrote. */
function importOwn({ tensors, metadata }: CheckpointFile): Flow {
  const flow = restoreModule<Flow>('importCheckpoint', ownModule(metadata), tensors.values());
  try {
    const expected = new Map(flow.weights.map(({ name, variable }) => [name, variable.shape]));
    matchParameters('importCheckpoint', expected, tensors);
  } catch (error) {
    flow.dispose();
    throw error;
  }
  const weights: Weights = new Map([...tensors].map(([name, tensor]) => [name, toValues(tensor.read())]));
  return setWeights(flow, weights, metadata.initialized === 'true');
}
