import type { Activation } from '../../layers';

/** Libraries whose flows over vectors are known; `sbi` stands around nflows and zuko. */
export type VectorLibraryName = 'zuko' | 'nflows' | 'sbi' | 'normflows';

/** How one layer of a published flow over vectors is built; which fields it has follows from its type. */
export interface VectorLayer {
  /** Where its names begin in the file. */
  at: string;
  /** What it is. */
  type: 'coupling' | 'autoregressive' | 'elementwise' | 'linear' | 'permutation' | 'standardize' | 'gap';
  /** The map of single numbers. */
  transformer?: 'affine' | 'additive' | 'spline' | 'circularSpline';
  /** Pieces of a spline. */
  bins?: number;
  /** The box of a spline is [-bound, bound]. */
  bound?: number;
  /** Whether widths and heights of a spline are divided by the root of the network's width. */
  divided?: boolean;
  /** How an affine map makes its scale. */
  scale?: 'sigmoid' | 'softplus' | 'exp' | 'softclip';
  /** Activation of the network. */
  activation?: Activation;
  /** Its kind: a perceptron; blocks of two layers that are added; one that reads the context alone. */
  network?: 'perceptron' | 'residual' | 'context';
  /** Widths of the hidden layers; of a residual network that of all. */
  hiddenUnits?: readonly number[];
  /** Blocks of a residual network. */
  blocks?: number;
  /** Whether the network reads the context. */
  context?: boolean;
  /** Which values pass through a coupling. */
  passes?: readonly boolean[];
  /** Whether what passes goes through a spline with weights of its own. */
  bendsPassed?: boolean;
  /** The order of a permutation: value j of the result is value order[j]. */
  order?: readonly number[];
  /** Whether one number stands for all values. */
  shared?: boolean;
  /** Whether its parameters are named by their places, `_0` and `_1`. */
  positional?: boolean;
  /** What a layer without parameters does, of which the file knows no more than that its number is passed over. */
  gaps?: 'identity' | 'swap';
  /** Whether the layer is written from latents to data. */
  inverted?: boolean;
}

/** The distribution of the latents. */
export interface VectorBase {
  /** 'standard': standard normal without parameters; 'diagonal': with mean and deviation; 'mixture': of normals; 'box': uniform. */
  type: 'standard' | 'diagonal' | 'mixture' | 'box';
  /** Components of a mixture. */
  components?: number;
  /** Whether components have a covariance matrix each, a deviation for every value, or one for all. */
  covariance?: 'spherical' | 'diagonal' | 'full';
  /** Whether all components have the same. */
  tied?: boolean;
  /** Ends of a box that is in no file. */
  bound?: number;
}

/** How a published flow over vectors is built: plain JSON, made from a file's names and shapes. */
export interface VectorConfig {
  /** Code that wrote it. */
  library: VectorLibraryName;
  /** Number of values. */
  features: number;
  /** Number of values of the context as the layers read it, 0 for none. */
  context: number;
  /** In the order of the file. */
  layers: readonly VectorLayer[];
  base: VectorBase;
  /** Where the context is standardized first, by numbers of the file: each of its values by its own, or all by one mean and deviation. */
  standardizesContext?: 'each' | 'shared';
}

/** Fields of a layer that can be guesses: the user may say them for all layers at once. */
export type GuessedField = 'activation' | 'bound' | 'scale' | 'divided' | 'transformer' | 'bins' | 'gaps';

/** What a file does not say, and what was taken for it. */
export interface Guess {
  /** Field of the layers, as the option `config` names it. */
  field: GuessedField;
  value: string | number | boolean;
  /** What else it could be; of numbers, what is usual. */
  others: readonly (string | number | boolean)[];
  /** Places of the layers among all. */
  layers: readonly number[];
}

/** What the option `config` may say of a layer. */
export type LayerSettings = Partial<Pick<VectorLayer, GuessedField>>;

/** What the option `config` may say: fields for all layers that have them, and for single layers by their place. */
export type VectorSettings = LayerSettings & {
  /** By place among the layers, from 0. */
  layers?: readonly (LayerSettings | null)[] | Readonly<Record<number, LayerSettings | null>>;
  base?: Partial<VectorBase>;
  /** What stands where the numbers of the file's layers leave a gap: a layer without parameters. */
  gaps?: 'identity' | 'swap';
  /** 'outside': a network of your own reads the context first, and the flow is given what it returns. */
  embedding?: 'outside';
};
