import { ConfigError, complaint } from '../core/errors';
import { checkOptions } from '../core/options';
import { checkChoice, checkInteger } from '../core/shapes';
import { writeNpz } from '../data';
import { type Flow, Glow } from '../flows';
import { exportGlow, type WrittenGlow } from './exportGlow';
import { readWeights } from './exportSafetensors';
import { writeSafetensors } from './safetensors';
import type { StateDict } from './stateDict';
import { exportVectorFlow, type WrittenLibrary } from './vectors/export/exportVectorFlow';

/** Codes in whose names flows are written: libraries of flows over vectors, and PyTorch codes of Glow. */
export type StateDictCode = WrittenLibrary | WrittenGlow;

/** Options of {@link exportStateDict}. */
export interface ExportStateDictOptions {
  /** Kind of file. Default 'safetensors'. */
  container?: 'safetensors' | 'npz';
  /** Examples per device in the PyTorch run, which chaiyujin's `prior_h` has as its first axis. Default 1. */
  batchSize?: number;
}

/**
 * A flow as the state dict of another code, for `load_state_dict` there: flows over vectors for zuko and nflows, a Glow for two PyTorch codes.
 *
 * The same function, in that code's conventions, with the masks, orders and indices that it insists on: matrices are transposed (and
 * decomposed anew where a Glow keeps them as LU, in float64), heads reordered, scales, actnorms and preprocessing folded where the code has
 * none of ours. Weights come back bit for bit where they are only moved; where something is folded or decomposed, values agree to the
 * rounding of float32.
 * The metadata of a safetensors file hold what builds the model there: `python`, lines that make a `flow` of zuko or nflows and run as they
 * are, and for Glows `arguments` as JSON. For flows over vectors they also have `config`, what names and shapes do not say:
 * {@link importCheckpoint} reads it, and its option `config` takes it for a file that has lost it; and `weights`, those that the code's form
 * rounds, with which such a flow comes back bit for bit.
 *
 * @param code 'zuko' or 'nflows'; for a Glow 'chaiyujin' or 'rosinality'
 * @throws ConfigError that lists all that the code cannot express
 * @see github.com/probabilists/zuko, github.com/bayesiains/nflows, github.com/chaiyujin/glow-pytorch and github.com/rosinality/glow-pytorch
 * @example
 * const flow = neuralSplineFlow({ dimensions: 3, layers: 2, hiddenUnits: 16, seed: 1 });
 * const bytes = await exportStateDict(flow, 'nflows');
 * readSafetensors(bytes).metadata.python; // import torch ... flow = flows.Flow(...)
 * const glow = new Glow({ imageShape: [8, 8, 3], levels: 2, stepsPerLevel: 2, hiddenChannels: 16 });
 * const ofGlow = await exportStateDict(glow, 'chaiyujin');
 */
export async function exportStateDict(
  flow: Flow,
  code: StateDictCode,
  options: ExportStateDictOptions = {},
): Promise<Uint8Array> {
  return writeStateDict(await stateDictOf(flow, code, options), options.container);
}

/** The bytes of a file; npz has no room for metadata. */
export function writeStateDict(
  { arrays, types, metadata }: StateDict,
  container: ExportStateDictOptions['container'],
): Uint8Array {
  return container === 'npz' ? writeNpz(arrays) : writeSafetensors(arrays, metadata, types);
}

/** What a file of {@link exportStateDict} holds. */
export async function stateDictOf(
  flow: Flow,
  code: StateDictCode,
  options: ExportStateDictOptions = {},
): Promise<StateDict> {
  const where = 'exportStateDict';
  checkOptions(where, options, { container: ['format'], batchSize: true });
  const { container = 'safetensors', batchSize = 1 } = options;
  checkChoice(where, 'code', code, ['zuko', 'nflows', 'chaiyujin', 'rosinality']);
  checkChoice(where, 'container', container, ['safetensors', 'npz']);
  checkInteger(where, 'batchSize', batchSize);
  const weights = await readWeights(where, flow);
  if (code === 'zuko' || code === 'nflows') return exportVectorFlow(flow, weights, code);
  if (flow instanceof Glow) return exportGlow(flow, weights, code, batchSize);
  throw new ConfigError(complaint(where, `a Glow for ${code}`, flow.getClassName()));
}
