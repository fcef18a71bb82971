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

/** A tensor's rank, shape or dtype is not what the method takes. */
export class ShapeError extends FlowError {
  override name = 'ShapeError';
}

/** An option given at construction or to a method is out of its range. */
export class ConfigError extends FlowError {
  override name = 'ConfigError';
}

/** The data itself is unusable: empty, not finite, outside its declared range. */
export class DataError extends FlowError {
  override name = 'DataError';
}

/** A computation produced NaN or infinity; `layer` names where it first appeared. */
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

/** The object was used after `dispose()`. */
export class DisposedError extends FlowError {
  override name = 'DisposedError';
}

/** A file or buffer is damaged, truncated, of another format or of another version. */
export class FormatError extends FlowError {
  override name = 'FormatError';
}

/** A strength lies outside what few samples and their prior support; see `LearnableRange`. */
export class NotLearnableError extends FlowError {
  override name = 'NotLearnableError';
}

/** The active tfjs backend lacks a kernel that the operation needs. */
export class BackendError extends FlowError {
  override name = 'BackendError';
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
