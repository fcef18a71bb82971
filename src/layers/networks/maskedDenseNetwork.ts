import type * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../../core/context';
import { RandomStream } from '../../core/random';
import type { ContextAs, Ends, LayerForm } from './denseLayers';
import { DenseStack } from './denseStack';
import { MaskedNetwork, type MaskedNetworkOptions } from './maskedNetwork';
import { inputSets, levelsOfSets, maskOf, repeated, type Sets } from './masks';
import {
  type PerceptronOptions,
  type PerceptronSettings,
  perceptronConfig,
  perceptronSettings,
} from './perceptronOptions';
import { takeApart } from './sweep';

/** Options of every masked network of dense layers. */
export interface MaskedDenseOptions extends MaskedNetworkOptions, PerceptronOptions {}

/** What tells one such network from another. */
interface Structure {
  /** How a context enters. */
  contextAs: ContextAs;
  forms(ends: Ends): LayerForm[];
  /** The sets of the hidden units of all layers. */
  hiddenSets(network: MaskedNetwork, context: number): Sets[];
}

/** A masked network of dense layers: weights times masks, which follow from what each unit stands for. */
export abstract class MaskedDenseNetwork extends MaskedNetwork {
  private readonly settings: PerceptronSettings;
  private readonly stack: DenseStack;
  /** For each layer 1 where a weight counts, [inputs, outputs]. */
  private readonly layerMasks: readonly Float32Array[];
  /** Levels of the units of every layer. */
  private readonly unitLevels: readonly (readonly number[])[];

  constructor(where: string, options: MaskedDenseOptions, { contextAs, forms, hiddenSets }: Structure) {
    const settings = perceptronSettings(where, options);
    super(options.name ?? 'network', options);
    this.declareContext(settings.contextShape);
    this.settings = settings;
    const { adjacency, outputsPerValue, levels } = this;
    const { featuresPerValue, context } = settings;
    const d = adjacency.length;
    const joined = contextAs === 'shifts' ? 0 : context;
    const units = [...hiddenSets(this, context), repeated(adjacency, outputsPerValue)];
    const read = [inputSets(d, featuresPerValue, joined), ...units];
    this.unitLevels = units.map((sets) => levelsOfSets(sets, levels));
    this.layerMasks = units.map((sets, i) => maskOf(read[i], sets));
    this.stack = new DenseStack(
      this,
      {
        weight: (name, initial) => this.addWeight(name, initial),
        constant: (tensor) => this.addConstant(tensor),
      },
      {
        settings,
        forms: forms({ features: featuresPerValue * d, outputs: d * outputsPerValue, context, contextAs }),
        masks: this.layerMasks,
        random: new RandomStream(options.seed),
      },
    );
  }

  override get sweep(): MaskedNetwork['sweep'] {
    if (!this.computesAs(MaskedDenseNetwork)) return undefined;
    return (n, context) => takeApart(this.stack, this, this.unitLevels, n, context);
  }

  /**
   * Which inputs each unit of every layer reads, as rows of booleans.
   *
   * @internal
   */
  get masks(): boolean[][][] {
    return this.layerMasks.map((mask, layer) => {
      const outputs = this.unitLevels[layer].length;
      return Array.from({ length: outputs }, (_, o) =>
        Array.from({ length: mask.length / outputs }, (_, i) => mask[i * outputs + o] !== 0),
      );
    });
  }

  protected compute(x: tf.Tensor, context?: ContextTensors): tf.Tensor {
    return this.stack.compute(x, context);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { name, adjacency, outputsPerValue } = this;
    return { name, adjacency: asNumbers(adjacency), outputsPerValue, ...perceptronConfig(this.settings) };
  }
}

/** Sets as plain JSON. */
export function asNumbers(sets: Sets): number[][] {
  return sets.map((set) => set.map(Number));
}
