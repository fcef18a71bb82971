import { map, outputScale, reshape, scaleLast, transpose, type Values, zeros } from './arrays';
import { fullForm, luForm, type MatrixForm, ourForm } from './matrixForm';
import { copy, type Rule, sameOrder, swappedHalves, torchKernel } from './rule';
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
} from './structure';

/**
 * The state dict of github.com/rosinality/glow-pytorch (97081ff).
 *
 * Couplings have the raw scale first, then the shift; zero-initialized convolutions pad with ones; actnorm scales may be
 * negative, which ours writes as the sign of a row of the matrix that follows; `--no_lu` does not reach the last block.
 */
export const rosinality = { recognizes, infer, rules, ignores };

function recognizes(tensors: StoredTensors): boolean {
  return hasName(tensors, /^blocks\.\d+\.flows\.\d+\./);
}

/** Masks and flags, which follow from the shapes. */
function ignores(name: string): boolean {
  return /\.(u_mask|l_mask|l_eye|actnorm\.initialized)$/.test(name);
}

function infer(tensors: StoredTensors): InferredStructure {
  const channels = longest(shapeOf(tensors, /^blocks\.0\.flows\.0\.actnorm\.(loc|scale)$/));
  const filters = longest(shapeOf(tensors, /^blocks\.0\.flows\.\d+\.coupling\.net\.4\.(conv\.bias|scale)$/));
  return {
    channels: channels / 4,
    levels: countOf(tensors, /^blocks\.(\d+)\./),
    stepsPerLevel: countOf(tensors, /^blocks\.\d+\.flows\.(\d+)\./),
    hiddenChannels: shapeOf(tensors, /\.coupling\.net\.[02]\.(weight|bias)$/)[0],
    permutation: 'invconv',
    lu: !hasName(tensors, /\.invconv\.weight$/),
    coupling: filters === channels ? 'affine' : 'additive',
    networkActnorm: false,
    padding: 'zero',
    lastPadding: 'one',
    learnTop: 'border',
    classes: 0,
  };
}

/** @param file the tensors of a file, where it may keep things in another form than we do */
function rules(structure: Structure, file?: StoredTensors): Rule[] {
  const { coupling, hiddenChannels: hidden } = structure;
  const heads = coupling === 'affine' ? swappedHalves : sameOrder;
  const steps = stepsOf(structure).flatMap(({ level, step, ours, channels, filters }) => {
    const theirs = `blocks.${level}.flows.${step}`;
    const network = `${ours}/coupling/network`;
    const hiddenLayer = (i: number, layer: string, inputs: number, side: number) => [
      torchKernel(
        `${theirs}.coupling.net.${i}.weight`,
        [hidden, inputs, side, side],
        `${network}/${layer}/kernel`,
      ),
      copy(`${theirs}.coupling.net.${i}.bias`, [hidden], `${network}/${layer}/bias`),
    ];
    return [
      normAndMatrix(structure, level, theirs, ours, channels, file),
      ...hiddenLayer(0, 'first', channels / 2, 3),
      ...hiddenLayer(2, 'second', hidden, 1),
      ...zeroConvolution(`${theirs}.coupling.net.4`, `${network}/last`, hidden, filters, heads),
    ];
  });
  const splits = splitsOf(structure).flatMap(({ level, ours, channels }) =>
    zeroConvolution(`blocks.${level}.prior`, ours, channels / 2, channels, sameOrder),
  );
  return [...steps, ...splits, top(structure)];
}

/** Whether the code keeps a block's matrices as LU: always in the last block, elsewhere unless it was told otherwise. */
function keepsLu({ lu, levels }: Structure, level: number): boolean {
  return lu || level === levels - 1;
}

