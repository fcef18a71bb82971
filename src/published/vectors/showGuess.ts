import type { Guess, GuessedField } from './config';

/** `activation (taken: 'relu' in layers 0, 2; could be 'tanh', ...)` */
export function showGuess({ field, value, others, layers }: Guess): string {
  const could = others.map(show).join(', ');
  const more = NUMBERS.includes(field) ? ' or any other number' : '';
  return `${field} (taken: ${show(value)} in layer${layers.length > 1 ? 's' : ''} ${layers.join(', ')}; could be ${could}${more})`;
}

function show(value: Guess['value']): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : JSON.stringify(value);
}

/** Fields whose values are numbers, of which only some are usual. */
const NUMBERS: readonly GuessedField[] = ['bound', 'bins'];
