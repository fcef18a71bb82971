import * as tf from '@tensorflow/tfjs-core';
import { ConfigError, complaint, ShapeError } from '../core/errors';
import { replaceKernel } from './register';

/** A tensor whose axes have letters. */
interface Lettered {
  tensor: tf.Tensor;
  letters: string[];
}

function parse(equation: string): { operands: string[][]; result: string[] } {
  const [left, right] = equation.replace(/\s/g, '').split('->');
  const operands = (left ?? '').split(',').map((letters) => [...letters]);
  const plain = operands.every((letters) => new Set(letters).size === letters.length);
  if (right === undefined || equation.includes('.') || !plain) {
    const expected = 'an equation such as "bij,bjk->bik", each letter at most once per operand';
    throw new ConfigError(complaint('einsum', expected, `"${equation}"`));
  }
  return { operands, result: [...right] };
}

/** Complains of operands that do not fit the equation, which would otherwise fail somewhere within, or not at all. */
function checkOperands(
  equation: string,
  operands: string[][],
  result: string[],
  tensors: readonly tf.Tensor[],
): void {
  const sizes = new Map<string, number>();
  const fits =
    operands.length === tensors.length &&
    operands.every((letters, i) => {
      const { shape } = tensors[i];
      return (
        letters.length === shape.length &&
        letters.every((letter, axis) => {
          const size = sizes.get(letter) ?? shape[axis];
          sizes.set(letter, size);
          return size === shape[axis];
        })
      );
    });
  if (!fits || !result.every((letter) => sizes.has(letter)) || new Set(result).size !== result.length) {
    const shapes = tensors.map(({ shape }) => `[${shape.join(', ')}]`).join(', ');
    throw new ShapeError(complaint('einsum', `operands that fit "${equation}"`, shapes));
  }
}

/** Sums the axes whose letters are not wanted. */
function keep({ tensor, letters }: Lettered, wanted: readonly string[]): Lettered {
  const axes = letters.flatMap((letter, axis) => (wanted.includes(letter) ? [] : [axis]));
  if (axes.length === 0) return { tensor, letters };
  return { tensor: tf.sum(tensor, axes), letters: letters.filter((letter) => wanted.includes(letter)) };
}

/** Axes brought into the order of the letters. */
function arrange({ tensor, letters }: Lettered, order: readonly string[]): tf.Tensor {
  const axes = order.map((letter) => letters.indexOf(letter));
  return axes.every((axis, i) => axis === i) ? tensor : tf.transpose(tensor, axes);
}

/** Two operands contracted by one batched matrix product. */
function contract(a: Lettered, b: Lettered, wanted: readonly string[]): Lettered {
  const left = keep(a, [...wanted, ...b.letters]);
  const right = keep(b, [...wanted, ...a.letters]);
  const common = left.letters.filter((letter) => right.letters.includes(letter));
  const batch = common.filter((letter) => wanted.includes(letter));
  const summed = common.filter((letter) => !wanted.includes(letter));
  const rows = left.letters.filter((letter) => !common.includes(letter));
  const columns = right.letters.filter((letter) => !common.includes(letter));
  const sizes = new Map(
    [left, right].flatMap(({ tensor, letters }) => letters.map((l, i) => [l, tensor.shape[i]])),
  );
  const lengths = (letters: string[]) => letters.map((letter) => sizes.get(letter) as number);
  const size = (letters: string[]) => lengths(letters).reduce((product, length) => product * length, 1);
  const product = tf.matMul(
    tf.reshape(arrange(left, [...batch, ...rows, ...summed]), [size(batch), size(rows), size(summed)]),
    tf.reshape(arrange(right, [...batch, ...summed, ...columns]), [size(batch), size(summed), size(columns)]),
  );
  const letters = [...batch, ...rows, ...columns];
  return { tensor: tf.reshape(product, lengths(letters)), letters };
}

/** Sum of products by letters, from left to right, each step a matrix product. */
function einsum(equation: string, tensors: readonly tf.Tensor[]): tf.Tensor {
  const { operands, result } = parse(equation);
  checkOperands(equation, operands, result, tensors);
  const lettered = operands.map((letters, i): Lettered => ({ tensor: tensors[i], letters }));
  return tf.tidy(() => {
    const total = lettered.reduce((sum, next, i) => {
      const later = lettered.slice(i + 1).flatMap(({ letters }) => letters);
      return contract(sum, next, [...result, ...later]);
    });
    return tf.clone(arrange(keep(total, result), result));
  });
}

/**
 * Einsum on wasm, and its gradient, which tfjs has on no backend:
 * the gradient in an operand is the einsum of the result's gradient with the other operands, to that operand's letters.
 */
export function registerEinsum(): void {
  replaceKernel<string, tf.EinsumAttrs>(
    'Einsum',
    ({ inputs, attrs }) => einsum(attrs.equation, Object.values(inputs) as tf.Tensor[]),
    // Sums and products of these are tfjs' own.
    { dtypes: ['float32', 'int32', 'bool'] },
  );
  if (tf.getGradient('Einsum') !== undefined) return;
  tf.registerGradient({
    kernelName: 'Einsum',
    saveAllInputs: true,
    gradFunc: (dy, saved, attrs) => {
      const { operands, result } = parse(attrs.equation as string);
      const gradients = saved.map((operand, i) => {
        const others = operands.flatMap((letters, j) => (j === i ? [] : [{ letters, tensor: saved[j] }]));
        const terms = [{ letters: result, tensor: dy as tf.Tensor }, ...others];
        const known = terms.flatMap(({ letters }) => letters);
        // A letter of this operand alone was summed: its gradient is the same all along that axis.
        const reached = operands[i].filter((letter) => known.includes(letter));
        const left = terms.map(({ letters }) => letters.join('')).join(',');
        const gradient = tf.einsum(`${left}->${reached.join('')}`, ...terms.map(({ tensor }) => tensor));
        const open = operands[i].map((letter, axis) => (reached.includes(letter) ? operand.shape[axis] : 1));
        return tf.mul(tf.reshape(gradient, open), tf.ones(operand.shape));
      });
      return Object.fromEntries(gradients.map((gradient, i) => [i, () => gradient]));
    },
  });
}