function normAndMatrix(
  structure: Structure,
  level: number,
  theirs: string,
  ours: string,
  channels: number,
  file?: StoredTensors,
): Rule {
  const part = (name: string) => `${theirs}.invconv.${name}`;
  const theirsLu = file === undefined ? keepsLu(structure, level) : !file.has(part('weight'));
  const form = theirsLu ? torchLu(part, channels) : fullForm(part('weight'), [channels, channels, 1, 1]);
  const own = ourForm(`${ours}/invconv`, structure.lu, channels);
  const vector = [1, channels, 1, 1];
  return {
    theirs: {
      [`${theirs}.actnorm.loc`]: vector,
      [`${theirs}.actnorm.scale`]: vector,
      ...form.entries,
    },
    ours: [`${ours}/actnorm/bias`, `${ours}/actnorm/logScale`, ...Object.keys(own.entries)],
    read: ([loc, scale, ...arrays]) => {
      const matrix = form.toMatrix(arrays).transpose();
      for (let i = 0; i < channels; i++) {
        if (scale.data[i] < 0) matrix.row(i).set(matrix.row(i).map((entry) => -entry));
      }
      return [loc, map(scale, (value) => Math.log(Math.abs(value))), ...own.fromMatrix(matrix)];
    },
    write: ([bias, logScale, ...arrays]) => [
      reshape(bias, vector),
      reshape(map(logScale, Math.exp), vector),
      ...form.fromMatrix(own.toMatrix(arrays).transpose()),
    ],
  };
}

function torchLu(part: (name: string) => string, n: number): MatrixForm {
  const names = {
    permutation: part('w_p'),
    lower: part('w_l'),
    upper: part('w_u'),
    sign: part('s_sign'),
    logScale: part('w_s'),
  };
  return luForm(names, n);
}

function zeroConvolution(
  theirs: string,
  ours: string,
  inputs: number,
  filters: number,
  heads: typeof sameOrder,
): Rule[] {
  return [
    torchKernel(`${theirs}.conv.weight`, [filters, inputs, 3, 3], `${ours}/kernel`, heads),
    copy(`${theirs}.conv.bias`, [filters], `${ours}/bias`, heads),
    copy(`${theirs}.scale`, [1, filters, 1, 1], `${ours}/logScale`, heads),
  ];
}

/** A convolution of zeros padded with ones: all that its kernel adds comes from outside, summed over its inputs. */
function top(structure: Structure): Rule {
  const { levels } = structure;
  const theirs = `blocks.${levels - 1}.prior`;
  const channels = channelsOf(structure, levels - 1);
  const width = 2 * channels;
  const shape = [width, channels, 3, 3];
  const prior = topPriorOf(structure);
  return {
    theirs: {
      [`${theirs}.conv.weight`]: shape,
      [`${theirs}.conv.bias`]: [width],
      [`${theirs}.scale`]: [1, width, 1, 1],
    },
    ours: [`${prior}/bias`, `${prior}/edgeKernel`],
    read: ([weight, bias, logs]) => {
      const factors = outputScale(logs);
      return [scaleLast(bias, factors), scaleLast(sumOverInputs(weight), factors)];
    },
    write: ([bias, edgeKernel]) => {
      const weight = zeros(shape);
      const edge = transpose(reshape(edgeKernel, [9, width]), [1, 0]);
      for (let o = 0; o < width; o++) weight.data.set(edge.data.subarray(o * 9, o * 9 + 9), o * channels * 9);
      return [weight, bias, zeros([1, width, 1, 1])];
    },
  };
}

/** [out, in, 3, 3] -> [3, 3, 1, out] */
function sumOverInputs(weight: Values): Values {
  const [outputs, inputs] = weight.shape;
  const sum = zeros([3, 3, 1, outputs]);
  for (let o = 0; o < outputs; o++) {
    for (let at = 0; at < 9; at++) {
      let total = 0;
      for (let i = 0; i < inputs; i++) total += weight.data[(o * inputs + i) * 9 + at];
      sum.data[at * outputs + o] = total;
    }
  }
  return sum;
}

/** What the PyTorch code insists on besides the weights: masks, and the mark of an initialized actnorm. */
export function masksAndFlags(
  structure: Structure,
): Record<string, { shape: number[]; data: Float32Array | Uint8Array }> {
  const result: Record<string, { shape: number[]; data: Float32Array | Uint8Array }> = {};
  for (const { level, step, channels: n } of stepsOf(structure)) {
    const theirs = `blocks.${level}.flows.${step}`;
    result[`${theirs}.actnorm.initialized`] = { shape: [], data: Uint8Array.of(1) };
    if (!keepsLu(structure, level)) continue;
    const mask = (inside: (i: number, j: number) => boolean) =>
      map(zeros([n, n]), (_, at) => (inside(Math.floor(at / n), at % n) ? 1 : 0));
    result[`${theirs}.invconv.u_mask`] = mask((i, j) => i < j);
    result[`${theirs}.invconv.l_mask`] = mask((i, j) => i > j);
    result[`${theirs}.invconv.l_eye`] = mask((i, j) => i === j);
  }
  return result;
}
