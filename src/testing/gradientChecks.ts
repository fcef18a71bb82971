import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, contextTensors, isNamed, mapContext } from '../core/context';
import type { RandomStream } from '../core/random';
import type { Bijector } from '../layers/bijector';
import { ReversePass } from '../layers/reversePass';
import { type Check, disposeAll, largestDifference, require } from './subject';

/** Widths for slopes: a relu whose kink lies within the first is smooth within a smaller one. */
const SLOPE_STEPS = [1e-2, 2e-3, 4e-4];

/** Gradients of both directions in inputs, contexts and weights agree with central differences along random directions. */
export const gradients: Check = ({ bijector, x, context, random }) => {
  const forward = bijector.forward(x, context);
  const parts = contextTensors(context);
  const passes = [
    { name: 'forward', input: x, pass: bijector.forward.bind(bijector) },
    { name: 'inverse', input: forward.value, pass: bijector.inverse.bind(bijector) },
  ];
  for (const { name, input, pass } of passes) {
    const probe = random.normal(name === 'forward' ? forward.value.shape : x.shape);
    const loss = (at: tf.Tensor, given = context): tf.Scalar => {
      const { value, logDet } = pass(at, given);
      const weighted = tf.mul(tf.reshape(value, [-1]), tf.reshape(probe, [-1]));
      return tf.add(tf.sum(weighted), tf.sum(logDet)) as tf.Scalar;
    };
    const byInput = tf.grad((at) => loss(at))(input);
    checkGradient(`${name}, input`, input, byInput, random, (at) => loss(at));
    byInput.dispose();
    for (const [i, part] of parts.entries()) {
      const ofPart = (at: tf.Tensor) => loss(input, withParts(context, parts.with(i, at)));
      const byPart = tf.grad(ofPart)(part);
      checkGradient(`${name}, ${partNames(bijector)[i]}`, part, byPart, random, ofPart);
      byPart.dispose();
    }
    const weights = bijector.weights.filter(({ trainable }) => trainable);
    if (weights.length > 0) {
      const variables = weights.map(({ variable }) => variable);
      const { value, grads } = tf.variableGrads(() => loss(input), variables);
      for (const { name: weightName, variable } of weights) {
        const label = `${name}, ${weightName}`;
        const gradient = grads[variable.name];
        require(gradient != null, `the results do not depend on a weight (${label})`);
        checkGradient(label, variable, gradient, random, (at) => {
          variable.assign(at);
          return loss(input);
        });
      }
      tf.dispose([value, grads]);
    }
    probe.dispose();
  }
  disposeAll(forward);
};

/** Directions to try: a relu kink can spoil one by chance, a wrong gradient spoils all. */
const DIRECTIONS = 3;

/** Holds a gradient at a point against differences of the loss, which may move a variable; the point is then as before. */
function checkGradient(
  label: string,
  point: tf.Tensor,
  gradient: tf.Tensor,
  random: RandomStream,
  loss: (at: tf.Tensor) => tf.Scalar,
): void {
  const complaints: string[] = [];
  while (complaints.length < DIRECTIONS) {
    const complaint = complaintAlong(point, gradient, random, loss);
    if (complaint === undefined) return;
    complaints.push(complaint);
  }
  require(false, `gradient (${label}) is along random directions ${complaints.join('; ')} (within 2 %)`);
}

/** Holds <gradient, unit direction> against the loss's slope along it by fourth-order central differences, of one width after another. */
function complaintAlong(
  point: tf.Tensor,
  gradient: tf.Tensor,
  random: RandomStream,
  loss: (at: tf.Tensor) => tf.Scalar,
): string | undefined {
  let complaint: string | undefined;
  tf.tidy(() => {
    const start = tf.clone(point);
    const direction = random.normal(point.shape);
    const unit = tf.div(direction, tf.norm(direction));
    const analytic = tf.sum(tf.mul(gradient, unit)).dataSync()[0];
    const at = (distance: number): number => loss(tf.add(start, tf.mul(unit, distance))).dataSync()[0];
    const slopes: number[] = [];
    const agrees = SLOPE_STEPS.some((h) => {
      const slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      slopes.push(slope);
      // float32 losses are good to about 1e-6 of their size, so slopes over these steps to 1e-2 at worst.
      return Math.abs(analytic - slope) <= 0.02 * (1 + Math.abs(slope));
    });
    if (point instanceof tf.Variable) point.assign(start);
    if (!agrees) complaint = `${analytic}, differences say ${slopes.join(' or ')}`;
  });
  return complaint;
}

/** `reverse` finds the input, and the gradients that the engine of TensorFlow.js finds on a tape of `forward`; it leaves only them. */
export const reversal: Check = ({ bijector, x, context, random, tolerance }) => {
  const count = tf.memory().numTensors;
  tf.tidy(() => {
    const weights = [...new Set(bijector.trainableWeights)];
    const parts = contextTensors(context);
    const forward = bijector.forward(x, context);
    const gradient = random.normal(forward.value.shape);
    const logDetGradient = random.normal(forward.logDet.shape);
    const pass = new ReversePass({ logDetGradient, context, watched: parts });
    const before = bijector.reverse({ value: forward.value, gradient }, pass);
    const error = largestDifference(before.value, x);
    require(error <= tolerance, `reverse finds an input that differs from x by ${error}`);
    const loss = (input: tf.Tensor, given: ContextTensors | undefined): tf.Scalar => {
      const { value, logDet } = bijector.forward(input, given);
      return tf.add(tf.sum(tf.mul(value, gradient)), tf.sum(tf.mul(logDet, logDetGradient))) as tf.Scalar;
    };
    const byInputs = tf.grads((input, ...given) => loss(input, withParts(context, given)))([x, ...parts]);
    const byWeights = weights.length === 0 ? {} : tf.variableGrads(() => loss(x, context), weights).grads;
    const expected = [...byInputs, ...weights.map(({ name }) => byWeights[name])];
    const received = [before.gradient, ...pass.takeGradients([...parts, ...weights])];
    const names = ['the input', ...partNames(bijector), ...weights.map((weight) => nameOf(bijector, weight))];
    expected.forEach((stored, i) => {
      const found = received[i];
      require((stored == null) ===
        (found === null), `reverse and the tape differ in what depends on ${names[i]}`);
      if (stored == null || found === null) return;
      const allowed = 10 * tolerance * (1 + tf.max(tf.abs(stored)).dataSync()[0]);
      const gap = largestDifference(stored, found);
      require(gap <=
        allowed, `the gradient by ${names[i]} is off by ${gap} in reverse, more than ${allowed}`);
    });
  });
  const left = tf.memory().numTensors - count;
  require(left === 0, `reverse leaks ${left} tensors`);
};

/** The context of the same names with other tensors, in the order of `contextTensors`. */
function withParts(
  context: ContextTensors | undefined,
  tensors: readonly tf.Tensor[],
): ContextTensors | undefined {
  let next = 0;
  return mapContext(context, () => tensors[next++]);
}

/** What the parts of a context are called in messages. */
function partNames({ contextShape }: Bijector): string[] {
  if (contextShape === undefined) return [];
  return isNamed(contextShape)
    ? Object.keys(contextShape).map((name) => `the context's part ${name}`)
    : ['the context'];
}

function nameOf(bijector: Bijector, weight: tf.Variable): string {
  return bijector.weights.find(({ variable }) => variable === weight)?.name ?? weight.name;
}
