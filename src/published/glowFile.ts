import { ConfigError, complaint } from '../core/errors';
import { parseJsonObject } from '../core/json';
import type { Shape } from '../core/shapes';
import { Glow, type GlowOptions } from '../flows';
import { chaiyujin } from './chaiyujin';
import { type ChannelOrders, checkOrders, resolvePermutation } from './channelOrders';
import type { CheckpointFile } from './checkpointFile';
import { openai } from './openai';
import { rosinality } from './rosinality';
import { applyRules, type Weights } from './rule';
import type { StoredTensors } from './storedTensor';
import { checkInferred, type InferredStructure, type Structure } from './structure';

/** The three published Glows. */
export type GlowLibraryName = 'openai' | 'chaiyujin' | 'rosinality';

/** Options that say what a Glow's file does not. */
export interface GlowImportOptions {
  /** [h, w, c]; openai and rosinality keep no trace of it, chaiyujin does. Default: from the file. */
  imageShape?: Shape;
  /** Bits per value that the model was trained on. Default: 5 for rosinality, else 8, the codes' own defaults. */
  nBits?: number;
  /**
   * What permutes the channels where chaiyujin's file does not say it: 'reverse', or the orders that 'shuffle' drew, one for each step
   * ([levels * stepsPerLevel] lists); they become 1x1 convolutions, whose matrices they are. Default: from the file.
   */
  permutation?: 'reverse' | ChannelOrders;
  /** 1x1 convolutions as LU; another form than the file's is computed in float64. Default: as in the file. */
  lu?: boolean;
  /** Whether an image may have several classes ("multi-classes" in chaiyujin's hparams). Default: true for chaiyujin. */
  multiLabel?: boolean;
  /** Weight of the classifier's cross-entropy in further training. Default 0.01. */
  classWeight?: number;
}

const codes = { openai, chaiyujin, rosinality };

/** Their names. */
export const glowLibraries: readonly GlowLibraryName[] = ['openai', 'chaiyujin', 'rosinality'];

/** What each code does with images before the flow, and its default bits. */
const preprocessing = {
  openai: { preprocessing: 'centered', nBits: 8 },
  chaiyujin: { preprocessing: 'unit', nBits: 8 },
  rosinality: { preprocessing: 'centered', nBits: 5 },
} as const;

/** The Glow whose parameter names these are; undefined where it is none. */
export function recognizeGlow(tensors: StoredTensors): GlowLibraryName | undefined {
  return glowLibraries.find((name) => codes[name].recognizes(tensors));
}

/**
 * The configuration that a Glow's names and shapes tell.
 *
 * @throws FormatError for names and shapes of no Glow
 */
export function inferStructure(tensors: StoredTensors, library: GlowLibraryName): InferredStructure {
  const inferred = codes[library].infer(tensors);
  checkInferred(inferred, tensors);
  return inferred;
}

/** The Glow of a file, and its weights. */
export function glowOf(
  { tensors, metadata }: CheckpointFile,
  library: GlowLibraryName,
  options: GlowImportOptions & { name?: string; seed?: number },
): { flow: Glow; weights: Weights } {
  const inferred = inferStructure(tensors, library);
  const { channels: _, size: __, ...rest } = inferred;
  const imageShape = imageShapeOf(library, inferred, options.imageShape);
  const { permutation, orders } = resolvePermutation(
    inferred,
    toldPermutation(metadata),
    options.permutation,
  );
  const structure: Structure = { ...rest, permutation, imageShape, lu: options.lu ?? rest.lu };
  if (orders !== undefined) checkOrders(structure, orders);
  const code = codes[library];
  const rules =
    orders === undefined ? code.rules(structure, tensors) : chaiyujin.rules(structure, tensors, orders);
  const weights = applyRules('importCheckpoint', rules, tensors, code.ignores);
  const { multiLabel = library === 'chaiyujin', classWeight, name, seed } = options;
  const { nBits, ...range } = preprocessing[library];
  const glowOptions: GlowOptions = {
    ...structure,
    ...range,
    nBits: options.nBits ?? nBits,
    multiLabel,
    classWeight,
    name,
    seed,
  };
  return { flow: new Glow(glowOptions), weights };
}

/** `flow_permutation` among the arguments that `exportStateDict` writes beside the tensors. */
function toldPermutation({ arguments: text }: Record<string, string>): string | undefined {
  if (text === undefined) return undefined;
  const { flow_permutation: told } = parseJsonObject('importCheckpoint', "the metadata's arguments", text);
  return typeof told === 'string' ? told : undefined;
}

function imageShapeOf(library: string, inferred: InferredStructure, given?: Shape): Shape {
  const { channels, size } = inferred;
  const shape = given ?? (size && [...size, channels]);
  if (shape === undefined) {
    const hint = `${library} keeps no trace of the images' size; the code's default is 64.`;
    throw new ConfigError(
      complaint('importCheckpoint', `imageShape [h, w, ${channels}] among the options`, 'none', hint),
    );
  }
  const fits = size === undefined || (size[0] === shape[0] && size[1] === shape[1]);
  if (shape.length !== 3 || shape[2] !== channels || !fits) {
    const expected = `imageShape [${size?.join(', ') ?? 'h, w'}, ${channels}], as the file says`;
    throw new ConfigError(complaint('importCheckpoint', expected, shape));
  }
  return shape;
}
