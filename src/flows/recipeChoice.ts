/** A recipe with its options, how to fit it, and why. */
export interface RecipeChoice {
  /** Name of the recipe. */
  recipe: 'neuralSplineFlow' | 'maskedAutoregressiveFlow';
  /** Its options, without those that say what the columns are. */
  options: {
    form?: 'coupling' | 'autoregressive';
    layers: number;
    hiddenUnits: number;
    dropout: number;
  };
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

/** Rows below which a normal is worth a comparison, and the most dropout. */
const FEW_ROWS = 500;
/** Rows from which on a wider network gains. */
const MANY_ROWS = 20_000;
/** Columns from which on order matters more than a half that steers the other. */
const MANY_COLUMNS = 25;

/** The recipe for n rows of d values; the guide "Densities of vectors" has the measurements behind it. */
export function chooseRecipe(n: number, d: number): RecipeChoice {
  const few = n < FEW_ROWS;
  const many = n >= MANY_ROWS;
  const autoregressive = d >= MANY_COLUMNS;
  const dropout = few ? 0.2 : many ? 0 : 0.1;
  const reasons = [
    `Splines: on tables they gain tenths of a nat to a nat on scales and shifts`,
    autoregressive
      ? `Autoregressive: of ${d} columns and few rows each, half of the columns steers the other half too freely`
      : 'Couplings: a density and a sample take one pass each',
    few
      ? `${n} rows are few: dropout ${dropout}, and compare with a normal before you believe it`
      : many
        ? `${n} rows are many: wider networks, and no dropout`
        : `${n} rows: dropout ${dropout} gained on every table of 1,000 to 5,000 rows`,
  ];
  return {
    recipe: 'neuralSplineFlow',
    options: {
      ...(autoregressive ? { form: 'autoregressive' } : {}),
      layers: 5,
      hiddenUnits: many ? 128 : 64,
      dropout,
    },
    fit: {
      steps: many ? 10_000 : 2000,
      stepsPerEpoch: 50,
      batchSize: Math.min(256, 2 ** Math.floor(Math.log2(Math.max(2, n / 2)))),
      learningRate: 1e-3,
      clipNorm: 5,
      validationSplit: 0.1,
      earlyStopping: { patience: 10 },
    },
    reasons,
  };
}
