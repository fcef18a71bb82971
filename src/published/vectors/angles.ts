import { ConfigError, complaint } from '../../core/errors';
import { transpose, zeros } from '../arrays';
import type { Rule } from '../rule';
import type { DenseNames } from './dense';

/**
 * A layer of normflows that reads w_0 sin + w_1 cos of each angle, as one that reads sine and cosine: columns 2 i and 2 i + 1 of ours are
 * column i of theirs times its weights. It is read only.
 *
 * @param inputs number of angles, and of values of the context behind them
 */
export function denseOfAngles(
  theirs: string,
  outputs: number,
  [angles, context]: readonly [number, number],
  ours: DenseNames,
): Rule {
  return {
    theirs: {
      [`${theirs}.weight`]: [outputs, angles + context],
      [`${theirs}.bias`]: [outputs],
      'preprocessing.weights': [angles, 2],
      'preprocessing.ind': [angles],
      'preprocessing.ind_': [0],
      'preprocessing.inv_perm': [angles],
    },
    ours: [ours.kernel, ours.bias],
    read: ([weight, bias, weights, places]) => {
      const kernel = zeros([2 * angles + context, outputs]);
      const columns = transpose(weight, [1, 0]).data;
      const copyColumn = (from: number, to: number, factor: number) => {
        for (let o = 0; o < outputs; o++)
          kernel.data[to * outputs + o] = columns[from * outputs + o] * factor;
      };
      places.data.forEach((angle, i) => {
        copyColumn(angle, 2 * angle, weights.data[2 * i]);
        copyColumn(angle, 2 * angle + 1, weights.data[2 * i + 1]);
      });
      for (let i = 0; i < context; i++) copyColumn(angles + i, 2 * angles + i, 1);
      return [kernel, bias];
    },
    write: () => {
      throw new ConfigError(
        complaint('exportStateDict', 'networks of zuko or nflows', 'one that reads angles'),
      );
    },
  };
}
