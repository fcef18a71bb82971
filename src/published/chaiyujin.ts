import { smallest } from '../core/lists';
import type { Values } from './arrays';
import { map, outputScale, reshape, scaleLast, toMatrix, transpose, zeros } from './arrays';
import type { ChannelOrders } from './channelOrders';
import { fullForm, luForm, ourForm } from './matrixForm';
import { copy, crossed, type Rule, sameOrder, torchKernel, transposed } from './rule';
import type { StoredTensors } from './storedTensor';
import {
  channelsOf,
  countOf,
  hasName,
  type InferredStructure,
  longest,
  type Structure,
  shapeOf,
  splitsOf,
  stepsOf,
  topPriorOf,
  topSizeOf,
} from './structure';

/**
 * The state dict of github.com/chaiyujin/glow-pytorch (487a6b1).
 *
 * `flow.layers.{i}`: in level l the squeeze is i = l (K + 2), then K steps, then the split. Heads are crossed, matrices act on
 * columns (y = W x), the top prior is a convolution of zeros with zero padding, so one value per channel.
 */
export const chaiyujin = { recognizes, infer, rules, ignores };

const prefixes = { step: /^flow\.layers\.\d+\.(actnorm|invconv|f)\./, split: /^flow\.layers\.(\d+)\.conv\./ };

function recognizes(tensors: StoredTensors): boolean {
  return hasName(tensors, /^flow\.layers\.\d+\./);
}

/** Batch size and device of the run, nothing of the model: zeros that are never trained. */
function ignores(name: string): boolean {
  return name === 'prior_h';
}

function infer(tensors: StoredTensors): InferredStructure {
  const splits = new Set([...tensors.keys()].map((name) => prefixes.split.exec(name)?.[1]));
  splits.delete(undefined);
  const levels = splits.size + 1;
  const first = smallest([...splits].map(Number));
  const stepsPerLevel = splits.size > 0 ? first - 1 : countOf(tensors, /^flow\.layers\.(\d+)\./) - 1;
  const channels = longest(shapeOf(tensors, /^flow\.layers\.1\.actnorm\.(bias|logs)$/));
  const filters = longest(shapeOf(tensors, /^flow\.layers\.1\.f\.4\.(bias|logs)$/));
  const conditioned = tensors.get('project_ycond.weight');
  const top = tensors.get('prior_h');
  return {
    channels: channels / 4,
    size: top && [top.shape[2] * 2 ** levels, top.shape[3] * 2 ** levels],
    levels,
    stepsPerLevel,
    hiddenChannels: shapeOf(tensors, /^flow\.layers\.\d+\.f\.[02]\.weight$/)[0],
    permutation: hasName(tensors, /\.invconv\./) ? 'invconv' : undefined,
    lu: hasName(tensors, /\.invconv\.log_s$/),
    coupling: filters === channels ? 'affine' : 'additive',
    networkActnorm: true,
    padding: 'zero',
    lastPadding: 'zero',
    learnTop: hasName(tensors, /^(learn_top|project_ycond)\./),
    classes: conditioned === undefined ? 0 : conditioned.shape[1],
  };
}

/**
 * @param file the tensors of a file, where it may keep things in another form than we do
 * @param orders what stands in place of the matrices of a file that has none, step by step
 */
function rules(structure: Structure, file?: StoredTensors, orders?: ChannelOrders): Rule[] {
  const { stepsPerLevel, permutation, coupling, hiddenChannels: hidden } = structure;
  const perLevel = stepsPerLevel + 2;
  const heads = coupling === 'affine' ? crossed : sameOrder;
  const steps = stepsOf(structure).flatMap(({ level, step, ours, channels, filters }, i) => {
    const theirs = `flow.layers.${level * perLevel + step + 1}`;
    const network = `${ours}/coupling/network`;
    const hiddenLayer = (at: number, layer: string, inputs: number, side: number) => [
      torchKernel(`${theirs}.f.${at}.weight`, [hidden, inputs, side, side], `${network}/${layer}/kernel`),
      copy(`${theirs}.f.${at}.actnorm.bias`, [1, hidden, 1, 1], `${network}/${layer}Norm/bias`),
      copy(`${theirs}.f.${at}.actnorm.logs`, [1, hidden, 1, 1], `${network}/${layer}Norm/logScale`),
    ];
    return [
      copy(`${theirs}.actnorm.bias`, [1, channels, 1, 1], `${ours}/actnorm/bias`),
      copy(`${theirs}.actnorm.logs`, [1, channels, 1, 1], `${ours}/actnorm/logScale`),
      ...(permutation === 'invconv'
        ? [orders ? orderMatrix(structure, ours, orders[i]) : matrix(structure, theirs, ours, channels, file)]
        : []),
      ...hiddenLayer(0, 'first', channels / 2, 3),
      ...hiddenLayer(2, 'second', hidden, 1),
      ...zeroConvolution(`${theirs}.f.4`, `${network}/last`, hidden, filters, heads),
    ];
  });
  const splits = splitsOf(structure).flatMap(({ level, ours, channels }) => {
    const theirs = `flow.layers.${level * perLevel + perLevel - 1}.conv`;
    return zeroConvolution(theirs, ours, channels / 2, channels, crossed);
  });
  return [...steps, ...splits, ...top(structure, file), ...classifier(structure)];
}

