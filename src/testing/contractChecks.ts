import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, mapContext, showContext } from '../core/context';
import { ShapeError } from '../core/errors';
import { sizeOf } from '../core/shapes';
import { type Bijector, Chain, InvConv1x1, ReversePass, type TraceEntry, type Transformed } from '../layers';
import { type Check, disposeAll, largestDifference, require } from './subject';

/** `initialize` returns forward's value, is done after one batch, and touches nothing that is initialized. */
export const initialization: Check = ({ x, context, create, tolerance }) => {
  const fresh = create();
  const value = fresh.initialize(x, context);
  const forward = fresh.forward(x, context);
  const gap = largestDifference(value, forward.value);
  require(gap <= tolerance, `initialize returns a value that differs from forward's by ${gap}`);
  require(fresh.initialized, 'initialized is false after initialize');
  const before = fresh.weights.map(({ variable }) => tf.clone(variable));
  const moved = tf.tidy(() => tf.mul(x, 0.5));
  const again = fresh.initialize(moved, context);
  const changed = fresh.weights.filter(({ variable }, i) => largestDifference(variable, before[i]) !== 0);
  disposeAll(forward);
  tf.dispose([value, before, moved, again]);
  fresh.dispose();
  require(changed.length === 0, `initialize changes what is initialized: ${changed.map(({ name }) => name)}`);
};

/** A context is taken as declared: one that is missing, unwanted or of another length is a ShapeError. */
export const contexts: Check = ({ bijector, x, context }) => {
  const { contextShape } = bijector;
  const declared = showContext(contextShape);
  require((contextShape === undefined) ===
    (context ===
      undefined), `contextShape declares ${declared}, the check's options give ${context === undefined ? 'none' : 'one'}`);
  const longer = mapContext(context, (part) => tf.concat([part, part], part.rank - 1));
  const wrong: [string, ContextTensors | undefined][] =
    context === undefined
      ? [['an unwanted context', x]]
      : [
          ['a missing context', undefined],
          ['a context of twice the length', longer],
        ];
  const { value, logDet } = bijector.forward(x, context);
  for (const [what, given] of wrong) {
    requireShapeError(`forward with ${what}`, () => bijector.forward(x, given));
    requireShapeError(`inverse with ${what}`, () => bijector.inverse(value, given));
    requireShapeError(`initialize with ${what}`, () => bijector.initialize(x, given));
  }
  tf.dispose([value, logDet, longer ?? []]);
};

function requireShapeError(what: string, run: () => tf.TensorContainer | Transformed): void {
  let caught: unknown;
  try {
    tf.dispose(run() as tf.TensorContainer);
  } catch (error) {
    caught = error;
  }
  require(caught instanceof ShapeError, `${what} is no ShapeError but ${caught ?? 'taken'}`);
}

/** Whole numbers as int32 or bool give what the same numbers give in float32. */
export const integers: Check = ({ bijector, x, context, create }) => {
  for (const dtype of ['int32', 'bool'] as const) {
    tf.tidy(() => {
      const whole = (values: tf.Tensor) =>
        tf.cast(dtype === 'bool' ? tf.greater(values, 0) : tf.round(values), dtype);
      const given = [whole(x), mapContext(context, whole)] as const;
      const asFloats = [
        tf.cast(given[0], 'float32'),
        mapContext(given[1], (part) => tf.cast(part, 'float32')),
      ] as const;
      const size = sizeOf(bijector.outputShape);
      const latentsOf = (events: tf.Tensor) => {
        const rows = tf.slice(tf.reshape(events, [x.shape[0], -1]), [0, 0], [x.shape[0], size]);
        return tf.reshape(rows, [x.shape[0], ...bijector.outputShape]);
      };
      const pairs: [string, (input: typeof given | typeof asFloats) => tf.Tensor[]][] = [
        ['forward', (input) => both(bijector.forward(...input))],
        ['inverse', ([z, c]) => both(bijector.inverse(latentsOf(z), c))],
        ['initialize', (input) => [initializedValue(create, ...input)]],
      ];
      for (const [name, run] of pairs) {
        const [received, expected] = [given, asFloats].map((input) => outcome(() => run(input)));
        require(received === expected, `${name} of ${dtype} gives ${received}, in float32 ${expected}`);
      }
    });
  }
};

const both = ({ value, logDet }: Transformed): tf.Tensor[] => [value, logDet];

function initializedValue(create: () => Bijector, x: tf.Tensor, context?: ContextTensors): tf.Tensor {
  const fresh = create();
  const value = fresh.initialize(x, context);
  fresh.dispose();
  return value;
}

/** Results to compare, NaN and infinity as such; or the error, since not every bijector takes every whole number. */
function outcome(run: () => tf.Tensor[]): string {
  try {
    return run()
      .map((tensor) => `${tensor.dtype} ${Array.from(tensor.dataSync()).join(' ')}`)
      .join('; ');
  } catch (error) {
    return String(error);
  }
}

