/**
 * Base class of every error that this library throws on purpose; the subclasses say of which kind it is.
 *
 * @example
 * try {
 *   flow.encode(tf.zeros([1, 3]));
 * } catch (error) {
 *   if (!(error instanceof FlowError)) throw error;
 *   console.log(error.name, error.message); // ShapeError ImageFlow.encode: expected [batch, 8, 8, 1], got [1, 3].
 * }
 */
export class FlowError extends Error {
  override name = 'FlowError';
}

/**
 * A tensor's rank, shape or dtype is not what the method takes.
 *
 * @example
 * try {
 *   flow.encode(tf.zeros([1, 3]));
 * } catch (error) {
 *   if (!(error instanceof ShapeError)) throw error; // expected [batch, 8, 8, 1], got [1, 3]
 * }
 */
export class ShapeError extends FlowError {
  override name = 'ShapeError';
}

/**
 * An option given at construction or to a method is out of its range.
 *
 * @example
 * try {
 *   new Glow({ imageShape: [30, 30, 1], levels: 2 });
 * } catch (error) {
 *   if (!(error instanceof ConfigError)) throw error; // expected height and width divisible by 2^levels = 4
 * }
 */
export class ConfigError extends FlowError {
  override name = 'ConfigError';
}

/**
 * The data itself is unusable: empty, not finite, outside its declared range.
 *
 * @example
 * try {
 *   glow.encode(tf.fill([1, 8, 8, 1], 0.5));
 * } catch (error) {
 *   if (!(error instanceof DataError)) throw error; // expected whole numbers 0 .. 255
 * }
 */
export class DataError extends FlowError {
  override name = 'DataError';
}

/**
 * A computation produced NaN or infinity; `layer` names where it first appeared.
 *
 * @example
 * try {
 *   await fit(realNvp({ dimensions: 2, seed: 1 }), [[1, 2], [3, 5]], { learningRate: 1e30 });
 * } catch (error) {
 *   if (!(error instanceof NonFiniteError)) throw error; // error.layer is its name
 * }
 */
export class NonFiniteError extends FlowError {
  override name = 'NonFiniteError';

  constructor(
    message: string,
    /** Hierarchical name of the first layer with a non-finite value, where known. */
    readonly layer?: string,
  ) {
    super(message);
  }
}

/**
 * The object was used after `dispose()`.
 *
 * @example
 * try {
 *   const gone = realNvp({ dimensions: 2 });
 *   gone.dispose();
 *   gone.sample(1);
 * } catch (error) {
 *   if (!(error instanceof DisposedError)) throw error; // build or load it again
 * }
 */
export class DisposedError extends FlowError {
  override name = 'DisposedError';
}

/**
 * A file or buffer is damaged, truncated, of another format or of another version.
 *
 * @example
 * try {
 *   readNpy(Uint8Array.of(1, 2, 3));
 * } catch (error) {
 *   if (!(error instanceof FormatError)) throw error; // not an npy file
 * }
 */
export class FormatError extends FlowError {
  override name = 'FormatError';
}

/**
 * A strength lies outside what few samples and their prior support; see `LearnableRange`.
 *
 * @example
 * try {
 *   learnableRange(prior.posterior(few), few[0], zDelta(labeled)).check('my slider', 100);
 * } catch (error) {
 *   if (!(error instanceof NotLearnableError)) throw error; // outside of what five samples support
 * }
 */
export class NotLearnableError extends FlowError {
  override name = 'NotLearnableError';
}

/**
 * A tfjs backend does not start, or lacks a kernel that the operation needs.
 *
 * @example
 * try {
 *   await prepareWasm({ threads: 4 });
 * } catch (error) {
 *   if (!(error instanceof BackendError)) throw error; // where the wasm backend does not start
 * }
 */
export class BackendError extends FlowError {
  override name = 'BackendError';
}

/** What a GPU needs and this place lacks; the message of a `NoGpuError` says what to do about it. */
export type MissingForGpu = 'package' | 'browser' | 'secure page' | 'driver' | 'adapter';

/**
 * There is no GPU to compute on here: a package, a driver or the adapter itself is missing.
 *
 * @example
 * try {
 *   await prepareWebGpu();
 * } catch (error) {
 *   if (!(error instanceof NoGpuError)) throw error;
 *   console.log(error.missing, error.message); // what to install; or go on with prepareWasm()
 * }
 */
export class NoGpuError extends BackendError {
  override name = 'NoGpuError';

  constructor(
    message: string,
    readonly missing: MissingForGpu,
  ) {
    super(message);
  }
}

/** How a GPU failed: it was lost (driver, sleep, too long a program), has no memory left, ran no valid program, or was given back. */
export type GpuFailure = 'lost' | 'memory' | 'program' | 'released';

/**
 * The GPU failed while it computed: nothing that it held can be trusted or read any more. Prepare it anew and go on from a checkpoint.
 *
 * @example
 * const checkpoint = { location: 'file://checkpoint', everySteps: 100 };
 * try {
 *   await flow.fit(x, { epochs: 100, checkpoint });
 * } catch (error) {
 *   if (!(error instanceof GpuFailedError)) throw error;
 *   await prepareWebGpu(); // a new device
 *   await flow.fit(x, { epochs: 100, checkpoint, resume: checkpoint.location });
 * }
 */
export class GpuFailedError extends BackendError {
  override name = 'GpuFailedError';

  constructor(
    message: string,
    readonly failure: GpuFailure,
  ) {
    super(message);
  }
}

/**
 * One sentence in the house style: `Where: expected A, got B. Hint`.
 *
 * @param where class and method, as in `InvConv1x1.forward`
 */
export function complaint(where: string, expected: string, received: unknown, hint = ''): string {
  const got = typeof received === 'string' ? received : show(received);
  return `${where}: expected ${expected}, got ${got}.${hint === '' ? '' : ` ${hint}`}`;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((entry) => String(entry)).join(', ')}]`;
  return String(value);
}
