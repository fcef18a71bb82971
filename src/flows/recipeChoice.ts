/** A recipe with its options, how to fit it, and why. */
export interface RecipeChoice {
  /** Name of the recipe. */
  recipe: 'neuralSplineFlow';
  /** Its options, without those that say what the columns are. */
  options: { layers: number; hiddenUnits: number; dropout: number };
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

/** Rules of thumb: rows per column below which a flow hardly knows more than a normal does, and from which on nothing is learned by heart. */
const FEW = 30;
const MANY = 1000;

const DROPOUT = { few: 0.2, some: 0.1, many: 0 };

/** The recipe for n rows of d values; the guide "Densities of vectors" has the measurements behind it. */
export function chooseRecipe(n: number, d: number): RecipeChoice {
  const amount = n < FEW * d ? 'few' : n < MANY * d ? 'some' : 'many';
  const dropout = DROPOUT[amount];
  const perColumn = `${Math.round(n / d)} rows per column`;
  const reasons = {
    few: `${perColumn} are few: dropout ${dropout}. Compare with a normal before you believe it`,
    some: `${perColumn}: dropout ${dropout}, as on the tables of the guide`,
    many: `${perColumn} are many: no dropout`,
  };
  return {
    recipe: 'neuralSplineFlow',
    options: { layers: 5, hiddenUnits: 64, dropout },
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
