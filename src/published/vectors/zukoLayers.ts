import { ConfigError, complaint } from '../../core/errors';
import {
  AffineTransformer,
  Elementwise,
  HalfTurn,
  Linear,
  RationalQuadraticSpline,
  type Transformer,
} from '../../layers';
import { levelsOf } from '../../layers/networks/masks';
import { map, reshape, type Values, zeros } from '../arrays';
import type { Rule } from '../rule';
import type { VectorLayer } from './config';
import { autoregressive, coupling, elementwise, turnedAsWritten } from './couplings';
import { dense, layerNames } from './dense';
import { checkScales, permutation, pointwiseAffine } from './linearLayers';
import { maskedPerceptron, maskedResidualNetwork, perceptron } from './networks';
import { besideWeights, constant, integers, type LayerPiece, type Scene } from './piece';
import { structureOf } from './sets';
import { additive, plainHead, range, type Univariate } from './transformers';

/** A layer of zuko. */
export function zukoLayer(layer: VectorLayer, scene: Scene): LayerPiece {
  return turnedAsWritten(layer, scene, layerPiece);
}

function layerPiece(layer: VectorLayer, scene: Scene): LayerPiece {
  const { passes = [], order = [], positional } = layer;
  switch (layer.type) {
    case 'autoregressive':
      return layer.network === 'residual' ? residual(layer, scene) : masked(layer, scene);
    case 'coupling': {
      const network = steering(layer, scene, passes);
      const mask = constant('mask', [scene.features], () => integers(passes.map(Number)));
      return coupling(layer, scene, { ...network, beside: [mask] });
    }
    case 'elementwise':
      return layer.network === undefined
        ? free(layer, scene)
        : elementwise(scene, steering(layer, scene, []));
    case 'standardize':
      return pointwiseAffine(layer, scene, positional ? ['_1', '_0'] : ['scale', 'loc']);
    case 'permutation':
      return permutation(layer, scene, { order });
    case 'linear':
      return triangles(scene);
    default:
      throw new ConfigError(complaint('importCheckpoint', 'a layer that zuko has', `'${layer.type}'`));
  }
}

/** Maps are clipped smoothly, and their parameters stand in our order. */
function univariateOf({ transformer, bins, bound }: VectorLayer): Univariate {
  if (transformer === 'additive') return additive();
  const spline = () => new RationalQuadraticSpline({ bins, bound, limits: 'softclip' });
  const ours: Transformer =
    transformer === 'affine'
      ? new AffineTransformer()
      : transformer === 'spline'
        ? spline()
        : new HalfTurn({ transformer: spline(), bound });
  return { transformer: ours, head: plainHead(ours.parameters) };
}

/** A perceptron that reads the values that pass, and the context. */
function steering(layer: VectorLayer, { features, context }: Scene, passes: readonly boolean[]) {
  const { hiddenUnits = [], activation = 'relu' } = layer;
  const univariate = univariateOf(layer);
  const read = passes.filter(Boolean).length;
  const head = univariate.head(features - read);
  const layers = range(hiddenUnits.length + 1).map((i) => `${2 * i}`);
  // Of a map that reads the context alone, the context is what its network maps.
  const joined = read === 0 || !layer.context ? 0 : context;
  const network = perceptron(layers, [read || context, ...hiddenUnits], {
    activation,
    context: joined,
    head,
  });
  return { univariate, network, networkAt: 'hyper' };
}

/** A masked perceptron; its context stands beside the values. */
function masked(layer: VectorLayer, scene: Scene): LayerPiece {
  const { hiddenUnits = [] } = layer;
  const at = range(hiddenUnits.length + 1).map((i) => `${2 * i}`);
  const widths = [...hiddenUnits];
  return maskedLayer(layer, scene, at, widths, (form) => maskedPerceptron(form, 'inputs'));
}

/** A masked layer, residual blocks that read their input as it is, and a last layer. */
function residual(layer: VectorLayer, scene: Scene): LayerPiece {
  const { hiddenUnits: [width = 0] = [], blocks = 0 } = layer;
  const within = range(blocks).flatMap((b) => [`${b + 1}.0`, `${b + 1}.2`]);
  const at = ['0', ...within, `${blocks + 1}`];
  const widths = new Array<number>(2 * blocks + 1).fill(width);
  return maskedLayer(layer, scene, at, widths, (form) =>
    maskedResidualNetwork(form, { contextAs: 'inputs', preactivated: false }),
  );
}

/**
 * A masked autoregressive layer.
 *
 * @param at where the layers of its network are
 * @param widths of all but the last
 */
