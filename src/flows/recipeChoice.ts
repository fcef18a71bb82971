/** A recipe with its options, how to fit it, and why. */
export interface RecipeChoice {
  /** Name of the recipe. */
  recipe: 'neuralSplineFlow';
  /** Its options, without those that say what the columns are. */
  options: { layers: number; hiddenUnits: number[]; dropout: number };
  /** Options of `fit`. */
  fit: {
    steps: number;
    stepsPerEpoch: number;
    batchSize: number;
    learningRate: number;
    clipNorm: number;
    validationSplit: number;
    earlyStopping: { patience: number };
  };
  /** Why, a sentence each. */
  reasons: string[];
}

/**
 * Rows per column below which narrow networks do better, and from which on nothing is learned by heart: white wine has 23, 91 and 356 in
 * the curves of the guide, two moons 5,000. Between those they are rules of thumb.
 */
const FEW = 100;
const MANY = 1000;

const OPTIONS = {
  few: { layers: 5, hiddenUnits: [32, 32], dropout: 0.2 },
  some: { layers: 5, hiddenUnits: [64, 64], dropout: 0.1 },
  many: { layers: 5, hiddenUnits: [64, 64, 64], dropout: 0 },
};

/** The recipe for n rows of d values; the guide "Densities of vectors" has the measurements behind it. */
export function chooseRecipe(n: number, d: number): RecipeChoice {
  const amount = n < FEW * d ? 'few' : n < MANY * d ? 'some' : 'many';
  const options = OPTIONS[amount];
  const { dropout } = options;
  const perColumn = `${Math.round(n / d)} rows per column`;
  const reasons = {
    few: `${perColumn} are few: narrow networks and dropout ${dropout}. Compare with a normal before you believe it`,
    some: `${perColumn}: dropout ${dropout}, as on the tables of the guide`,
    many: `${perColumn} are many: a hidden layer more, and no dropout`,
  };
  return {
    recipe: 'neuralSplineFlow',
    options,
    fit: {
      steps: 2000,
      stepsPerEpoch: 50,
      batchSize: Math.min(256, Math.max(1, Math.floor(n / 2))),
      learningRate: 1e-3,
      clipNorm: 5,
      validationSplit: 0.1,
      earlyStopping: { patience: 10 },
    },
    reasons: [
      reasons[amount],
      'Couplings with splines: the best of the recipes or near it on every table of the guide, and one pass for a density or a sample',
      'Is it still gaining at the last step? More steps come before more layers',
    ],
  };
}
