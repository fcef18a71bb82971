import { contextTensors } from '../core/context';
import { complaint, type FlowError, NonFiniteError } from '../core/errors';
import { checkFinite } from '../core/shapes';
import { capabilities } from '../engine/capabilities';
import type { Batch, Trainable } from './trainable';

/**
 * Brings the values of a batch to the host, where checks look at them: at once if they come from there, as mostly.
 * Only a source of data that lie on a GPU is waited for.
 */
export async function bringToHost({ x, context }: Batch): Promise<void> {
  if (capabilities().readsAtOnce) return;
  for (const tensor of [x, ...contextTensors(context)]) await tensor.data();
}

/** Throws a DataError that names the first NaN or infinity of a batch. */
export async function checkFiniteBatch(where: string, { x, context }: Batch): Promise<void> {
  const hint = 'Clean the data before training.';
  checkFinite(`${where} (x of the batch)`, await x.data(), hint);
  for (const part of contextTensors(context)) {
    checkFinite(`${where} (context of the batch)`, await part.data(), hint);
  }
}

/**
 * The error for a batch whose loss or gradient is not finite: a DataError where the data are to blame, else a NonFiniteError
 * that names the first layer.
 *
 * @param locate finds the first layer with such an output, by the same noise as that of the loss
 * @param gradientLayer layer of the first gradient that is not finite, where the loss itself is
 */
export async function explainNonFinite(
  where: string,
  received: string,
  model: Trainable,
  batch: Batch,
  locate: () => string | undefined | Promise<string | undefined>,
  gradientLayer?: string,
  consequence = '',
): Promise<FlowError> {
  try {
    checkFinite(`${where} (x of the batch)`, await batch.x.data(), 'Clean the data before training.');
    for (const part of contextTensors(batch.context)) {
      checkFinite(`${where} (context of the batch)`, await part.data());
    }
  } catch (error) {
    return error as FlowError;
  }
  const layer = (await locate()) ?? gradientLayer;
  const advice = layer === undefined ? undefined : model.adviseNonFinite?.(layer);
  const first = layer === undefined ? '' : `The first layer with a non-finite value is ${layer}.`;
  const hint = [first, advice, consequence].filter((text) => text !== undefined && text !== '').join(' ');
  return new NonFiniteError(complaint(where, 'a finite loss and gradient', received, hint), layer);
}
