import * as tfl from '@tensorflow/tfjs-layers';
import { ConfigError, complaint } from '../../core/errors';

type Layer = tfl.layers.Layer;

/** Layers that add noise in training, with the field that says how much. */
const NOISES: Record<string, 'rate' | 'stddev'> = {
  Dropout: 'rate',
  SpatialDropout1D: 'rate',
  GaussianNoise: 'stddev',
  GaussianDropout: 'rate',
  AlphaDropout: 'rate',
};

/** Layers that draw at random whenever they compute. */
const RANDOM = ['RandomWidth', 'RandomHeight'];

/**
 * Refuses layers that do, in training, what a flow does not serve: it computes a density, so that a network has to be the same function in
 * training and after, and all that trains it is the flow's loss. tfjs would let them stand there inert.
 *
 * @throws ConfigError that names the layer and what to use instead
 */
export function checkLayers(where: string, root: Layer): void {
  for (const layer of layersUnder(root)) {
    const found = inertPart(layer);
    if (found === undefined) continue;
    const received = `${found.what} in ${layer.getClassName()} '${layer.name}'`;
    throw new ConfigError(
      complaint(where, 'layers that are trained by the loss of the flow alone', received, found.hint),
    );
  }
}

function inertPart(layer: Layer): { what: string; hint: string } | undefined {
  const fields = layer as unknown as Record<string, unknown>;
  for (const [className, amount] of Object.entries(NOISES)) {
    if (isA(layer, className) && (fields[amount] as number) > 0) return noise(`${amount} ${fields[amount]}`);
  }
  const random = RANDOM.find((className) => isA(layer, className));
  if (random !== undefined)
    return { what: 'chance', hint: 'Leave it out: the flow would be another one each time.' };
  for (const name of ['dropout', 'recurrentDropout']) {
    if ((fields[name] as number) > 0) return noise(`${name} ${fields[name]}`);
  }
  if (isA(layer, 'BatchNormalization') && layer.trainable) {
    const hint = 'Use tf.layers.layerNormalization, or set trainable = false where its statistics are known.';
    return { what: 'statistics of batches', hint };
  }
  if (fields.stateful === true) {
    return { what: 'state from batch to batch', hint: 'Set stateful: false.' };
  }
  const regularizer = given(fields, 'Regularizer');
  if (regularizer !== undefined || layer.losses.length > 0) {
    const hint = "Leave it out and add its term to the loss: override the flow's lossOf.";
    return { what: regularizer ?? 'a loss of its own', hint };
  }
  const constrained = layer.weights.some(({ constraint }) => (constraint ?? null) !== null);
  const constraint = given(fields, 'Constraint') ?? (constrained ? 'a constraint' : undefined);
  if (constraint !== undefined) {
    return {
      what: constraint,
      hint: 'Leave it out, or let the layer compute with weights that it limits itself.',
    };
  }
  return undefined;
}

function noise(what: string): { what: string; hint: string } {
  const hint =
    'Leave it out. Perceptrons of this library take `dropout`; `average`, `earlyStopping` and fewer units help against overfitting, too.';
  return { what, hint };
}

/** Name of the first option of a kind, as `kernelRegularizer`, that is given. */
function given(fields: Record<string, unknown>, kind: string): string | undefined {
  return Object.keys(fields).find((name) => name.endsWith(kind) && (fields[name] ?? null) !== null);
}

/** By class names up the line of classes, because tfjs-layers does not export the classes. */
function isA(layer: Layer, className: string): boolean {
  for (let place = layer.constructor; typeof place === 'function'; place = Object.getPrototypeOf(place)) {
    if ((place as { className?: string }).className === className) return true;
  }
  return false;
}

/** A layer and all that it holds (of models, wrappers, cells of recurrent layers): the inner ones first, which the others count as theirs. */
function layersUnder(root: Layer, seen = new Set<Layer>()): Layer[] {
  if (seen.has(root)) return [];
  seen.add(root);
  const members = Object.values(root).flat();
  const held = members.filter((member): member is Layer => member instanceof tfl.layers.Layer);
  return [...held.flatMap((member) => layersUnder(member, seen)), root];
}
