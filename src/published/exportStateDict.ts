import { ConfigError, complaint } from '../core/errors';
import { checkOptions } from '../core/options';
import { checkChoice, checkInteger } from '../core/shapes';
import { type NdArray, writeNpz } from '../data';
import type { Glow } from '../flows';
import { chaiyujin, priorHeight } from './chaiyujin';
import {
  type HostGlow,
  withBorderPrior,
  withNetworkActnorm,
  withoutNetworkActnorm,
  withPreprocessing,
} from './dialects';
import { readWeights } from './exportSafetensors';
import { masksAndFlags, rosinality } from './rosinality';
import { applyRulesBackwards } from './rule';
import { writeSafetensors } from './safetensors';

/** Options of {@link exportStateDict}. */
export interface ExportStateDictOptions {
  /** Kind of file. Default 'safetensors'. */
  container?: 'safetensors' | 'npz';
  /** Examples per device in the PyTorch run, which chaiyujin's `prior_h` has as its first axis. Default 1. */
  batchSize?: number;
}

/**
 * A Glow as the state dict of a published PyTorch code, for `load_state_dict` there.
 *
 * The same function, in that code's conventions: matrices are transposed (and decomposed anew where they are kept as LU, in float64),
 * heads reordered, actnorms and preprocessing folded where the code has none of ours. Weights come back bit for bit where they are only
 * moved; where something is folded or decomposed, values agree to the rounding of float32.
 * The metadata of a safetensors file hold `arguments`, what to build the PyTorch model with, as JSON.
 *
 * @param code 'chaiyujin' or 'rosinality'
 * @throws ConfigError that lists all that the code cannot express
 * @see github.com/chaiyujin/glow-pytorch and github.com/rosinality/glow-pytorch
 * @example
 * const glow = new Glow({ imageShape: [8, 8, 3], levels: 2, stepsPerLevel: 2, hiddenChannels: 16 });
 * const bytes = await exportStateDict(glow, 'chaiyujin');
 */
export async function exportStateDict(
  glow: Glow,
  code: 'chaiyujin' | 'rosinality',
  options: ExportStateDictOptions = {},
): Promise<Uint8Array> {
  checkOptions('exportStateDict', options, { container: ['format'], batchSize: true });
  const { container = 'safetensors', batchSize = 1 } = options;
  checkChoice('exportStateDict', 'code', code, ['chaiyujin', 'rosinality']);
  checkChoice('exportStateDict', 'container', container, ['safetensors', 'npz']);
  checkInteger('exportStateDict', 'batchSize', batchSize);
  const config = glow.getConfig() as unknown as HostGlow['config'];
  checkExpressible(code, config);
  const host = { config, weights: await readWeights('exportStateDict', glow) };
  const { arrays, metadata } = code === 'chaiyujin' ? toChaiyujin(host, batchSize) : toRosinality(host);
  return container === 'npz' ? writeNpz(arrays) : writeSafetensors(arrays, metadata);
}

interface StateDict {
  arrays: Record<string, NdArray>;
  metadata: Record<string, string>;
}

function toChaiyujin(host: HostGlow, batchSize: number): StateDict {
  const { config, weights } = withNetworkActnorm(withPreprocessing(host, 'unit'));
  const arrays = applyRulesBackwards(chaiyujin.rules(config), weights);
  const hparams = {
    image_shape: config.imageShape,
    hidden_channels: config.hiddenChannels,
    K: config.stepsPerLevel,
    L: config.levels,
    actnorm_scale: 1,
    flow_permutation: config.permutation,
    flow_coupling: config.coupling,
    LU_decomposed: config.lu,
    learn_top: config.learnTop !== false,
    y_condition: config.classes > 0,
    y_classes: Math.max(1, config.classes),
  };
  return {
    arrays: { prior_h: priorHeight(config, batchSize), ...arrays },
    metadata: metadataOf('chaiyujin/glow-pytorch', hparams),
  };
}

function toRosinality(host: HostGlow): StateDict {
  const { config, weights } = withBorderPrior(withoutNetworkActnorm(withPreprocessing(host, 'centered')));
  const [size, , channels] = config.imageShape;
  const settings = {
    in_channel: channels,
    n_flow: config.stepsPerLevel,
    n_block: config.levels,
    affine: config.coupling === 'affine',
    conv_lu: config.lu,
    filter_size: config.hiddenChannels,
    img_size: size,
    n_bits: config.nBits,
  };
  return {
    arrays: { ...applyRulesBackwards(rosinality.rules(config), weights), ...masksAndFlags(config) },
    metadata: metadataOf('rosinality/glow-pytorch', settings),
  };
}

/** `format` 'pt' tells the readers of safetensors that PyTorch tensors are meant. */
function metadataOf(code: string, settings: object): Record<string, string> {
  return { format: 'pt', code, arguments: JSON.stringify(settings) };
}

function checkExpressible(code: 'chaiyujin' | 'rosinality', config: HostGlow['config']): void {
  const { learnTop, preprocessing, scale, permutation, padding, lastPadding, nBits, classes, imageShape } =
    config;
  const reasons: string[] = [];
  const need = (fits: boolean, reason: string) => {
    if (!fits) reasons.push(reason);
  };
  need(scale === 'sigmoid', "it scales by sigmoid(raw + 2), this Glow by 'exp'");
  need(preprocessing !== 'logit', 'it has no logit in front of the flow');
  need(padding === 'zero', `its first convolutions pad with zeros, this Glow's padding is '${padding}'`);
  need(learnTop !== 'spatial', "its top prior is a convolution of zeros, this Glow's differs by position");
  if (code === 'chaiyujin') {
    need(lastPadding === 'zero', `it pads with zeros, this Glow's lastPadding is '${lastPadding}'`);
    need(permutation !== 'shuffle', 'it draws its shuffles anew and keeps them in no file');
    need(learnTop !== 'border', "its top prior cannot see the border, this Glow's can (learnTop 'border')");
    need(nBits === 8, `it reads images of 8 bits, this Glow ${nBits}`);
  } else {
    need(
      lastPadding === 'one',
      `its last convolutions and priors pad with ones, this Glow's lastPadding is '${lastPadding}'`,
    );
    need(permutation === 'invconv', `it has 1x1 convolutions only, this Glow '${permutation}'`);
    need(classes === 0, 'it knows no classes');
    need(imageShape[0] === imageShape[1], 'its images are square');
  }
  if (reasons.length > 0) {
    const hint = 'Build a Glow for that code with those options, and train it here or there.';
    throw new ConfigError(
      complaint('exportStateDict', `a Glow that ${code}/glow-pytorch can express`, reasons.join('; '), hint),
    );
  }
}
