import { map, outputScale, reorderLast, reshape, scaleLast, type Values, zeros } from './arrays';
import { copy, crossed, type HeadOrder, type ReadRule, sameOrder } from './rule';
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
 * The variables of github.com/openai/glow (91b2c57), saved as npz under their names.
 *
 * Kernels are [height, width, in, out] as ours; 3x3 kernels have one more input, which is 1 outside the image; actnorm's logs
 * count three times; heads are crossed; matrices act on rows (y = x W), as ours.
 */
export const openai = { recognizes, infer, rules, ignores };

function recognizes(tensors: StoredTensors): boolean {
  return hasName(tensors, /^model\/\d+\/\d+\//);
}

/** Optimizer slots, averages and counters; the inverse of a shuffle follows from the shuffle. */
function ignores(name: string): boolean {
  return (
    !name.startsWith('model/') ||
    /\/(ExponentialMovingAverage|biased|local_step|indices_inverse)$|_(adam|adamax)_/.test(name)
  );
}

function infer(tensors: StoredTensors): InferredStructure {
  const channels = longest(shapeOf(tensors, /^model\/0\/0\/actnorm_(center\/b|scale\/logs)$/));
  const first = shapeOf(tensors, /^model\/0\/\d+\/f1\/l_1\/W$/);
  const last = shapeOf(tensors, /^model\/0\/\d+\/f1\/l_last\/W$/);
  const conditioned = tensors.get('model/prior/y_emb/W');
  const top = tensors.get('model/prior/p/W');
  const topChannels = top === undefined ? 0 : top.shape[3];
  const learned = top !== undefined || conditioned !== undefined;
  return {
    channels: channels / 4,
    levels: countOf(tensors, /^model\/(\d+)\/\d+\//),
    stepsPerLevel: countOf(tensors, /^model\/\d+\/(\d+)\//),
    hiddenChannels: first[3],
    permutation: hasName(tensors, /\/(invconv|shuffle)\//) ? 'invconv' : 'reverse',
    lu: hasName(tensors, /\/invconv\/log_S$/),
    coupling: last[3] === channels ? 'affine' : 'additive',
    networkActnorm: true,
    padding: first[2] === channels / 2 ? 'zero' : 'edge',
    lastPadding: last[2] === first[3] ? 'zero' : 'edge',
    learnTop: top !== undefined && top.shape[2] > topChannels ? 'border' : learned,
    classes: conditioned === undefined ? 0 : conditioned.shape[0],
  };
}

function rules(structure: Structure, file: StoredTensors): ReadRule[] {
  const { coupling, hiddenChannels: hidden, padding, lastPadding } = structure;
  const heads = coupling === 'affine' ? crossed : sameOrder;
  const steps = stepsOf(structure).flatMap(({ level, step, ours, channels, filters }) => {
    const theirs = `model/${level}/${step}`;
    const network = `${ours}/coupling/network`;
    const hiddenLayer = (i: number, layer: string) => [
      copy(`${theirs}/f1/l_${i}/actnorm_center/b`, [hidden], `${network}/${layer}Norm/bias`),
      tripled(`${theirs}/f1/l_${i}/actnorm_scale/logs`, hidden, `${network}/${layer}Norm/logScale`),
    ];
    return [
      copy(`${theirs}/actnorm_center/b`, [channels], `${ours}/actnorm/bias`),
      tripled(`${theirs}/actnorm_scale/logs`, channels, `${ours}/actnorm/logScale`),
      ...mixing(structure, theirs, `${ours}/invconv`, channels, file),
      kernel(`${theirs}/f1/l_1/W`, channels / 2, hidden, `${network}/first`, padding === 'edge'),
      ...hiddenLayer(1, 'first'),
      copy(`${theirs}/f1/l_2/W`, [hidden, hidden], `${network}/second/kernel`),
      ...hiddenLayer(2, 'second'),
      ...zeroConvolution(`${theirs}/f1/l_last`, `${network}/last`, hidden, filters, heads, lastPadding),
    ];
  });
  const splits = splitsOf(structure).flatMap(({ level, ours, channels }) =>
    zeroConvolution(`model/pool${level}/conv`, ours, channels / 2, channels, crossed, lastPadding),
  );
  return [...steps, ...splits, ...top(structure, file), ...classifier(structure, file)];
}

/** logs count three times. */
function tripled(theirs: string, channels: number, ours: string): ReadRule {
  return { theirs: { [theirs]: [channels] }, ours: [ours], read: ([logs]) => [map(logs, (log) => 3 * log)] };
}

function mixing(
  { permutation, lu }: Structure,
  theirs: string,
  ours: string,
  channels: number,
  file: StoredTensors,
): ReadRule[] {
  if (permutation === 'reverse') return [];
  const square = [channels, channels];
  if (lu) {
    return [
      copy(`${theirs}/invconv/P`, square, `${ours}/permutation`),
      copy(`${theirs}/invconv/L`, square, `${ours}/lower`),
      copy(`${theirs}/invconv/U`, square, `${ours}/upper`),
      copy(`${theirs}/invconv/sign_S`, [channels], `${ours}/sign`),
      copy(`${theirs}/invconv/log_S`, [channels], `${ours}/logScale`),
    ];
  }
  const indices = `${theirs}/shuffle/indices`;
  if (!file.has(indices)) return [copy(`${theirs}/invconv/W`, square, `${ours}/kernel`)];
  // A drawn order is the matrix that has a 1 where it takes a channel from.
  const read = ([order]: Values[]) => [
    map(zeros(square), (_, at) => (order.data[at % channels] === Math.floor(at / channels) ? 1 : 0)),
  ];
  return [{ theirs: { [indices]: [channels] }, ours: [`${ours}/kernel`], read }];
}

/** A 3x3 kernel, its last input being the indicator of the outside. */
function kernel(
  theirs: string,
  inputs: number,
  filters: number,
  ours: string,
  edge: boolean,
  heads: HeadOrder = sameOrder,
): ReadRule {
  const order = heads(filters);
  if (!edge) {
    const read = ([array]: Values[]) => [reorderLast(array, order)];
    return { theirs: { [theirs]: [3, 3, inputs, filters] }, ours: [`${ours}/kernel`], read };
  }
  return {
    theirs: { [theirs]: [3, 3, inputs + 1, filters] },
    ours: [`${ours}/kernel`, `${ours}/edgeKernel`],
    read: ([array]) => splitInputs(reorderLast(array, order), inputs),
  };
}

/** [3, 3, i, o] -> [3, 3, at, o] and [3, 3, i - at, o] */
function splitInputs(array: Values, at: number): [Values, Values] {
  const [, , inputs, filters] = array.shape;
  const first = zeros([3, 3, at, filters]);
  const second = zeros([3, 3, inputs - at, filters]);
  for (let position = 0; position < 9; position++) {
    const from = position * inputs * filters;
    const middle = from + at * filters;
    first.data.set(array.data.subarray(from, middle), position * at * filters);
    second.data.set(array.data.subarray(middle, from + inputs * filters), position * (inputs - at) * filters);
  }
  return [first, second];
}

function zeroConvolution(
  theirs: string,
  ours: string,
  inputs: number,
  filters: number,
  heads: HeadOrder,
  padding: Structure['lastPadding'],
): ReadRule[] {
  return [
    kernel(`${theirs}/W`, inputs, filters, ours, padding === 'edge', heads),
    copy(`${theirs}/b`, [filters], `${ours}/bias`, heads),
    copy(`${theirs}/logs`, [filters], `${ours}/logScale`, heads),
  ];
}

/** The top prior sees zeros, so of its kernel only the indicator's part counts; classes add to its bias. */
function top(structure: Structure, file: StoredTensors): ReadRule[] {
  const { classes, learnTop } = structure;
  if (learnTop === false) return [];
  const width = 2 * channelsOf(structure, structure.levels - 1);
  const prior = topPriorOf(structure);
  const learned = file.has('model/prior/p/W');
  const inputs = learnTop === 'border' ? width + 1 : width;
  const convolution: ReadRule['theirs'] = {
    'model/prior/p/W': [3, 3, inputs, width],
    'model/prior/p/b': [width],
    'model/prior/p/logs': [width],
  };
  const linear: ReadRule['theirs'] = {
    'model/prior/y_emb/W': [classes, width],
    'model/prior/y_emb/b': [width],
    'model/prior/y_emb/logs': [width],
  };
  return [
    {
      theirs: { ...(learned ? convolution : {}), ...(classes > 0 ? linear : {}) },
      ours: [
        `${prior}/bias`,
        ...(learnTop === 'border' ? [`${prior}/edgeKernel`] : []),
        ...(classes > 0 ? [`${prior}/classWeights`] : []),
      ],
      read: (arrays) => {
        const parts: Values[] = [];
        let bias = zeros([width]);
        if (learned) {
          const factors = outputScale(arrays[2]);
          bias = scaleLast(arrays[1], factors);
          if (learnTop === 'border') parts.push(scaleLast(splitInputs(arrays[0], width)[1], factors));
        }
        if (classes > 0) {
          const [weight, byBias, logs] = arrays.slice(-3);
          const factors = outputScale(logs);
          bias = map(bias, (value, i) => value + byBias.data[i] * factors[i]);
          parts.push(scaleLast(weight, factors));
        }
        return [reshape(bias, [width]), ...parts];
      },
    },
  ];
}

/** The head exists only where its loss had a weight; otherwise ours stays at zero. */
function classifier(structure: Structure, file: StoredTensors): ReadRule[] {
  const { classes } = structure;
  if (classes === 0) return [];
  const channels = channelsOf(structure, structure.levels - 1);
  const ours = ['classifier/kernel', 'classifier/bias', 'classifier/logScale'];
  const shapes = [[channels, classes], [classes], [classes]];
  if (!file.has('model/classifier/W')) {
    return [{ theirs: {}, ours, read: () => shapes.map(zeros) }];
  }
  return ['W', 'b', 'logs'].map((part, i) => copy(`model/classifier/${part}`, shapes[i], ours[i]));
}
