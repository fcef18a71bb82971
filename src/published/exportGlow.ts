import { ConfigError, complaint } from '../core/errors';
import type { Glow } from '../flows';
import { chaiyujin, priorHeight } from './chaiyujin';
import {
  type HostGlow,
  withBorderPrior,
  withNetworkActnorm,
  withoutNetworkActnorm,
  withPreprocessing,
} from './dialects';
import { masksAndFlags, rosinality } from './rosinality';
import { applyRulesBackwards, type Weights } from './rule';
import type { StateDict } from './stateDict';

/** PyTorch codes whose Glows are written. */
export type WrittenGlow = 'chaiyujin' | 'rosinality';

/**
 * A Glow in the names of a PyTorch code.
 *
 * @param batchSize examples per device in the PyTorch run
 * @throws ConfigError that lists all that the code cannot express
 */
export function exportGlow(glow: Glow, weights: Weights, code: WrittenGlow, batchSize: number): StateDict {
  const config = glow.getConfig() as unknown as HostGlow['config'];
  checkExpressible(code, config);
  return code === 'chaiyujin'
    ? toChaiyujin({ config, weights }, batchSize)
    : toRosinality({ config, weights });
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

function checkExpressible(code: WrittenGlow, config: HostGlow['config']): void {
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
