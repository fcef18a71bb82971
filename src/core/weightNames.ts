import { ConfigError, complaint } from './errors';
import type { Shape } from './shapes';

/** Throws a ConfigError for two weights of one name, of which a file could give back only one. */
export function checkWeightNames(where: string, weights: readonly { name: string; shape: Shape }[]): void {
  const shapes = new Map<string, Shape>();
  for (const { name, shape } of weights) {
    const first = shapes.get(name);
    if (first !== undefined) {
      const received = `'${name}' for one of [${first.join(', ')}] and for one of [${shape.join(', ')}]`;
      const hint = 'Names of weights are made of the names of the modules that hold them: rename one.';
      throw new ConfigError(complaint(where, 'weights with different names', received, hint));
    }
    shapes.set(name, shape);
  }
}
