import { ConfigError, complaint } from '../core/errors';
import type { InferredStructure, Structure } from './structure';
import { stepsOf } from './structure';

/** Where each channel of the new order stands in the old one, for every step in the order in which data meets them. */
export type ChannelOrders = readonly (readonly number[])[];

/** How a file's permutations are read. */
export interface ResolvedPermutation {
  permutation: Structure['permutation'];
  /** Orders that were drawn; they become matrices. */
  orders?: ChannelOrders;
}

const WHERE = 'importCheckpoint';

/**
 * What permutes the channels of a Glow: what the file says, or what the user says in its place.
 *
 * @param told what is written beside the tensors, as in the metadata of our own exports
 * @throws ConfigError where neither says it, or the user says what the file does not have
 */
export function resolvePermutation(
  inferred: InferredStructure,
  told: string | undefined,
  given: 'reverse' | ChannelOrders | undefined,
): ResolvedPermutation {
  if (inferred.permutation !== undefined) {
    if (given === undefined) return { permutation: inferred.permutation };
    const hint = "The option is for files of chaiyujin's with 'reverse' or 'shuffle'.";
    const received = `'${inferred.permutation}' in the file, and the option permutation`;
    throw new ConfigError(complaint(WHERE, 'a file that does not say its permutations', received, hint));
  }
  if (given === 'reverse' || (given === undefined && told === 'reverse')) return { permutation: 'reverse' };
  if (given !== undefined) return { permutation: 'invconv', orders: given };
  const expected = "the option permutation: 'reverse', or the orders of a shuffle";
  const hint =
    'The file looks the same for both. "flow_permutation" in the hparams says which; docs/how-to/pytorch-weights.md says how to print the orders in Python.';
  throw new ConfigError(complaint(WHERE, expected, 'none', hint));
}

/** Throws a ConfigError for orders that are not one permutation of the channels for each step. */
export function checkOrders(structure: Structure, orders: ChannelOrders): void {
  const steps = stepsOf(structure);
  if (!Array.isArray(orders) || orders.length !== steps.length) {
    const received = Array.isArray(orders) ? `${orders.length}` : `'${String(orders)}'`;
    throw new ConfigError(
      complaint(WHERE, `permutation 'reverse' or ${steps.length} orders, one for each step`, received),
    );
  }
  steps.forEach(({ channels }, i) => {
    const order: unknown = orders[i];
    const numbers = Array.isArray(order) ? new Set(order) : new Set();
    const all = Array.from({ length: channels }, (_, channel) => channel);
    const fits = (order as unknown[])?.length === channels && all.every((channel) => numbers.has(channel));
    if (fits) return;
    const shown = Array.isArray(order)
      ? `[${order.slice(0, 8).join(', ')}${order.length > 8 ? ', ...' : ''}]`
      : order;
    throw new ConfigError(complaint(WHERE, `order ${i} to be a permutation of 0 .. ${channels - 1}`, shown));
  });
}
