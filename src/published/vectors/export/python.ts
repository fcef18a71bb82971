import type { Activation } from '../../../layers';

/** Activations as modules of torch.nn. */
export const torchModules: Record<Activation, string> = {
  relu: 'nn.ReLU',
  tanh: 'nn.Tanh',
  elu: 'nn.ELU',
  softplus: 'nn.Softplus',
  silu: 'nn.SiLU',
  gelu: 'nn.GELU',
  leakyRelu: 'nn.LeakyReLU',
};

/** Activations as functions of torch. */
export const torchFunctions: Record<Activation, string> = {
  relu: 'F.relu',
  tanh: 'torch.tanh',
  elu: 'F.elu',
  softplus: 'F.softplus',
  silu: 'F.silu',
  gelu: 'F.gelu',
  leakyRelu: 'F.leaky_relu',
};

/** A number that Python takes for a float. */
export function float(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** A tuple, which of one value ends in a comma. */
export function tuple(values: readonly unknown[]): string {
  return values.length === 1 ? `(${values[0]},)` : `(${values.join(', ')})`;
}

/** A call with arguments by name, those without a value left out. */
export function call(name: string, ...args: (string | Readonly<Record<string, unknown>>)[]): string {
  const shown = args.flatMap((arg) => {
    if (typeof arg === 'string') return [arg];
    return Object.entries(arg).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
  });
  return `${name}(${shown.join(', ')})`;
}
