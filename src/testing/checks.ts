import * as tf from '@tensorflow/tfjs-core';
import { deserializeModule, serializeModule } from '../core/module';
import type { RandomStream } from '../core/random';
import { sizeOf } from '../core/shapes';
import { loadModule, saveModule } from '../io';
import type { Bijector } from '../layers/bijector';
import { ReversePass } from '../layers/reversePass';
import { Matrix, slogdet } from '../linalg';
import { disposeAll, largestDifference, require, type Subject } from './subject';

/** One property that every bijector has; throws where it does not hold. */
export type Check = (subject: Subject) => void | Promise<void>;

/** Inverse undoes forward and the two log-dets cancel. */
const roundTrip: Check = ({ bijector, x, context, tolerance }) => {
  const forward = bijector.forward(x, context);
  const inverse = bijector.inverse(forward.value, context);
  const error = largestDifference(inverse.value, x);
  require(error <= tolerance, `inverse(forward(x)) differs from x by ${error}, more than ${tolerance}`);
  const sums = tf.tidy(() => tf.max(tf.abs(tf.add(forward.logDet, inverse.logDet))).dataSync()[0]);
  // One log-det is a sum over all values of an event: rounding grows with their number.
  const allowed = 1e-5 * (sizeOf(bijector.inputShape) + 10);
  require(sums <= allowed, `the log-dets of forward and inverse sum to ${sums}, not 0 (within ${allowed})`);
  const again = bijector.forward(inverse.value, context);
  const back = largestDifference(again.value, forward.value);
  require(back <= 10 * tolerance, `forward(inverse(z)) differs from z by ${back}`);
  disposeAll(forward, inverse, again);
};

/** Half width of central differences on float32 values of order 1: rounding and curvature both stay near 1e-4. */
const STEP = 1e-2;
/** Widths for slopes: a relu whose kink lies within the first is smooth within a smaller one. */
const SLOPE_STEPS = [1e-2, 2e-3, 4e-4];

/** logDet equals log|det| of a Jacobian by central differences, decomposed in float64. */
const logDetAgainstJacobian: Check = ({ bijector, x, context }) => {
  const size = sizeOf(bijector.inputShape);
  const jacobian = tf.tidy(() => {
    const one = tf.reshape(tf.slice(x, 0, 1), [1, size]);
    const steps = tf.mul(tf.eye(size), STEP);
    const points = tf.concat([tf.add(one, steps), tf.sub(one, steps)], 0);
    const contexts =
      context === undefined
        ? undefined
        : tf.tile(tf.slice(context, 0, 1), [2 * size, ...context.shape.slice(1).map(() => 1)]);
    const { value } = bijector.forward(tf.reshape(points, [2 * size, ...bijector.inputShape]), contexts);
    const [up, down] = tf.split(tf.reshape(value, [2 * size, size]), 2, 0);
    return tf.div(tf.sub(up, down), 2 * STEP).dataSync();
  });
  const expected = slogdet(new Matrix(Float64Array.from(jacobian), size, size)).logAbsDet;
  const forward = bijector.forward(x, context);
  const received = forward.logDet.dataSync()[0];
  disposeAll(forward);
  const allowed = 2e-3 * Math.sqrt(size) + 1e-3 * Math.abs(expected);
  require(Math.abs(received - expected) <=
    allowed, `logDet is ${received}, the numerical Jacobian says ${expected} (within ${allowed})`);
};

