import type { VectorBase, VectorLayer } from '../config';
import { zuko } from '../zuko';
import type { OwnBase, OwnLayer, Serialized } from './ownLayers';
import { checkSpline, networkParts, passingOf, scalesAbove } from './parts';
import type { Need } from './reasons';
import { type Expression, expressPlain, refuse, shiftOf, type VectorWriter } from './writer';
import { zukoPython } from './zukoPython';

/** Bound of the logs of scales in zuko. */
const LIMIT = Math.log(1000);

/** What zuko adds to the deviations of a mixture. */
const LEAST_SCALE = 1e-6;

/** Flows of ours in the names of zuko. */
export const zukoWriter: VectorWriter = {
  code: zuko,
  title: 'zuko',
  at: (place) => `transform.transforms.${place}`,
  express: (layer, need) => {
    const expressions = expressPlain(layer) ?? expressOwn(layer, need);
    if (!layer.inverted) return expressions;
    return expressions.reverse().map((each) => ({
      ...each,
      layer: { ...each.layer, inverted: true },
      weights: new Map([...each.weights].map(([name, values]) => [`inverted/${name}`, values])),
    }));
  },
  base: baseOf,
  standardizesContext: false,
  maskPlace: (name, { network, blocks = 0 }) => {
    const [place, within] = (name.match(/\d+/g) ?? []).map(Number);
    if (network !== 'residual') return place / 2;
    if (place === 0) return 0;
    return place > blocks ? 2 * blocks + 1 : 2 * place - 1 + within / 2;
  },
  typeOf: (name) => {
    if (/\.mask$/.test(name)) return 'BOOL';
    return /\.order$/.test(name) ? 'I64' : undefined;
  },
  python: zukoPython,
};

function expressOwn(layer: OwnLayer, need: Need): Expression[] {
  const { className, config, weights, masks, features } = layer;
  switch (className) {
    case 'FlowLinear': {
      need(config.form === 'lu', `it is a ${config.form}; zuko's linear map is a product L U`);
      const bias = weights.get('bias');
      const product: Expression = { layer: { type: 'linear' }, weights };
      return bias === undefined ? [product] : [product, shiftOf(bias)];
    }
    case 'FlowTransformerCoupling': {
      const { kind, form } = networkParts(config.network as Serialized, need);
      need(
        kind === 'perceptron',
        "its network is residual; zuko's couplings have perceptrons (hiddenUnits: [64, 64])",
      );
      need(config.passed === undefined, 'what passes is bent, which zuko leaves as it is');
      const passes = passingOf(config.passthrough, features);
      return [
        {
          layer: { type: 'coupling', passes, ...form, ...mapOf(config.transformer as Serialized, need) },
          weights,
        },
      ];
    }
    case 'FlowMaskedAutoregressive': {
      need(features > 1, 'it has one value, of which zuko makes another layer');
      const {
        kind,
        form,
        contextAs = 'inputs',
        preactivated,
      } = networkParts(config.network as Serialized, need);
      need(contextAs === 'inputs', `its network reads the context as '${contextAs}', not as 'inputs'`);
      const residual = kind === 'residual';
      need(
        !residual || !preactivated,
        "its blocks read their input through the activation, unlike zuko's; perceptrons are alike (hiddenUnits: [64, 64])",
      );
      const described = {
        type: 'autoregressive',
        ...form,
        ...mapOf(config.transformer as Serialized, need),
      } as const;
      return [{ layer: described, weights, masks }];
    }
    case 'FlowElementwise': {
      const map = mapOf(config.transformer as Serialized, need);
      const network = config.network as Serialized | undefined;
      if (network === undefined) return [{ layer: { type: 'elementwise', ...map }, weights }];
      const { kind, form } = networkParts(network, need);
      need(kind === 'perceptron', "its network is residual; zuko's elementwise maps have perceptrons");
      return [{ layer: { type: 'elementwise', ...form, context: true, ...map }, weights }];
    }
    default:
      return refuse(layer, 'zuko', need);
  }
}

function mapOf(
  { className, config }: Serialized,
  need: Need,
): Pick<VectorLayer, 'transformer' | 'bins' | 'bound'> {
  switch (className) {
    case 'FlowAffineTransformer': {
      const clipped = config.scale === 'softclip' && Math.abs((config.limit as number) - LIMIT) < 1e-9;
      need(
        clipped,
        `its affine maps scale by '${config.scale}'; those of zuko by 'softclip' with a limit of log 1000`,
      );
      return { transformer: 'affine' };
    }
    case 'FlowAdditiveTransformer':
      return { transformer: 'additive' };
    case 'FlowRationalQuadraticSpline':
      checkSpline(config, 'softclip', need);
      return { transformer: 'spline', bins: config.bins as number, bound: config.bound as number };
    case 'FlowHalfTurn': {
      const { className: inner, config: spline } = config.transformer as Serialized;
      need(inner === 'FlowRationalQuadraticSpline', 'its half turn is of no spline');
      checkSpline(spline, 'softclip', need);
      need(config.bound === Math.PI && spline.bound === Math.PI, 'its circle is not [-pi, pi]');
      return { transformer: 'circularSpline', bins: spline.bins as number, bound: Math.PI };
    }
    default:
      need(false, `zuko has no ${className.replace(/^Flow/, '')}`);
      return {};
  }
}

function baseOf({ className, config, weights }: OwnBase, need: Need): VectorBase {
  switch (className) {
    case 'FlowStandardNormal':
      return { type: 'diagonal' };
    case 'FlowDiagonalNormal':
      need(config.classes === 0, 'it differs by class');
      return { type: 'diagonal' };
    case 'FlowNormalMixture':
      need(config.network === undefined, 'it reads the context');
      need(
        scalesAbove(weights, LEAST_SCALE),
        `it has a deviation of at most ${LEAST_SCALE}, above which zuko's stay`,
      );
      return {
        type: 'mixture',
        components: config.components as number,
        covariance: config.covariance as 'diagonal' | 'full',
      };
    case 'FlowUniformBox': {
      const [low, high] = [config.low as number[], config.high as number[]];
      const [bound] = high;
      need(
        high.every((end) => end === bound) && low.every((end) => end === -bound),
        'its ends are not the same for all values',
      );
      return { type: 'box', bound };
    }
    default:
      need(false, `zuko has no ${className.replace(/^Flow/, '')}`);
      return { type: 'diagonal' };
  }
}
