import type * as tf from '@tensorflow/tfjs-core';
import { registerModule } from '../../core/module';
import { checkOptions } from '../../core/options';
import { checkChoice, checkInteger } from '../../core/shapes';
import { type ContextAs, residualForms } from './denseLayers';
import { asNumbers, MaskedDenseNetwork, type MaskedDenseOptions } from './maskedDenseNetwork';
import { maskedNetworkNames } from './maskedNetwork';
import { type Adjacency, checkSets, type Sets, spreadSets } from './masks';
import { perceptronNames } from './perceptronOptions';

/** Options of {@link MaskedResidualPerceptron}. */
export interface MaskedResidualPerceptronOptions extends MaskedDenseOptions {
  /** Width of the hidden layers. Default 64. */
  hiddenUnits?: number;
  /** Blocks of two layers each. Default 2. */
  blocks?: number;
  /**
   * How a context enters: 'gates', beside the values in the first layer and by a gate in every block, as in normflows; 'shifts', by linear maps of its own,
   * activated and added to the first layer's result, and added in every block, as in nflows; 'inputs', beside the values alone, as in zuko.
   * Default 'gates'.
   */
  contextAs?: ContextAs;
  /** Whether blocks read their input through the activation; those of zuko do not. Default true. */
  preactivated?: boolean;
  /**
   * Which values every hidden unit may depend on, a row of d booleans a unit, the same in all layers; networks from elsewhere have such sets (degrees of units, for one).
   * Default: those of the outputs, shared out evenly.
   */
  unitSets?: Adjacency;
}

/**
 * A network of masked residual blocks whose outputs for each value read some values only; a context enters at the input and gates every block.
 *
 *     h = [x, flat(context)] W + b
 *     in every block  t = a(a(h) W_0 + b_0) W_1 + b_1,    h += t * sigmoid(flat(context) W_c + b_c)
 *     y = h W_f + b_f,    weights times masks such that the outputs of value i depend on x_j only where A_ij
 *
 * Shapes: [n, d] -> [n, d * outputsPerValue], the outputs of a value side by side. Weights start as those of {@link ResidualPerceptron}, by
 * their number of unmasked inputs. There is no normalization across hidden units, which would let every output read everything. Of one
 * value, or where nothing may be read, the outputs are made of the context, or of biases alone.
 *
 * @throws ConfigError for an adjacency that is not d rows of d or has circles, or a bad configuration
 * @see Durkan et al., "Neural Spline Flows" (2019), section 3.2, arXiv:1906.04032; Germain et al. (2015), arXiv:1502.03509
 * @example
 * const adjacency = [[0, 0, 0], [1, 0, 0], [1, 1, 0]]; // every value reads those before it
 * const network = new MaskedResidualPerceptron({ adjacency, outputsPerValue: 2, context: 1, seed: 1 });
 * network.apply(tf.ones([4, 3]), tf.ones([4, 1])).shape; // [4, 6]
 */
export class MaskedResidualPerceptron extends MaskedDenseNetwork {
  static className = 'FlowMaskedResidualPerceptron';
  private readonly hiddenUnits: number;
  private readonly blocks: number;
  private readonly contextAs: ContextAs;
  private readonly preactivated: boolean;
  private readonly unitSets?: Sets;

  constructor(options: MaskedResidualPerceptronOptions) {
    const where = 'MaskedResidualPerceptron';
    if (new.target === MaskedResidualPerceptron) {
      checkOptions(where, options, {
        ...maskedNetworkNames,
        ...perceptronNames,
        hiddenUnits: true,
        blocks: true,
        contextAs: true,
        preactivated: 'boolean',
        unitSets: true,
      });
    }
    const { hiddenUnits = 64, blocks = 2, contextAs = 'gates', preactivated = true } = options;
    for (const [name, value] of Object.entries({ hiddenUnits, blocks })) checkInteger(where, name, value);
    checkChoice(where, 'contextAs', contextAs, ['gates', 'shifts', 'inputs']);
    const unitSets =
      options.unitSets &&
      checkSets(where, 'unitSets', options.unitSets, hiddenUnits, options.adjacency.length);
    super(where, options, {
      contextAs,
      forms: (ends) => residualForms(ends, { units: hiddenUnits, blocks, preactivated }),
      hiddenSets: ({ adjacency, levels }, context) => {
        const sets = unitSets ?? spreadSets(adjacency, levels, hiddenUnits, context > 0);
        return new Array<Sets>(2 * blocks + 1).fill(sets);
      },
    });
    this.hiddenUnits = hiddenUnits;
    this.blocks = blocks;
    this.contextAs = contextAs;
    this.preactivated = preactivated;
    this.unitSets = unitSets;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { hiddenUnits, blocks, contextAs, preactivated, unitSets } = this;
    return {
      ...super.getConfig(),
      hiddenUnits,
      blocks,
      ...(contextAs === 'gates' ? {} : { contextAs }),
      ...(preactivated ? {} : { preactivated }),
      ...(unitSets === undefined ? {} : { unitSets: asNumbers(unitSets) }),
    };
  }
}

registerModule(MaskedResidualPerceptron);