function matrix(
  { lu }: Structure,
  theirs: string,
  ours: string,
  channels: number,
  file?: StoredTensors,
): Rule {
  const part = (name: string) => `${theirs}.invconv.${name}`;
  const theirsLu = file === undefined ? lu : !file.has(part('weight'));
  const form = theirsLu
    ? luForm(
        {
          permutation: part('p'),
          lower: part('l'),
          upper: part('u'),
          sign: part('sign_s'),
          logScale: part('log_s'),
        },
        channels,
      )
    : fullForm(part('weight'), [channels, channels]);
  const own = ourForm(`${ours}/invconv`, lu, channels);
  return {
    theirs: form.entries,
    ours: Object.keys(own.entries),
    read: (arrays) => own.fromMatrix(form.toMatrix(arrays).transpose()),
    write: (arrays) => form.fromMatrix(own.toMatrix(arrays).transpose()),
  };
}

/** A shuffle, y[j] = x[order[j]], as the matrix that does it: nothing of theirs, since it is in no file. */
function orderMatrix({ lu }: Structure, ours: string, order: readonly number[]): Rule {
  const own = ourForm(`${ours}/invconv`, lu, order.length);
  const entries = zeros([order.length, order.length]);
  order.forEach((from, to) => {
    entries.data[from * order.length + to] = 1;
  });
  const read = () => own.fromMatrix(toMatrix(entries, order.length));
  return { theirs: {}, ours: Object.keys(own.entries), read, write: () => [] };
}

function zeroConvolution(
  theirs: string,
  ours: string,
  inputs: number,
  filters: number,
  heads: typeof crossed,
): Rule[] {
  return [
    torchKernel(`${theirs}.weight`, [filters, inputs, 3, 3], `${ours}/kernel`, heads),
    copy(`${theirs}.bias`, [filters], `${ours}/bias`, heads),
    copy(`${theirs}.logs`, [filters, 1, 1], `${ours}/logScale`, heads),
  ];
}

/** Mean and log scale of the top latents: what a convolution of zeros leaves, plus what the classes add. */
function top(structure: Structure, file?: StoredTensors): Rule[] {
  const { classes, learnTop } = structure;
  const width = 2 * channelsOf(structure, structure.levels - 1);
  const prior = topPriorOf(structure);
  const convolved = file === undefined ? learnTop !== false : hasName(file, /^learn_top\./);
  const convolution: Rule['theirs'] = {
    'learn_top.weight': [width, width, 3, 3],
    'learn_top.bias': [width],
    'learn_top.logs': [width, 1, 1],
  };
  const linear: Rule['theirs'] = {
    'project_ycond.weight': [width, classes],
    'project_ycond.bias': [width],
    'project_ycond.logs': [width],
  };
  const hasBias = learnTop !== false;
  const ours = [...(hasBias ? [`${prior}/bias`] : []), ...(classes > 0 ? [`${prior}/classWeights`] : [])];
  if (ours.length === 0) return [];
  const scaled = (bias: Values, logs: Values) => scaleLast(reshape(bias, [width]), outputScale(logs));
  const rule: Rule = {
    theirs: { ...(convolved ? convolution : {}), ...(classes > 0 ? linear : {}) },
    ours,
    read: (arrays) => {
      let bias = zeros([width]);
      if (convolved) bias = scaled(arrays[1], arrays[2]);
      if (classes === 0) return [bias];
      const [weight, byBias, logs] = arrays.slice(-3);
      const added = scaled(byBias, logs);
      const classWeights = scaleLast(transpose(weight, [1, 0]), outputScale(logs));
      return [map(bias, (value, i) => value + added.data[i]), classWeights];
    },
    write: (arrays) => {
      const bias = hasBias ? arrays[0] : zeros([width]);
      const learned = convolved ? [zeros(convolution['learn_top.weight']), bias, zeros([width, 1, 1])] : [];
      if (classes === 0) return learned;
      const classWeights = arrays[arrays.length - 1];
      return [...learned, transpose(classWeights, [1, 0]), zeros([width]), zeros([width])];
    },
  };
  return [rule];
}

function classifier(structure: Structure): Rule[] {
  const { classes } = structure;
  if (classes === 0) return [];
  const channels = channelsOf(structure, structure.levels - 1);
  return [
    transposed('project_class.weight', [classes, channels], 'classifier/kernel'),
    copy('project_class.bias', [classes], 'classifier/bias'),
    copy('project_class.logs', [classes], 'classifier/logScale'),
  ];
}

/** `prior_h`, which the PyTorch code insists on: zeros of one device's batch. */
export function priorHeight(structure: Structure, batch: number): Values {
  const [height, width] = topSizeOf(structure);
  return zeros([batch, 2 * channelsOf(structure, structure.levels - 1), height, width]);
}
