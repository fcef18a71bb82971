import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, mapContext } from '../core/context';
import { deserializeModule, serializeModule } from '../core/module';
import { type Shape, sizeOf } from '../core/shapes';
import { loadModule, saveModule } from '../io';
import type { Bijector, Transformed } from '../layers/bijector';
import { Matrix, slogdet } from '../linalg';
import { batchInvariance, contexts, initialization, integers, subclass, trace } from './contractChecks';
import { gradients, reversal } from './gradientChecks';
import { type Check, disposeAll, largestDifference, require, type Subject } from './subject';

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
/** logDet equals log|det| of a Jacobian by central differences, decomposed in float64. */
const logDetAgainstJacobian: Check = (subject) => {
  const { bijector, x, context, free } = subject;
  const size = free?.length ?? sizeOf(bijector.inputShape);
  const jacobian = free === undefined ? jacobianOfForward(subject) : jacobianOfInverse(subject, free);
  const sign = free === undefined ? 1 : -1;
  const expected = sign * slogdet(new Matrix(Float64Array.from(jacobian), size, size)).logAbsDet;
  const forward = bijector.forward(x, context);
  const received = forward.logDet.dataSync()[0];
  disposeAll(forward);
  const allowed = 2e-3 * Math.sqrt(size) + 1e-3 * Math.abs(expected);
  require(Math.abs(received - expected) <=
    allowed, `logDet is ${received}, the numerical Jacobian says ${expected} (within ${allowed})`);
};

function jacobianOfForward({ bijector, x, context }: Subject): Float32Array {
  return differences(bijector.inputShape, x, context, (points, given) => bijector.forward(points, given));
}

/** Of the values that vary freely, by the latents: the others follow from them. */
function jacobianOfInverse({ bijector, x, context }: Subject, free: readonly number[]): Float32Array {
  return tf.tidy(() => {
    const { value: z } = bijector.forward(x, context);
    return differences(bijector.outputShape, z, context, (points, given) => {
      const { value, logDet } = bijector.inverse(points, given);
      const columns = tf.split(value, value.shape[1] as number, 1);
      return {
        value: tf.concat(
          free.map((place) => columns[place]),
          1,
        ),
        logDet,
      };
    });
  });
}

/** Central differences of a pass at the first event, [values of the event, values of the result]. */
function differences(
  shape: Shape,
  at: tf.Tensor,
  context: ContextTensors | undefined,
  pass: (points: tf.Tensor, context: ContextTensors | undefined) => Transformed,
): Float32Array {
  const size = sizeOf(shape);
  return tf.tidy(() => {
    const one = tf.reshape(tf.slice(at, 0, 1), [1, size]);
    const steps = tf.mul(tf.eye(size), STEP);
    const points = tf.concat([tf.add(one, steps), tf.sub(one, steps)], 0);
    const contexts = mapContext(context, (part) =>
      tf.tile(tf.slice(part, 0, 1), [2 * size, ...part.shape.slice(1).map(() => 1)]),
    );
    const { value } = pass(tf.reshape(points, [2 * size, ...shape]), contexts);
    const [up, down] = tf.split(tf.reshape(value, [2 * size, size]), 2, 0);
    return tf.div(tf.sub(up, down), 2 * STEP).dataSync<'float32'>();
  });
}

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
  const largest = tf.tidy(() => tf.max(tf.abs(before.value)).dataSync()[0]);
  disposeAll(before, after);
  copy.dispose();
  require(changed.length === 0, `save and load change the weights ${changed.map(({ name }) => name)}`);
  // Equal weights, but webgl computes on the host what it has not uploaded yet, and rounds exp otherwise there: in proportion to the value.
  const allowed = 1e-5 * (1 + largest);
  require(error <= allowed, `after save and load results differ by ${error}, more than ${allowed}`);
};

/** Every check by name, in the order in which a failure tells most. */
export const checks: Readonly<Record<string, Check>> = {
  roundTrip,
  logDetAgainstJacobian,
  gradients,
  reversal,
  initialization,
  contexts,
  integers,
  batchInvariance,
  trace,
  subclass,
  leaks,
  configRoundTrip,
  saveAndLoad,
};
