import { Chain, Flow, MultilayerPerceptron } from 'tfjs-flows';
import type { Arrays, VectorConfig } from './arrays';
import { baseOf } from './bases';
import { setWeights } from './dense';
import { nflowsLayer } from './nflows';
import { normflowsLayer } from './normflows';
import { zukoLayer } from './zuko';

const libraries = {
  nflows: { layer: nflowsLayer, prefix: '_transform._transforms', reversed: false },
  zuko: { layer: zukoLayer, prefix: 'transform.transforms', reversed: false },
  normflows: { layer: normflowsLayer, prefix: 'flows', reversed: true },
};

/** A flow of our layers with the weights of another library. */
export function publishedFlow(config: VectorConfig, weights: Arrays): Flow {
  const { library, features, context_features: context } = config;
  const { layer: build, prefix, reversed } = libraries[library];
  const bijectors = config.layers.map((layer, i) =>
    build({ layer, arrays: weights.below(`${prefix}.${i}`), features, context, name: `layer${i}` }),
  );
  if (reversed) bijectors.reverse();
  const bijector = new Chain({ bijectors });
  const base = baseOf(config, weights);
  return new Flow({ bijector, base, ...embedding(context, weights) });
}

/** (context - mean) / deviation, as sbi has it, by a linear network. */
function embedding(context: number, weights: Arrays): { embed?: MultilayerPerceptron } {
  const statistics = weights.below('_embedding_net.0');
  if (!statistics.has('_mean')) return {};
  const [mean, deviation] = [statistics.values('_mean'), statistics.values('_std')];
  const embed = new MultilayerPerceptron({ inputShape: [context], units: context, hiddenUnits: [] });
  setWeights(embed, {
    kernel0: mean.flatMap((_, i) => deviation.map((each, j) => (i === j ? 1 / each : 0))),
    bias0: mean.map((value, i) => -value / deviation[i]),
  });
  return { embed };
}