function maskedLayer(
  layer: VectorLayer,
  scene: Scene,
  at: readonly string[],
  widths: readonly number[],
  build: (form: Parameters<typeof maskedPerceptron>[0]) => ReturnType<typeof maskedPerceptron>,
): LayerPiece {
  const { features } = scene;
  const { activation = 'relu' } = layer;
  const context = layer.context ? scene.context : 0;
  const univariate = univariateOf(layer);
  const head = univariate.head(features);
  const sizes = [features + context, ...widths, head.outputs];
  const masks = at.map((place) => () => scene.mask(`hyper.${place}.mask`));
  const rules = at.map((place, i) =>
    dense(place, [sizes[i + 1], sizes[i]], layerNames(i), {
      mask: masks[i],
      ...(i === at.length - 1 && { head }),
    }),
  );
  const all = () => masks.map((mask) => mask());
  const network = (outputsPerValue: number) =>
    build({ features, activation, context, outputsPerValue, masks: all });
  const piece = autoregressive(scene, { univariate, rules, networkAt: 'hyper', network });
  // Built along a graph, a layer has no order.
  const order = besideWeights('order', [features], () =>
    integers(levelsOf('exportStateDict', structureOf(all(), features).adjacency)),
  );
  return { ...piece, rules: [order, ...piece.rules] };
}

/** A map of each value with parameters of its own, kept as lists of numbers one after another. */
function free(layer: VectorLayer, { features, name }: Scene): LayerPiece {
  const { transformer } = univariateOf(layer);
  const { bins = 0 } = layer;
  const lengths = { additive: [1], affine: [1, 1] }[layer.transformer as string] ?? [bins, bins, bins - 1];
  const shapes = lengths.map((length) => (length === 1 && bins === 0 ? [features] : [features, length]));
  const rule: Rule = {
    theirs: Object.fromEntries(shapes.map((shape, i) => [`phi.${i}`, shape])),
    ours: ['parameters'],
    read: (parts) => [joinedColumns(parts, lengths)],
    write: ([parameters]) => columnsOf(parameters, lengths).map((part, i) => reshape(part, shapes[i])),
  };
  return { rules: [rule], build: () => new Elementwise({ inputShape: [features], transformer, name }) };
}

/** Arrays [values, length] next to each other. */
function joinedColumns(parts: readonly Values[], lengths: readonly number[]): Values {
  const rows = parts[0].shape[0];
  const perRow = lengths.reduce((sum, length) => sum + length);
  const joined = zeros([rows, perRow]);
  let start = 0;
  lengths.forEach((length, part) => {
    for (let row = 0; row < rows; row++) {
      joined.data.set(parts[part].data.subarray(row * length, (row + 1) * length), row * perRow + start);
    }
    start += length;
  });
  return joined;
}

/** Undoes `joinedColumns`. */
function columnsOf({ shape: [rows, perRow], data }: Values, lengths: readonly number[]): Values[] {
  let start = 0;
  return lengths.map((length) => {
    const from = start;
    start += length;
    const part = zeros([rows, length]);
    for (let row = 0; row < rows; row++) {
      part.data.set(data.subarray(row * perRow + from, row * perRow + start), row * length);
    }
    return part;
  });
}

/** L U x of zuko, its diagonal on the side of L: L D^-1 and D U are ours, D being that diagonal. */
function triangles({ features: d, name }: Scene): LayerPiece {
  const scaled = (matrix: Values, diagonal: ArrayLike<number>, power: 1 | -1): Values =>
    map(matrix, (value, at) => {
      const [i, j] = [Math.floor(at / d), at % d];
      if (i === j) return 0;
      return i > j ? value * diagonal[j] ** power : value * diagonal[i] ** -power;
    });
  const rule: Rule = {
    theirs: { LU: [d, d] },
    ours: ['triangles', 'logScale'],
    read: ([matrix]) => {
      const diagonal = Float32Array.from({ length: d }, (_, i) => matrix.data[i * (d + 1)]);
      checkScales({ data: diagonal });
      return [scaled(matrix, diagonal, -1), { shape: [d], data: diagonal.map(Math.log) }];
    },
    write: ([matrix, logScale]) => {
      const diagonal = Float64Array.from(logScale.data, Math.exp);
      const joined = scaled(matrix, diagonal, 1);
      diagonal.forEach((value, i) => {
        joined.data[i * (d + 1)] = value;
      });
      return [joined];
    },
  };
  return { rules: [rule], build: () => new Linear({ inputShape: [d], bias: false, name }) };
}
