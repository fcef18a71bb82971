import * as tf from '@tensorflow/tfjs-core';
import { requireBackend } from './backend';
import { type ContextShape, isNamed, mergeContextShapes } from './context';
import { ConfigError, complaint, DisposedError, FormatError } from './errors';
import { append } from './lists';
import { takeRoom } from './room';

/** What a weight takes of the room of a file beyond its values, so that its number is limited too. */
export const WEIGHT_ROOM = 64;

/** A weight with its place in the module tree, as in `level0/step2/actnorm/bias`. */
export interface NamedWeight {
  name: string;
  variable: tf.Variable;
  trainable: boolean;
}

/** What `dispose()` freed. */
export interface DisposeResult {
  /** Variables and held constants. */
  disposedTensors: number;
}

/** A module as plain JSON: enough to build it again, without its weights. */
export interface SerializedModule {
  className: string;
  config: tf.serialization.ConfigDict;
}

/**
 * Anything with weights: bijectors, conditioner networks, distributions, flows.
 *
 * Holds variables and children in creation order, so weights have a stable order and stable hierarchical names.
 * (tfjs wants variable names unique in the process; the names here are unique within their tree, whatever else runs.)
 *
 * @example
 * const module: Module = new ActNorm({ inputShape: [3] });
 * module.weights.map(({ name }) => name); // ['bias', 'logScale']
 * module.parameterCount; // 6
 */
export abstract class Module extends tf.serialization.Serializable {
  readonly name: string;
  private readonly ownWeights: NamedWeight[] = [];
  private readonly ownConstants: tf.Tensor[] = [];
  private readonly ownChildren: Module[] = [];
  private declaredContext: ContextShape | undefined;
  private readonly declaredLabels = new Set<string>();
  private isDisposed = false;

  /** @throws ConfigError for a name with '/', which separates names in the tree */
  constructor(name: string) {
    super();
    checkName(this.label, name);
    requireBackend(this.label);
    this.name = name;
  }

  /** Registers a variable; takes over `initial` and disposes it. */
  protected addWeight(name: string, initial: tf.Tensor, trainable = true): tf.Variable {
    const variable = tf.variable(initial, trainable);
    initial.dispose();
    underConstruction?.push(variable);
    takeRoom(variable.size + WEIGHT_ROOM);
    this.ownWeights.push({ name, variable, trainable });
    return variable;
  }

  /** Registers variables that something else created, a tfjs-layers model for one. */
  protected adoptWeight(name: string, variable: tf.Variable, trainable: boolean): void {
    this.ownWeights.push({ name, variable, trainable });
  }

  /** Holds a tensor that is neither trained nor saved (a mask, an edge map) until dispose; takes it over. */
  protected addConstant<T extends tf.Tensor>(constant: T): T {
    this.ownConstants.push(tf.keep(constant));
    underConstruction?.push(constant);
    return constant;
  }

  /**
   * Registers a child.
   *
   * @throws ConfigError for two children of one name
   */
  protected addChild<T extends Module>(child: T): T {
    if (this.ownChildren.some(({ name }) => name === child.name)) {
      const hint = 'Give each member its own name: weights are saved under it.';
      throw new ConfigError(
        complaint(this.label, 'members with different names', `'${child.name}' twice`, hint),
      );
    }
    this.declareContext(child.contextShape);
    for (const part of child.labelParts) this.declaredLabels.add(part);
    this.ownChildren.push(child);
    return child;
  }

  /**
   * Declares what this module reads of the context; what its children declare counts already.
   *
   * @throws ConfigError where that does not go together with what is declared
   */
  protected declareContext(shape: ContextShape | undefined): void {
    this.declaredContext = mergeContextShapes(this.label, [this.declaredContext, shape]);
  }

  /** Declares context that is labels of classes: [classes], or that by name. */
  protected declareLabels(shape: ContextShape | undefined): void {
    this.declareContext(shape);
    if (shape === undefined) return;
    for (const part of isNamed(shape) ? Object.keys(shape) : ['']) this.declaredLabels.add(part);
  }

  /** The parts of the context that are labels of classes, so that class numbers can stand for them; '' for one without names. */
  get labelParts(): ReadonlySet<string> {
    return this.declaredLabels;
  }

  /** Event shape of what this module and those below it are conditioned on, or of its parts by name; undefined where nothing. */
  get contextShape(): ContextShape | undefined {
    return this.declaredContext;
  }

  /** The modules directly below this one, in order. */
  get children(): readonly Module[] {
    return this.ownChildren;
  }

  /** All weights of the tree in a stable order, own first, then the children's with their names as prefix. */
  get weights(): NamedWeight[] {
    return this.weightsUnder('');
  }

  get trainableWeights(): tf.Variable[] {
    return this.weights.filter((weight) => weight.trainable).map((weight) => weight.variable);
  }

