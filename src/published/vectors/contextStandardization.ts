import { complaint, FormatError } from '../../core/errors';
import { type Conditioner, MultilayerPerceptron } from '../../layers';
import { map, spread, type Values, zeros } from '../arrays';
import type { Rule } from '../rule';
import type { Piece } from './piece';

/** (context - mean) / deviation, as sbi has it, by a linear network; of structured contexts the two are one number each. */
export function contextStandardization(size: number, how: 'each' | 'shared'): Piece<Conditioner> {
  const length = how === 'shared' ? 1 : size;
  const rule: Rule = {
    theirs: { '0._mean': [length], '0._std': [length] },
    ours: ['kernel0', 'bias0'],
    read: (arrays) => {
      const [mean, deviation] = how === 'shared' ? arrays.map((one) => spread(one, size)) : arrays;
      checkDeviations(deviation);
      const kernel = zeros([size, size]);
      for (let i = 0; i < size; i++) kernel.data[i * size + i] = 1 / deviation.data[i];
      return [kernel, map(mean, (value, i) => -value / deviation.data[i])];
    },
    write: ([kernel, bias]) => {
      const deviation = map(bias, (_, i) => 1 / kernel.data[i * size + i]);
      const mean = map(bias, (value, i) => -value * deviation.data[i]);
      return [mean, deviation].map(({ data }) => ({ shape: [length], data: data.slice(0, length) }));
    },
  };
  return {
    rules: [rule],
    build: () => new MultilayerPerceptron({ inputShape: [size], units: size, hiddenUnits: [] }),
  };
}

function checkDeviations({ data }: Values): void {
  const bad = data.find((value) => !(value > 0 && Number.isFinite(value)));
  if (bad === undefined) return;
  throw new FormatError(complaint('importCheckpoint', 'deviations of the context above 0', bad));
}
