import type { RandomStream } from '../../core/random';
import { designOf, equalWeights, limitRows } from './design';
import { energyDistance } from './energy';
import type { SubclassRows } from './mixtures';
import { nearNormalityOf } from './nearNormality';
import type { ViewEvidence } from './verdict';
import type { View } from './views';

/** Rows times epsilon squared beyond which more of them change nothing: 1.4 of it support a normal mixture in most cases. */
const ROWS = 4;
/** Fewer are never left out. */
const FEWEST_ROWS = 2000;

/** The mixture of all subclasses in equal parts, from all their rows, in every view. */
export function wholeMixture(
  views: readonly View[],
  groups: SubclassRows,
  epsilon: number,
  level: number,
  random: RandomStream,
): { views: ViewEvidence[]; notes: string[] } {
  const limited = limitRows(groups, Math.max(FEWEST_ROWS, ROWS / epsilon ** 2), random);
  const used = limited.flatMap((rows) => [...rows]);
  const total = groups.reduce((sum, rows) => sum + rows.length, 0);
  const weights = equalWeights(limited.map((rows) => rows.length));
  return {
    views: views.map(({ values }) => {
      const energy = energyDistance(
        Float64Array.from(used, (row) => values[row]),
        weights,
      );
      return nearNormalityOf(energy, designOf(values, limited), epsilon, level);
    }),
    notes:
      used.length === total
        ? []
        : [
            `Closeness to normal is judged by ${used.length} of ${total} samples, drawn at random: more would not change it.`,
          ],
  };
}
