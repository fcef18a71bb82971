import { type Activation, type Bijector, TransformerCoupling } from 'tfjs-flows';
import type { Arrays } from './arrays';
import { type Dense, readDense } from './dense';
import { maskedPerceptron, maskedResidualNetwork, perceptron } from './networks';
import { autoregressive, type LayerSource } from './nflows';
import { zukoUnivariate } from './univariates';

/** A layer of zuko, from data to latents. */
export function zukoLayer({ layer, arrays, features, context, name }: LayerSource): Bijector {
  const { transformer, adapt } = zukoUnivariate(layer);
  const hyper = arrays.below('hyper');
  const form = { activation: layer.activation as Activation, context };
  if (layer.type === 'GeneralCouplingTransform') {
    return new TransformerCoupling({
      inputShape: [features],
      name,
      passthrough: arrays.values('mask').map(Boolean),
      transformer,
      network: perceptron(adaptLast(linears(hyper), adapt), form),
    });
  }
  const blocks = residualBlocks(hyper);
  const layers = adaptLast(linears(hyper), adapt);
  const network =
    blocks.length === 0
      ? maskedPerceptron(layers, { ...form, features })
      : maskedResidualNetwork(
          { initial: layers[0], blocks, final: layers[1] },
          { ...form, features, contextAs: 'inputs', preactivated: false },
        );
  return autoregressive({ features, transformer, network, name });
}

/** The plain layers of a sequence, in their order. */
function linears(hyper: Arrays): Dense[] {
  return places().flatMap((i) => (hyper.has(`${i}.weight`) ? [readDense(hyper.below(String(i)))] : []));
}

function residualBlocks(hyper: Arrays): { linear: [Dense, Dense] }[] {
  return places().flatMap((i) => {
    const [first, second] = [hyper.below(`${i}.0`), hyper.below(`${i}.2`)];
    return first.has('weight') ? [{ linear: [readDense(first), readDense(second)] as [Dense, Dense] }] : [];
  });
}

/** Where a layer may stand in a sequence, activations being counted. */
const places = () => Array.from({ length: 12 }, (_, i) => i);

function adaptLast(layers: Dense[], adapt: (last: Dense) => Dense): Dense[] {
  return [...layers.slice(0, -1), adapt(layers[layers.length - 1])];
}
