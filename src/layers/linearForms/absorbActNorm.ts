import type * as tf from '@tensorflow/tfjs-core';
import { isOwn } from '../../core/overriding';
import { hasPassesOf } from '../absorbPermutation';
import { ActNorm } from '../actnorm';
import { Bijector, type BothWays } from '../bijector';
import {
  fusedScaledLinear,
  hasFusedScaledLinear,
  type MatrixOfWeights,
  reverseScaledLinear,
} from '../fusedScaledLinear';
import { addLogDets } from '../logDets';
import type { ReversePass } from '../reversePass';
import type { Reversed } from '../transformed';
import type { LinearForm } from './linearForm';

/** A linear layer, y = x W at every position, as it takes part. */
export interface LinearPart {
  layer: Bijector;
  /** The class whose passes are y = x W. */
  owner: { prototype: object };
  /** Rows of W. */
  channels: number;
  form: Pick<LinearForm, 'ofWeights' | 'inverseOfWeights'>;
  /** What `compute` returns, or the layer's own error for a singular W. */
  guard<T>(method: string, compute: () => T): T;
}

/**
 * An actnorm and the linear map after it as one: y = ((x + offset) * exp(logScale)) W. Undefined where the layer before is none, where
 * a subclass has passes of its own, or where the active backend has no such operation.
 */
export function absorbActNorm(before: Bijector, linear: LinearPart): BothWays | undefined {
  const { layer, owner, channels, form, guard } = linear;
  if (!(before instanceof ActNorm) || !hasFusedScaledLinear(channels)) return undefined;
  const [matrix, inverted] = [form.ofWeights(), form.inverseOfWeights()];
  const plain = hasPassesOf(layer, owner) && hasPassesOf(before, ActNorm, 'fusedScale');
  if (matrix === undefined || !plain) return undefined;
  // What is disposed says so by itself.
  if (before.disposed || layer.disposed) return undefined;
  const { offset, logScale } = before.fusedScale;
  const joined = (x: tf.Tensor, by: MatrixOfWeights, inverse: boolean) =>
    guard(inverse ? 'inverse' : 'forward', () =>
      fusedScaledLinear(x, { offset, logScale, matrix: by }, inverse),
    );
  const apart = (y: tf.Tensor) => {
    const after = layer.inverse(y);
    const { value, logDet } = before.inverse(after.value);
    return { value, logDet: addLogDets([after.logDet, logDet]) };
  };
  const reverse = (output: Reversed, pass: ReversePass, name: string) => {
    const weights = { offset, logScale, matrix };
    const { value, gradient, ofWeights } = guard('inverse', () =>
      reverseScaledLinear(output, pass.logDetGradient, weights, pass.takeAnchor(name)),
    );
    pass.add([offset, logScale, ...matrix.weights], ofWeights);
    return { value, gradient };
  };
  // Whoever replaced one of these sees each layer.
  const walked = [before, layer].every((one) => isOwn(one, Bijector, 'trace', 'reverse', 'computeReverse'));
  return {
    forward: (x) => joined(x, matrix, false),
    inverse: (y) => (inverted === undefined ? apart(y) : joined(y, inverted, true)),
    ...(inverted !== undefined && walked && { reverse }),
  };
}
