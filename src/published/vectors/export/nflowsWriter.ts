import { type Values, zeros } from '../../arrays';
import type { VectorLayer } from '../config';
import { nflows } from '../nflows';
import { nflowsPython } from './nflowsPython';
import type { OwnLayer, Serialized } from './ownLayers';
import { checkSpline, MINIMUM, networkParts, passingOf, scalesAbove } from './parts';
import type { Need } from './reasons';
import { type Expression, expressPlain, refuse, type VectorWriter } from './writer';

/** Flows of ours in the names of nflows. */
export const nflowsWriter: VectorWriter = {
  code: nflows,
  title: 'nflows',
  at: (place) => `_transform._transforms.${place}`,
  express: (layer, need) => {
    need(!layer.inverted, 'it is turned round');
    return expressPlain(layer) ?? expressOwn(layer, need);
  },
  base: ({ className, config }, need) => {
    if (className === 'FlowDiagonalNormal') {
      need(config.classes === 0, 'it differs by class');
      return { type: 'diagonal' };
    }
    need(
      className === 'FlowStandardNormal',
      `it is no normal distribution with independent values, but ${className}`,
    );
    return { type: 'standard' };
  },
  standardizesContext: true,
  maskPlace: (name, { network, blocks = 0, hiddenUnits = [] }) => {
    if (name.includes('initial_layer')) return 0;
    if (name.includes('final_layer')) return network === 'residual' ? 2 * blocks + 1 : hiddenUnits.length;
    const [block, linear = 0] = (name.match(/\d+/g) ?? []).map(Number);
    return network === 'residual' ? 1 + 2 * block + linear : 1 + block;
  },
  typeOf: (name) =>
    /\.(_permutation|identity_features|transform_features|degrees)$/.test(name) ? 'I64' : undefined,
  python: nflowsPython,
};

function expressOwn(layer: OwnLayer, need: Need): Expression[] {
  const { className, config, weights, masks, features } = layer;
  const transformer = config.transformer as Serialized;
  switch (className) {
    case 'FlowLinear': {
      need(config.form === 'lu', `it is a ${config.form}; nflows' LULinear is a product L U`);
      need(
        scalesAbove(weights, MINIMUM, 'logScale'),
        `its U has a diagonal entry of at most ${MINIMUM}, which nflows' softplus stays above`,
      );
      const bias = weights.get('bias') ?? zeros([features]);
      return [{ layer: { type: 'linear' }, weights: new Map([...weights, ['bias', bias as Values]]) }];
    }
    case 'FlowTransformerCoupling': {
      const network = networkParts(config.network as Serialized, need);
      const isPlain = network.kind === 'perceptron';
      need(
        !isPlain || !network.form.context,
        "its network is a perceptron that reads the context; in nflows' couplings residual ones do (hiddenUnits: 64)",
      );
      need(
        !isPlain || network.form.hiddenUnits?.length !== 0,
        "its network is one layer; nflows' MLP has hidden ones",
      );
      const passed = config.passed as Serialized | undefined;
      const same = passed === undefined || JSON.stringify(passed) === JSON.stringify(transformer);
      need(same, 'what passes goes through another spline than what is mapped');
      const bends = passed !== undefined;
      need(
        !bends || transformer.className === 'FlowRationalQuadraticSpline',
        'what passes is mapped, but not by a spline',
      );
      const described: Expression['layer'] = {
        type: 'coupling',
        passes: passingOf(config.passthrough, features),
        ...network.form,
        ...mapOf(transformer, 'sigmoid', need),
        divided: !isPlain,
        ...(bends && { bendsPassed: true }),
      };
      return [{ layer: described, weights }];
    }
    case 'FlowMaskedAutoregressive': {
      const {
        kind,
        form,
        contextAs = 'shifts',
        preactivated,
      } = networkParts(config.network as Serialized, need);
      need(contextAs === 'shifts', `its network reads the context as '${contextAs}', not as 'shifts'`);
      need(preactivated, 'its blocks read their input as it is, not through the activation');
      const [width, ...others] = form.hiddenUnits ?? [];
      need(
        width !== undefined && others.every((each) => each === width),
        'its hidden layers differ in width',
      );
      const described = {
        type: 'autoregressive',
        ...form,
        ...mapOf(transformer, 'softplus', need),
        divided: false,
      };
      return kind === 'other' ? [] : [{ layer: described as Expression['layer'], weights, masks }];
    }
    default:
      return refuse(layer, 'nflows', need);
  }
}

/** A map of single numbers. @param scale how affine ones of such a layer scale */
function mapOf(
  { className, config }: Serialized,
  scale: 'sigmoid' | 'softplus',
  need: Need,
): Pick<VectorLayer, 'transformer' | 'scale' | 'bins' | 'bound'> {
  switch (className) {
    case 'FlowAffineTransformer':
      need(
        config.scale === scale && config.minimum === MINIMUM,
        `its affine maps scale by '${config.scale}'; those of nflows here by '${scale}' with a minimum of ${MINIMUM}`,
      );
      return { transformer: 'affine', scale };
    case 'FlowAdditiveTransformer':
      need(scale === 'sigmoid', 'nflows has additive maps in couplings alone');
      return { transformer: 'additive' };
    case 'FlowRationalQuadraticSpline':
      checkSpline(config, 'minimum', need);
      return { transformer: 'spline', bins: config.bins as number, bound: config.bound as number };
    default:
      need(false, `nflows has no ${className.replace(/^Flow/, '')}`);
      return {};
  }
}
