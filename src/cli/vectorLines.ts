import type { CheckpointInfo, VectorConfig, VectorLayer } from '../published';
import { showGuess } from '../published/vectors/showGuess';

/** What a file of a flow over vectors tells, as lines: its layers, what is guessed and what is left out; undefined for other flows. */
export function vectorLines({ config, guesses, leftOut = [] }: CheckpointInfo): string[] | undefined {
  if (guesses === undefined) return undefined;
  const { features, context, layers, base, standardizesContext } = config as VectorConfig;
  return [
    `  features: ${features}`,
    `  context: ${context}${standardizesContext ? ', standardized' : ''}`,
    ...layers.map((layer, i) => `  layer ${i}: ${layerLine(layer)}`),
    `  base: ${fields(base)}`,
    ...(guesses.length === 0
      ? ['the file leaves nothing open']
      : ['not in the file:', ...guesses.map((guess) => `  ${showGuess(guess)}`)]),
    ...(leftOut.length > 0 ? [`not read, an embedding network of its own: ${leftOut.join(', ')}`] : []),
  ];
}

function layerLine({ at, type, ...rest }: VectorLayer): string {
  return [type, fields(rest), `at ${at}`].filter((part) => part !== '').join(', ');
}

/** Names and values, one after another. */
function fields(values: object): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? list(value) : value}`)
    .join(', ');
}

/** A list, its end left out where it is long. */
function list(values: readonly unknown[]): string {
  const shown = values.length <= MOST_SHOWN ? values : [...values.slice(0, MOST_SHOWN), '...'];
  return `[${shown.map((value) => (typeof value === 'boolean' ? Number(value) : value)).join(' ')}]`;
}

const MOST_SHOWN = 12;
