import type * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint } from '../../core/errors';
import { registerModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import { checkChoice, checkInteger } from '../../core/shapes';
import { type ContextAs, perceptronForms } from './denseLayers';
import { asNumbers, MaskedDenseNetwork, type MaskedDenseOptions } from './maskedDenseNetwork';
import { maskedNetworkNames } from './maskedNetwork';
import { type Adjacency, checkSets, type Sets, spreadSets } from './masks';
import { perceptronNames } from './perceptronOptions';

/** Options of {@link MaskedPerceptron}. */
export interface MaskedPerceptronOptions extends MaskedDenseOptions {
  /** Widths of the hidden layers; empty for a plain linear map. Default [64, 64]. */
  hiddenUnits?: readonly number[];
  /**
   * How a context enters: 'inputs', beside the values in the first layer; 'shifts', by a linear map of its own whose activation is added to the
   * first layer's result, as in nflows. Default 'inputs'.
   */
  contextAs?: 'inputs' | 'shifts';
  /**
   * Which values every hidden unit may depend on, for each hidden layer a row of d booleans a unit; networks from elsewhere have such sets (degrees of units,
   * for one). Default: those of the outputs, shared out evenly.
   */
  unitSets?: readonly Adjacency[];
}

/**
 * A fully connected network whose outputs for each value read some values only; all of them read the context.
 *
 *     h_i = activation((M_i * W_i)^T h_{i-1} + b_i),   masks M such that the outputs of value i depend on x_j only where A_ij
 *
 * Shapes: [n, d] -> [n, d * outputsPerValue], the outputs of a value side by side. The last layer is zero at the start; the others start
 * uniform within +-sqrt(6 / number of unmasked inputs). There is no normalization across hidden units, which would let every output read
 * everything. Of one value, or where nothing may be read, the outputs are made of the context, or of biases alone.
 *
 * @throws ConfigError for an adjacency that is not d rows of d or has circles, or a bad configuration
 * @see Germain et al., "MADE" (2015), section 4, arXiv:1502.03509
 * @example
 * const adjacency = [[false, false], [true, false]]; // the second value reads the first
 * const network = new MaskedPerceptron({ adjacency, outputsPerValue: 2, seed: 1 });
 * network.apply(tf.ones([4, 2])).shape; // [4, 4]
 */
export class MaskedPerceptron extends MaskedDenseNetwork {
  static className = 'FlowMaskedPerceptron';
  private readonly hiddenUnits: readonly number[];
  private readonly contextAs: ContextAs;
  private readonly unitSets?: readonly Sets[];

  constructor(options: MaskedPerceptronOptions) {
    const where = 'MaskedPerceptron';
    if (new.target === MaskedPerceptron) {
      checkOptions(where, options, {
        ...maskedNetworkNames,
        ...perceptronNames,
        hiddenUnits: true,
        contextAs: true,
        unitSets: true,
      });
    }
    const { hiddenUnits = [64, 64], contextAs = 'inputs' } = options;
    for (const width of hiddenUnits) checkInteger(where, 'hiddenUnits', width);
    checkChoice(where, 'contextAs', contextAs, ['inputs', 'shifts']);
    const unitSets = givenSets(where, options, hiddenUnits);
    super(where, options, {
      contextAs,
      forms: (ends) => perceptronForms(ends, hiddenUnits, 'spread'),
      hiddenSets: ({ adjacency, levels }, context) =>
        unitSets ?? hiddenUnits.map((width) => spreadSets(adjacency, levels, width, context > 0)),
    });
    this.hiddenUnits = [...hiddenUnits];
    this.contextAs = contextAs;
    this.unitSets = unitSets;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { hiddenUnits, contextAs, unitSets } = this;
    return {
      ...super.getConfig(),
      hiddenUnits: [...hiddenUnits],
      ...(contextAs === 'inputs' ? {} : { contextAs }),
      ...(unitSets === undefined ? {} : { unitSets: unitSets.map(asNumbers) }),
    };
  }
}

function givenSets(
  where: string,
  { unitSets, adjacency }: MaskedPerceptronOptions,
  hiddenUnits: readonly number[],
): Sets[] | undefined {
  if (unitSets === undefined) return undefined;
  if (!Array.isArray(unitSets) || unitSets.length !== hiddenUnits.length) {
    const received = Array.isArray(unitSets) ? `${unitSets.length}` : unitSets;
    throw new ConfigError(complaint(where, `unitSets of ${hiddenUnits.length} hidden layers`, received));
  }
  return hiddenUnits.map((width, i) =>
    checkSets(where, `unitSets[${i}]`, unitSets[i], width, adjacency.length),
  );
}

registerModule(MaskedPerceptron);