  get nonTrainableWeights(): tf.Variable[] {
    return this.weights.filter((weight) => !weight.trainable).map((weight) => weight.variable);
  }

  /** Number of trainable values. */
  get parameterCount(): number {
    return this.trainableWeights.reduce((sum, variable) => sum + variable.size, 0);
  }

  /** True once data-dependent initialization has run everywhere below (and where there is none). */
  get initialized(): boolean {
    return this.ownChildren.every((child) => child.initialized);
  }

  /** Declares the weights as set by other means than data: loaded, imported or written by hand. */
  markInitialized(): void {
    for (const child of this.ownChildren) child.markInitialized();
  }

  /** Kernels beyond plain arithmetic that training this module runs; checked against the backend by `fit`. */
  get requiredKernels(): string[] {
    return [...new Set(this.ownChildren.flatMap((child) => child.requiredKernels))];
  }

  /** Class name as people know it, for messages: className without our prefix (survives minification). */
  get label(): string {
    return this.getClassName().replace(/^Flow(?=[A-Z])/, '');
  }

  get disposed(): boolean {
    return this.isDisposed;
  }

  /**
   * Frees every variable of the tree; any use afterwards throws a DisposedError.
   *
   * @example
   * const unused = new ActNorm({ inputShape: [2] });
   * unused.dispose().disposedTensors; // 2
   */
  dispose(): DisposeResult {
    this.checkUsable('dispose');
    let disposedTensors = 0;
    for (const child of this.ownChildren) {
      if (!child.disposed) disposedTensors += child.dispose().disposedTensors;
    }
    for (const tensor of [...this.ownWeights.map((weight) => weight.variable), ...this.ownConstants]) {
      if (!tensor.isDisposed) {
        tensor.dispose();
        disposedTensors++;
      }
    }
    this.isDisposed = true;
    return { disposedTensors };
  }

  private weightsUnder(prefix: string): NamedWeight[] {
    const own = this.ownWeights.map((weight) => ({ ...weight, name: prefix + weight.name }));
    const below = this.ownChildren.flatMap((child) => child.weightsUnder(`${prefix}${child.name}/`));
    return [...own, ...below];
  }

  protected checkUsable(method: string): void {
    if (this.isDisposed) {
      throw new DisposedError(
        `${this.label}.${method}: '${this.name}' was disposed. Build or load it again.`,
      );
    }
  }
}

/** @throws ConfigError for a name with '/', which separates names in the tree */
export function checkName(where: string, name: string): void {
  if (typeof name === 'string' && name !== '' && !name.includes('/')) return;
  throw new ConfigError(complaint(where, "a name without '/'", `'${name}'`));
}

/** What `building` frees where it fails. */
let underConstruction: tf.Tensor[] | undefined;

/** What `make` returns; where it throws, every weight and constant of modules that it made until then is freed. */
export function building<T>(make: () => T): T {
  const outer = underConstruction;
  const made: tf.Tensor[] = [];
  underConstruction = made;
  try {
    return make();
  } catch (error) {
    tf.dispose(made);
    throw error;
  } finally {
    underConstruction = outer;
    const kept = made.filter((tensor) => !tensor.isDisposed);
    if (outer !== undefined) append(outer, kept);
  }
}

/**
 * Makes a class known to `deserializeModule`; its static className must be unique, ours start with "Flow".
 *
 * @example
 * class Mirror extends Permutation {
 *   static override className = 'MyMirror';
 * }
 * registerModule(Mirror);
 */
export function registerModule(moduleClass: tf.serialization.SerializableConstructor<Module>): void {
  tf.serialization.registerClass(moduleClass as never);
}

/**
 * A module as plain JSON, without its weights.
 *
 * @example
 * serializeModule(new ActNorm({ inputShape: [3] })).className; // 'FlowActNorm'
 */
export function serializeModule(module: Module): SerializedModule {
  return { className: module.getClassName(), config: module.getConfig() };
}

/**
 * Builds a module from its JSON form; weights are fresh.
 *
 * @throws FormatError for a class that is not registered
 * @example
 * const json = JSON.stringify(serializeModule(new ActNorm({ inputShape: [3] })));
 * const copy = deserializeModule<ActNorm>(JSON.parse(json));
 */
export function deserializeModule<T extends Module>(serialized: SerializedModule): T {
  const classes = tf.serialization.SerializationMap.getMap().classNameMap;
  if (!Object.hasOwn(classes, serialized?.className)) {
    throw new FormatError(
      `deserializeModule: unknown class '${serialized?.className}'. ` +
        'Import the package that defines it, or register it with registerModule.',
    );
  }
  const [moduleClass, fromConfig] = classes[serialized.className];
  // Members that were built before one that fails are freed.
  return building(() => fromConfig(moduleClass as never, serialized.config) as unknown as T);
}