/** An event's result depends on its own context and on nothing else in the batch: neither on company nor on its place. */
export const batchInvariance: Check = ({ bijector, x, context, tolerance }) => {
  const allowed = tolerance * x.size;
  tf.tidy(() => {
    const last = (tensor: tf.Tensor) => tf.slice(tensor, x.shape[0] - 1, 1);
    const turned = (tensor: tf.Tensor) => tf.reverse(tensor, 0);
    const { value: latents } = bijector.forward(x, context);
    const passes = [
      { name: 'forward', input: x, pass: bijector.forward.bind(bijector) },
      { name: 'inverse', input: latents, pass: bijector.inverse.bind(bijector) },
    ];
    for (const { name, input, pass } of passes) {
      const whole = pass(input, context);
      for (const [how, take] of [
        ['alone', last],
        ['in turned order', turned],
      ] as const) {
        const part = pass(take(input), mapContext(context, take));
        const gaps = [
          largestDifference(part.value, take(whole.value)),
          largestDifference(part.logDet, take(whole.logDet)),
        ];
        require(gaps[0] <= tolerance &&
          gaps[1] <=
            allowed, `${how}, an event differs from itself in the batch by ${gaps[0]} in value and ${gaps[1]} in logDet (${name})`);
      }
    }
  });
};

/** `trace` computes what forward does, each layer from the one before, under names of their own. */
export const trace: Check = ({ bijector, x, context, tolerance }) => {
  tf.tidy(() => {
    const names: string[] = [];
    let sum: tf.Tensor = tf.zeros([x.shape[0]]);
    const visit = ({ name, output }: TraceEntry) => {
      names.push(name);
      sum = tf.add(sum, output.logDet);
    };
    const traced = bijector.trace(x, visit, context);
    const forward = bijector.forward(x, context);
    const gap = largestDifference(traced.value, forward.value);
    require(gap <= tolerance, `trace returns a value that differs from forward's by ${gap}`);
    const logDets = Math.max(
      largestDifference(sum, forward.logDet),
      largestDifference(traced.logDet, forward.logDet),
    );
    require(logDets <= tolerance * x.size, `the log-dets in a trace differ from forward's by ${logDets}`);
    require(new Set(names).size === names.length, `two layers of a trace have one name: ${names}`);
  });
};

/** A bijector's hooks, as a subclass sees them. */
interface Hooks {
  computeForward(x: tf.Tensor, context?: ContextTensors): Transformed;
  computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed;
}

/** `fromConfig` makes the subclass, and what a subclass computes is used everywhere: in passes, in a chain, on the way back. */
export const subclass: Check = (subject) => {
  const { bijector, x, context } = subject;
  const made = shifted(bijector);
  try {
    tf.tidy(() => {
      const forward = bijector.forward(x, context);
      const moved = tf.add(forward.value, 1);
      requireClose(subject, 'forward', made.forward(x, context).value, moved);
      requireClose(subject, 'inverse', made.inverse(moved, context).value, x);
      requireClose(subject, 'trace', made.trace(x, () => {}, context).value, moved);
      requireClose(subject, 'initialize', made.initialize(x, context), moved);
      const pass = new ReversePass({ logDetGradient: forward.logDet, context });
      const back = made.reverse({ value: moved, gradient: forward.value }, pass);
      pass.dispose();
      requireClose(subject, 'reverse', back.value, x);
      if (made.outputShape.length !== 1 && made.outputShape.length !== 3) return;
      const next = new InvConv1x1({ inputShape: made.outputShape, seed: 1, name: 'next' });
      const chain = new Chain({ bijectors: [made, next] });
      const expected = next.forward(moved);
      requireClose(subject, 'forward in a chain', chain.forward(x, context).value, expected.value);
      requireClose(subject, 'inverse in a chain', chain.inverse(expected.value, context).value, x);
      next.dispose();
    });
  } finally {
    made.dispose();
  }
};

function requireClose(
  { tolerance }: { tolerance: number },
  what: string,
  received: tf.Tensor,
  expected: tf.Tensor,
): void {
  const gap = largestDifference(received, expected);
  require(gap <= 10 * tolerance, `a subclass that overrides both hooks is bypassed (${what}, by ${gap})`);
}

/** A bijector of a subclass whose forward adds 1 to what the given one's returns, with its weights. */
function shifted(bijector: Bijector): Bijector {
  const parent = bijector.constructor as unknown as tf.serialization.SerializableConstructor<Bijector> & {
    fromConfig: tf.serialization.FromConfigMethod<Bijector>;
    prototype: Hooks;
  };
  class Shifted extends (parent as unknown as { new (config: object): object }) {
    static className = 'FlowShiftedForCheck';
    computeForward(x: tf.Tensor, context?: ContextTensors): Transformed {
      const { value, logDet } = parent.prototype.computeForward.call(this as never, x, context);
      return { value: tf.add(value, 1), logDet };
    }
    computeInverse(y: tf.Tensor, context?: ContextTensors): Transformed {
      return parent.prototype.computeInverse.call(this as never, tf.sub(y, 1), context);
    }
  }
  const made = parent.fromConfig(Shifted as never, bijector.getConfig());
  require((made as object) instanceof Shifted, 'fromConfig does not make the class that it is given');
  made.weights.forEach(({ variable }, i) => {
    variable.assign(bijector.weights[i].variable);
  });
  made.markInitialized();
  return made;
}
