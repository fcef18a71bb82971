import { map, transpose, type Values, zeros } from '../arrays';
import type { Rule } from '../rule';
import { maskValues } from './piece';

/**
 * How the outputs of a last layer are the parameters that our transformer reads: the k-th of ours is theirs[places[k]] * factors[k] +
 * offsets[k].
 */
export interface Head {
  /** How many outputs theirs has. */
  outputs: number;
  places: readonly number[];
  /** Default: all 1. */
  factors?: readonly number[];
  /** Default: all 0. */
  offsets?: readonly number[];
}

/** Names of a layer of ours: its kernel [inputs, outputs] and bias, by number, as networks have them. */
export interface DenseNames {
  kernel: string;
  bias: string;
}

/** Layer i of a network of ours. */
export const layerNames = (i: number): DenseNames => ({ kernel: `kernel${i}`, bias: `bias${i}` });

/** What the context adds to layer i, or gates it by. */
export const contextNames = (i: number): DenseNames => ({
  kernel: `contextKernel${i}`,
  bias: `contextBias${i}`,
});

/** Entries of the last axis by a head. */
export function throughHead(array: Values, head: Head, isBias: boolean): Values {
  const { outputs, places, factors, offsets } = head;
  const result = zeros([...array.shape.slice(0, -1), places.length]);
  const rows = array.data.length / outputs;
  for (let row = 0; row < rows; row++) {
    places.forEach((place, k) => {
      const value = array.data[row * outputs + place] * (factors?.[k] ?? 1);
      result.data[row * places.length + k] = isBias ? value + (offsets?.[k] ?? 0) : value;
    });
  }
  return result;
}

/** Undoes `throughHead`; outputs that ours does not read are 0. */
export function backThroughHead(array: Values, head: Head, isBias: boolean): Values {
  const { outputs, places, factors, offsets } = head;
  const result = zeros([...array.shape.slice(0, -1), outputs]);
  const rows = array.data.length / places.length;
  for (let row = 0; row < rows; row++) {
    places.forEach((place, k) => {
      const value = array.data[row * places.length + k] - (isBias ? (offsets?.[k] ?? 0) : 0);
      result.data[row * outputs + place] = value / (factors?.[k] ?? 1);
    });
  }
  return result;
}

/** A fully connected layer of PyTorch, weight [outputs, inputs], behind a prefix. */
export function dense(
  theirs: string,
  [outputs, inputs]: readonly [number, number],
  ours: DenseNames,
  how: { head?: Head; mask?: () => boolean[][] } = {},
): Rule {
  const { head, mask } = how;
  const into = (array: Values, isBias: boolean) => (head ? throughHead(array, head, isBias) : array);
  const back = (array: Values, isBias: boolean) => (head ? backThroughHead(array, head, isBias) : array);
  return {
    theirs: {
      [`${theirs}.weight`]: [outputs, inputs],
      [`${theirs}.bias`]: [outputs],
      ...(mask && { [`${theirs}.mask`]: [outputs, inputs] }),
    },
    ours: [ours.kernel, ours.bias],
    read: ([weight, bias, masked]) => [
      into(transpose(masked === undefined ? weight : product(weight, masked), [1, 0]), false),
      into(bias, true),
    ],
    write: ([kernel, bias]) => {
      const weight = transpose(back(kernel, false), [1, 0]);
      if (mask === undefined) return [weight, back(bias, true)];
      const masked = maskValues(mask());
      return [product(weight, masked), back(bias, true), masked];
    },
  };
}

/** Two layers whose results are added, the second one of the context, as one layer that reads the inputs of both. */
export function joinedDense(
  [first, second]: readonly [string, string],
  outputs: number,
  [inputs, others]: readonly [number, number],
  ours: DenseNames,
  mask?: () => boolean[][],
): Rule {
  const values = dense(first, [outputs, inputs], ours, { mask });
  const context = dense(second, [outputs, others], ours);
  const parts = Object.keys(values.theirs).length;
  return {
    theirs: { ...values.theirs, ...context.theirs },
    ours: values.ours,
    read: (arrays) => {
      const [[kernel, bias], [otherKernel, otherBias]] = [
        values.read(arrays.slice(0, parts)),
        context.read(arrays.slice(parts)),
      ];
      const joined = {
        shape: [inputs + others, outputs],
        data: new Float32Array((inputs + others) * outputs),
      };
      joined.data.set(kernel.data);
      joined.data.set(otherKernel.data, kernel.data.length);
      return [joined, map(bias, (value, i) => value + otherBias.data[i])];
    },
    write: ([kernel, bias]) => {
      const cut = inputs * outputs;
      return [
        ...values.write([{ shape: [inputs, outputs], data: kernel.data.slice(0, cut) }, bias]),
        ...context.write([{ shape: [others, outputs], data: kernel.data.slice(cut) }, zeros([outputs])]),
      ];
    },
  };
}

function product(one: Values, other: Values): Values {
  return map(one, (value, i) => value * other.data[i]);
}
