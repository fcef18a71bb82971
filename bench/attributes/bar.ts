/** One figure beside the bar it has to clear. */
export interface BarFigure {
  /** What was measured. */
  figure: string;
  /** The value. */
  value: number;
  /** The bar in words, as in '.93 .. .97'. */
  bar: string;
  met: boolean;
}

/** A report of some figures; every file beside this one that exports a name and `run` is one. */
export interface Bar {
  name: string;
  run(): Promise<BarFigure[]>;
}

/** A figure that must lie in [low, high]. */
export function between(figure: string, value: number, low: number, high: number): BarFigure {
  return { figure, value, bar: `${low} .. ${high}`, met: value >= low && value <= high };
}

/** A figure that must be at least `low`. */
export function atLeast(figure: string, value: number, low: number): BarFigure {
  return { figure, value, bar: `>= ${low}`, met: value >= low };
}

/** A figure that must be below `high`. */
export function below(figure: string, value: number, high: number): BarFigure {
  return { figure, value, bar: `< ${Number(high.toPrecision(3))}`, met: value < high };
}
