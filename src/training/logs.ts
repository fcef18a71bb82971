/** Numbers by name, as callbacks receive them: `loss`, `val_loss`, metrics, `learningRate`. */
export type Logs = Record<string, number>;

/** Running means of logs, weighted by the number of examples; plain JSON inside. */
export class LogMeans {
  private sums: Logs = {};
  private weight = 0;

  add(logs: Logs, examples: number): void {
    for (const [name, value] of Object.entries(logs))
      this.sums[name] = (this.sums[name] ?? 0) + value * examples;
    this.weight += examples;
  }

  logs(): Logs {
    return Object.fromEntries(Object.entries(this.sums).map(([name, sum]) => [name, sum / this.weight]));
  }

  state(): LogMeansState {
    return { sums: { ...this.sums }, weight: this.weight };
  }

  restore(state: LogMeansState): void {
    this.sums = { ...state.sums };
    this.weight = state.weight;
  }

  clear(): void {
    this.restore({ sums: {}, weight: 0 });
  }
}

/** What running means hold. */
export interface LogMeansState {
  sums: Logs;
  weight: number;
}