/** Gradients of both directions in inputs and weights agree with central differences along random directions. */
const gradients: Check = ({ bijector, x, context, random }) => {
  const forward = bijector.forward(x, context);
  const passes = [
    { name: 'forward', input: x, run: (input: tf.Tensor) => bijector.forward(input, context) },
    { name: 'inverse', input: forward.value, run: (input: tf.Tensor) => bijector.inverse(input, context) },
  ];
  for (const { name, input, run } of passes) {
    const probe = random.normal(forward.value.shape);
    const loss = (at: tf.Tensor): tf.Scalar => {
      const { value, logDet } = run(at);
      const weighted = tf.mul(tf.reshape(value, [-1]), tf.reshape(probe, [-1]));
      return tf.add(tf.sum(weighted), tf.sum(logDet)) as tf.Scalar;
    };
    const byInput = tf.grad(loss)(input);
    checkGradient(`${name}, input`, input, byInput, random, loss);
    byInput.dispose();
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

/** `reverse` finds the input and the gradients that the tape finds, and leaves only them. */
const reversal: Check = ({ bijector, x, context, random, tolerance }) => {
  const count = tf.memory().numTensors;
  tf.tidy(() => {
    const weights = bijector.trainableWeights;
    const forward = bijector.forward(x, context);
    const gradient = random.normal(forward.value.shape);
    const logDetGradient = random.normal(forward.logDet.shape);
    const byTape = new ReversePass({ logDetGradient, context });
    const taped = byTape.throughLayer(() => bijector.forward(x, context), gradient, x, weights);
    const pass = new ReversePass({ logDetGradient, context });
    const before = bijector.reverse({ value: forward.value, gradient }, pass);
    const error = largestDifference(before.value, x);
    require(error <= tolerance, `reverse finds an input that differs from x by ${error}`);
    const expected = [taped, ...byTape.takeGradients(weights)];
    const received = [before.gradient, ...pass.takeGradients(weights)];
    const names = [
      'the input',
      ...bijector.weights.filter((weight) => weight.trainable).map(({ name }) => name),
    ];
    expected.forEach((stored, i) => {
      const found = received[i];
      require((stored === null) ===
        (found === null), `reverse and the tape differ in what depends on ${names[i]}`);
      if (stored === null || found === null) return;
      const allowed = 10 * tolerance * (1 + tf.max(tf.abs(stored)).dataSync()[0]);
      const gap = largestDifference(stored, found);
      require(gap <=
        allowed, `the gradient by ${names[i]} is off by ${gap} in reverse, more than ${allowed}`);
    });
  });
  const left = tf.memory().numTensors - count;
  require(left === 0, `reverse leaks ${left} tensors`);
};

/** An event's result does not depend on what else is in the batch. */
const batchInvariance: Check = ({ bijector, x, context, tolerance }) => {
  const whole = bijector.forward(x, context);
  const first = tf.tidy(() => {
    const head = context === undefined ? undefined : tf.slice(context, 0, 1);
    const { value, logDet } = bijector.forward(tf.slice(x, 0, 1), head);
    return [
      largestDifference(value, tf.slice(whole.value, 0, 1)),
      largestDifference(logDet, tf.slice(whole.logDet, 0, 1)),
    ];
  }) as unknown as [number, number];
  disposeAll(whole);
  const allowed = tolerance * sizeOf(bijector.inputShape);
  require(first[0] <= tolerance &&
    first[1] <=
      allowed, `alone, an event differs from itself in a batch by ${first[0]} in value and ${first[1]} in logDet`);
};

/** Each pass leaves its two results and nothing else; building and disposing leaves nothing. */
const leaks: Check = ({ bijector, x, context, create }) => {
  const count = () => tf.memory().numTensors;
  const before = count();
  const forward = bijector.forward(x, context);
  const inverse = bijector.inverse(forward.value, context);
  require(count() - before === 4, `forward and inverse leave ${count() - before} tensors, not 4`);
  disposeAll(forward, inverse);
  const another = create();
  another.initialize(x, context).dispose();
  another.dispose();
  require(count() === before, `build, initialize and dispose leak ${count() - before} tensors`);
};

/** The configuration, through JSON, builds a bijector with the same weights by name and shape. */
const configRoundTrip: Check = ({ bijector }) => {
  const json = JSON.parse(JSON.stringify(serializeModule(bijector)));
  const copy = deserializeModule<Bijector>(json);
  const layout = (of: Bijector) =>
    of.weights.map(({ name, variable, trainable }) => `${name} [${variable.shape}] ${trainable}`).join('\n');
  const same = layout(copy) === layout(bijector);
  copy.dispose();
  require(same, 'the weights of a bijector built from getConfig() differ in name, shape or kind');
};

/** Saved and loaded, its weights are bit for bit the same, and so are its results but for rounding. */
const saveAndLoad: Check = async ({ bijector, x, context }) => {
  let artifacts: tf.io.ModelArtifacts = {};
  await saveModule(
    bijector,
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  const copy = await loadModule<Bijector>(tf.io.fromMemory(artifacts));
  const loaded = copy.weights;
  const changed = bijector.weights.filter(
    ({ variable }, i) => largestDifference(variable, loaded[i].variable) !== 0,
  );
  const before = bijector.forward(x, context);
  const after = copy.forward(x, context);
  const error = Math.max(
    largestDifference(before.value, after.value),
    largestDifference(before.logDet, after.logDet),
  );
  disposeAll(before, after);
  copy.dispose();
  require(changed.length === 0, `save and load change the weights ${changed.map(({ name }) => name)}`);
  // Equal weights, but webgl computes on the host what it has not uploaded yet, and rounds exp otherwise there.
  require(error <= 1e-5, `after save and load results differ by ${error}`);
};

/** Every check by name, in the order in which a failure tells most. */
export const checks: Readonly<Record<string, Check>> = {
  roundTrip,
  logDetAgainstJacobian,
  gradients,
  reversal,
  batchInvariance,
  leaks,
  configRoundTrip,
  saveAndLoad,
};
