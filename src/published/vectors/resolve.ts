import { ConfigError, complaint } from '../../core/errors';
import { nearestName } from '../../core/options';
import { activationNames } from '../../layers/networks/activations';
import type { Guess, GuessedField, VectorLayer, VectorSettings } from './config';
import type { InferredFlow, InferredLayer } from './library';

const WHERE = 'importCheckpoint';

/** Fields that may be said for all layers at once, and what each may be. */
const fields: Record<GuessedField, { expected: string; fits(value: unknown): boolean }> = {
  activation: {
    expected: `an activation among ${activationNames.join(', ')}`,
    fits: (value) => activationNames.includes(value as never),
  },
  bound: {
    expected: 'a bound above 0',
    fits: (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
  },
  scale: oneOf('scale', ['sigmoid', 'softplus', 'exp', 'softclip']),
  divided: { expected: 'divided to be true or false', fits: (value) => typeof value === 'boolean' },
  transformer: oneOf('transformer', ['affine', 'additive', 'spline', 'circularSpline']),
  gaps: oneOf('gaps', ['identity', 'swap']),
  bins: {
    expected: 'bins to be a whole number from 2',
    fits: (value) => Number.isInteger(value) && (value as number) >= 2,
  },
};

function oneOf(field: string, words: readonly string[]) {
  return {
    expected: `${field} among ${words.join(', ')}`,
    fits: (value: unknown) => words.includes(value as string),
  };
}

/** What a file tells with what the user says, and what neither does. */
export interface Resolved extends InferredFlow {
  guesses: Guess[];
}

/**
 * Puts what the user says in the place of guesses; what the file tells itself is checked by the shapes of its parameters.
 *
 * @throws ConfigError for fields that no layer has, values that they cannot have, and layers that are not there
 */
export function resolve(inferred: InferredFlow, settings: VectorSettings): Resolved {
  const known = [...Object.keys(fields), 'layers', 'base', 'embedding'];
  for (const name of Object.keys(settings)) if (!known.includes(name)) throw unknownField(name, known);
  const given = Object.entries(settings).filter(
    ([name, value]) => Object.hasOwn(fields, name) && value !== undefined,
  );
  for (const [name] of given) {
    // What a library whose layers all have names makes of gaps, it says itself.
    if (name === 'gaps' || inferred.layers.some(({ layer }) => name in layer)) continue;
    throw new ConfigError(complaint(WHERE, `fields that a layer of this flow has in config`, `'${name}'`));
  }
  const all = Object.fromEntries(given);
  let layers = inferred.layers.map((each) => overridden(each, own(each.layer, all)));
  for (const [key, said] of Object.entries(settings.layers ?? {})) {
    if (said === null) continue;
    const place = Number(key);
    if (layers[place] === undefined) {
      throw new ConfigError(complaint(WHERE, `layers 0 to ${layers.length - 1} in config`, `layer ${key}`));
    }
    layers = layers.map((each, i) => (i === place ? overridden(each, said as Partial<VectorLayer>) : each));
  }
  return { ...inferred, layers, base: { ...inferred.base, ...settings.base }, guesses: guessesOf(layers) };
}

function unknownField(name: string, known: readonly string[]): ConfigError {
  const near = nearestName(name, Object.fromEntries(known.map((each) => [each, true])));
  const hint = near === undefined ? '' : `Did you mean '${near}'?`;
  return new ConfigError(complaint(WHERE, `fields of config among ${known.join(', ')}`, `'${name}'`, hint));
}

/** Of what is said for all layers, what this layer has. */
function own(layer: VectorLayer, said: Record<string, unknown>): Partial<VectorLayer> {
  return Object.fromEntries(Object.entries(said).filter(([name]) => name in layer));
}

function overridden({ layer, others }: InferredLayer, said: Partial<VectorLayer>): InferredLayer {
  for (const [name, value] of Object.entries(said)) {
    const field = fields[name as GuessedField];
    if (field === undefined) throw unknownField(name, Object.keys(fields));
    if (!field.fits(value)) throw new ConfigError(complaint(WHERE, field.expected, value));
  }
  const left = Object.entries(others).filter(([name]) => !(name in said));
  return { layer: { ...layer, ...said }, others: Object.fromEntries(left) };
}

/** Guesses of all layers, those that are alike together. */
function guessesOf(layers: readonly InferredLayer[]): Guess[] {
  const guesses = new Map<string, Guess & { layers: number[] }>();
  layers.forEach(({ layer, others }, i) => {
    for (const [name, alternatives] of Object.entries(others)) {
      const field = name as GuessedField;
      const value = layer[field] as Guess['value'];
      const key = JSON.stringify([field, value, alternatives]);
      const guess = guesses.get(key) ?? { field, value, others: alternatives, layers: [] };
      guess.layers.push(i);
      guesses.set(key, guess);
    }
  });
  return [...guesses.values()];
}
