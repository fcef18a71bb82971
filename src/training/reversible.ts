import * as tf from '@tensorflow/tfjs-core';
import { contextTensors, partOf } from '../core/context';
import { ConfigError, complaint } from '../core/errors';
import { checkOptions } from '../core/options';
import type { RandomStream } from '../core/random';
import { checkInteger } from '../core/shapes';
import { inTrainingStep } from '../core/trainingStep';
import { tapeOf } from '../engine/gradients';
import { ReversePass, type TraceEntry } from '../layers';
import type { GradientStorage } from '../layers/reversePass';
import { differentiate, type Gradients, trainableOf } from './gradients';
import type { Batch, BijectiveLoss, Trainable } from './trainable';

/** Options of {@link reversibleGradients}. */
export interface ReversibleOptions {
  /**
   * Keep the input of every so-many-th layer: from there on the way back goes on from exact values, so that the rounding of the
   * inverses cannot add up over more layers than that. 1 keeps all and inverts none; beyond the depth, none but the data is kept.
   * Two layers that are computed as one count as one. Default 16.
   */
  anchorEvery?: number;
  /**
   * How gradients are held, where the optimizer takes them so.
   * @internal
   */
  storage?: GradientStorage;
}

const ANCHOR_EVERY = 16;

/**
 * Gradients of a flow's loss in its trainable weights, in memory that does not grow with depth.
 *
 * Nothing is stored on the way forward. On the way back each layer's input is recomputed from its output by its inverse, and the
 * layer alone is differentiated:
 *
 *     x_i = f_i^-1(x_{i+1}),    dL/dx_i = (df_i/dx_i)^T dL/dx_{i+1} + dL/dlogDet * dlogDet_i/dx_i
 *
 * From x_0 and the context the gradients go on, by a tape, into the weights that made them (of an embedding, say).
 * Costs about one more forward pass of the coupling networks than stored gradients. The values are those of the tape up to
 * the rounding of the inverses. For any chain of bijectors; others are one layer each.
 *
 * @param batch x [n, ...eventShape] and what the model is conditioned on
 * @param random where the loss draws its noise from
 * @returns loss in the model's unit, metrics, one gradient per trainable weight in the order of `model.weights`; the caller owns all
 * @throws ConfigError for a model whose loss does not come apart into a bijector and the rest
 *
 * @see Gomez et al., "The Reversible Residual Network" (2017), section 3.2, arXiv:1707.04585;
 * van de Leemput et al., "MemCNN" (2019), doi:10.21105/joss.01576
 * @example
 * const { loss, gradients } = reversibleGradients(flow, { x }, new RandomStream(1));
 * gradients.length === flow.trainableWeights.length; // true
 */
export function reversibleGradients(
  model: Trainable,
  batch: Batch,
  random: RandomStream,
  options: ReversibleOptions = {},
): Gradients {
  checkOptions('reversibleGradients', options, { anchorEvery: true, storage: true });
  const { anchorEvery = ANCHOR_EVERY, storage } = options;
  checkInteger('reversibleGradients', 'anchorEvery', anchorEvery);
  const anchors = new Map<string, tf.Tensor>();
  let pass: ReversePass | undefined;
  let source: Source | undefined;
  try {
    const compute = () => {
      const weights = trainableOf(model);
      const different = [...new Set(weights)];
      source = sourceOf(model, batch, random, different);
      const { bijector, x, context, lossOf } = source.parts;
      const ofBijector = partOf(context, bijector.contextShape);
      let layers = 0;
      const keepAnchor = ({ name, input, bijector }: TraceEntry) => {
        // An inverse of many steps costs more than the memory of its result.
        const keep = layers++ % anchorEvery === 0 || bijector.steps.inverse > bijector.steps.forward;
        if (keep) anchors.set(name, tf.keep(tf.clone(input)));
      };
      const { value, logDet } = bijector.trace(x, keepAnchor, ofBijector, bijector.name, true);
      const watched = source.upstream.length === 0 ? [] : [...new Set(contextTensors(context))];
      // The loss of the latents may read the bijector's weights too: Glow's classifier undoes the top prior.
      const ofLoss = differentiate(
        () => lossOf({ value, logDet }, context),
        [value, logDet, ...watched, ...different],
      );
      const [ofValue, ofLogDet, ...others] = ofLoss.gradients;
      const logDetGradient = ofLogDet ?? tf.zerosLike(logDet);
      pass = new ReversePass({ logDetGradient, context: ofBijector, watched, anchors, storage });
      pass.add([...watched, ...different], others);
      const before = bijector.reverse({ value, gradient: ofValue ?? tf.zerosLike(value) }, pass);
      pass.add(source.upstream, source.pullBack(before.gradient, watched, pass.takeGradients(watched)));
      tf.dispose({ ...before });
      return { ...ofLoss, gradients: pass.takeGradients(weights) } as never;
    };
    return inTrainingStep(random, () => tf.tidy(compute)) as Gradients;
  } finally {
    source?.dispose();
    pass?.dispose();
    tf.dispose([...anchors.values()]);
  }
}

/** What goes into the bijector, and the way from there back to the weights that made it. */
interface Source {
  parts: BijectiveLoss;
  /** Weights that data or context come from; mostly none. */
  upstream: tf.Variable[];
  /** Gradients by these weights from those by x and by tensors of the context. */
  pullBack(
    ofX: tf.Tensor,
    context: readonly tf.Tensor[],
    ofContext: readonly (tf.Tensor | null)[],
  ): (tf.Tensor | undefined)[];
  dispose(): void;
}

function sourceOf(
  model: Trainable,
  batch: Batch,
  random: RandomStream,
  weights: readonly tf.Variable[],
): Source {
  let made: BijectiveLoss | undefined;
  const tape = tapeOf(() => {
    made = model.bijectiveLoss?.(batch, random);
    return made === undefined ? [] : [made.x, ...contextTensors(made.context)];
  });
  if (made === undefined) {
    tape.dispose();
    throw noBijectiveLoss(model);
  }
  const parts: BijectiveLoss = made;
  const reached = tape.dependsOn(weights);
  const upstream = weights.filter((_, i) => reached[i]);
  // Nothing that the way back needs is held where there is none.
  if (upstream.length === 0) tape.dispose();
  return {
    parts,
    upstream,
    pullBack: (ofX, context, ofContext) =>
      upstream.length === 0 ? [] : tape.pullBack([parts.x, ...context], [ofX, ...ofContext], upstream),
    dispose: tape.dispose,
  };
}

function noBijectiveLoss(model: Trainable): ConfigError {
  const hint = "Use gradients: 'stored', or put a flow's own loss into `lossOf`.";
  const expected = 'a model whose loss reads one bijector (a flow)';
  return new ConfigError(complaint('reversibleGradients', expected, model.label, hint));
}
