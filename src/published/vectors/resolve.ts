import { ConfigError, complaint } from '../../core/errors';
import { checkOptions, type OptionNames } from '../../core/options';
import { checkChoice, checkInteger } from '../../core/shapes';
import { activationNames } from '../../layers/networks/activations';
import type { Guess, GuessedField, LayerSettings, VectorBase, VectorLayer, VectorSettings } from './config';
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

/** Fields that a library has only some values of. */
const words: readonly GuessedField[] = ['scale', 'transformer', 'divided', 'gaps'];

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
 * @param stated what the file states of its layers, by their places, where the user says nothing else
 * @throws ConfigError for fields that no layer has, values that they cannot have, and layers that are not there
 */
export function resolve(
  inferred: InferredFlow,
  settings: VectorSettings,
  stated: readonly LayerSettings[] = [],
): Resolved {
  checkOptions(`${WHERE} config`, settings, settingNames);
  checkBase(settings.base);
  const given = Object.entries(settings).filter(
    ([name, value]) => Object.hasOwn(fields, name) && value !== undefined,
  );
  for (const [name] of given) {
    // What a library whose layers all have names makes of gaps, it says itself.
    if (name === 'gaps' || inferred.layers.some(({ layer }) => name in layer)) continue;
    throw new ConfigError(complaint(WHERE, `fields that a layer of this flow has in config`, `'${name}'`));
  }
  const all = Object.fromEntries(given);
  const single = singleLayers(settings, inferred.layers);
  const layers = inferred.layers.map((each, i) =>
    overridden(each, { ...stated[i], ...own(each.layer, all), ...single.get(i) }),
  );
  return { ...inferred, layers, base: { ...inferred.base, ...settings.base }, guesses: guessesOf(layers) };
}

/** What is said of single layers, by place. */
function singleLayers({ layers }: VectorSettings, all: readonly InferredLayer[]): Map<number, LayerSettings> {
  const single = new Map<number, LayerSettings>();
  for (const [key, said] of Object.entries(layers ?? {})) {
    if (said === null || said === undefined) continue;
    if (all[Number(key)] === undefined) {
      throw new ConfigError(complaint(WHERE, `layers 0 to ${all.length - 1} in config`, `layer ${key}`));
    }
    checkOptions(`${WHERE} config`, said, layerNames);
    const given = Object.entries(said).filter(([, value]) => value !== undefined);
    single.set(Number(key), Object.fromEntries(given));
  }
  return single;
}

/** What may be said of a layer. */
const layerNames: OptionNames<LayerSettings> = {
  activation: ['nonlinearity'],
  bound: ['tail_bound', 'tailBound'],
  scale: true,
  divided: 'boolean',
  transformer: ['univariate'],
  bins: ['num_bins'],
  gaps: true,
};
const settingNames: OptionNames<VectorSettings> = {
  ...layerNames,
  layers: true,
  base: ['distribution'],
  embedding: ['embedding_net'],
};

const baseNames: OptionNames<VectorBase> = {
  type: true,
  components: true,
  covariance: true,
  tied: 'boolean',
  bound: true,
};

function checkBase(base: VectorSettings['base']): void {
  checkOptions(`${WHERE} config.base`, base, baseNames);
  if (base?.type !== undefined) {
    checkChoice(WHERE, 'the type of the base', base.type, ['standard', 'diagonal', 'mixture', 'box']);
  }
  if (base?.covariance !== undefined) {
    checkChoice(WHERE, 'covariance', base.covariance, ['spherical', 'diagonal', 'full']);
  }
  if (base?.components !== undefined) checkInteger(WHERE, 'components', base.components);
  if (base?.bound !== undefined && !fields.bound.fits(base.bound)) {
    throw new ConfigError(complaint(WHERE, fields.bound.expected, base.bound));
  }
}

/** Of what is said for all layers, what this layer has. */
function own(layer: VectorLayer, said: LayerSettings): LayerSettings {
  return Object.fromEntries(Object.entries(said).filter(([name]) => name in layer));
}

/** @throws ConfigError for a field that the layer does not have, or a value that it cannot have */
function overridden({ layer, others }: InferredLayer, said: LayerSettings): InferredLayer {
  const given = Object.entries(said) as [GuessedField, never][];
  for (const [name, value] of given) {
    if (!(name in layer)) {
      const received = `'${name}' of ${layer.at}, a ${layer.type} layer`;
      throw new ConfigError(complaint(WHERE, 'fields that the layer has in config', received));
    }
    const { expected, fits } = fields[name];
    if (!fits(value)) throw new ConfigError(complaint(WHERE, expected, value));
    const open = words.includes(name) ? [layer[name], ...(others[name] ?? [])] : [value];
    if (open.includes(value)) continue;
    throw new ConfigError(complaint(WHERE, `${name} of ${layer.at} among ${open.join(', ')}`, value));
  }
  const left = Object.entries(others).filter(([name]) => said[name as GuessedField] === undefined);
  return { layer: { ...layer, ...Object.fromEntries(given) }, others: Object.fromEntries(left) };
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
