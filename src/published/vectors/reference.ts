import * as tf from '@tensorflow/tfjs-core';
import { complaint, DataError, FlowError } from '../../core/errors';
import { toFloat64 } from '../../core/numbers';
import { checkOptions } from '../../core/options';
import { readTogether } from '../../core/reads';
import type { Context, Events, VectorFlow } from '../../flows';
import type { Guess, LayerSettings, VectorConfig, VectorSettings } from './config';
import { showGuess } from './showGuess';

/** Rows whose log-densities are known from Python. */
export interface Reference {
  /** The rows, [n, d], as `logProb` takes them. */
  x: Events;
  /** What they are conditioned on, as `logProb` takes it. Default: nothing. */
  context?: Context;
  /** Their log-densities in nats, [n]. */
  logProb: ArrayLike<number> | tf.Tensor;
}

/**
 * How far log-densities may lie apart, in units of max(1, |log-density|): both sides compute in float32 (2e-5 apart at most, in the models that
 * were tried), and Python prints four decimals of rows and results.
 */
const TOLERANCE = 1e-3;

/** How many other combinations of guesses are tried. */
const MOST_TRIES = 100;

const WHERE = 'importCheckpoint';

/** A flow of a file, and how there could be others. */
export interface Verified {
  flow: VectorFlow;
  config: VectorConfig;
  /** What neither the file nor the user says. */
  guesses: readonly Guess[];
  /** What the file does not say, whatever the user says. */
  open: readonly Guess[];
  /** What the user says. */
  settings: VectorSettings;
  /** The flow by other settings. */
  rebuild(settings: VectorSettings): VectorFlow;
}

/**
 * Compares a flow's log-densities with known ones.
 *
 * @throws DataError where they differ, with the guesses and, where other values of one or two of them give the log-densities, these
 */
export async function verify(reference: Reference, verified: Verified): Promise<void> {
  checkOptions(`${WHERE} reference`, reference, { x: ['rows'], context: true, logProb: ['log_prob'] });
  const expected = await logDensities(reference.logProb);
  const { furthest, row, received } = await compare(verified.flow, reference, expected);
  if (furthest <= TOLERANCE) return;
  const fitting = await fittingSettings(verified, async (settings) => {
    const other = verified.rebuild(settings);
    try {
      return (await compare(other, reference, expected)).furthest;
    } finally {
      other.dispose();
    }
  });
  const shown = (value: number) => Number(value.toPrecision(6));
  throw new DataError(
    complaint(
      WHERE,
      `log-densities as in the reference, within ${TOLERANCE}`,
      `${shown(received)} in place of ${shown(expected[row])} in row ${row}, the furthest`,
      hintOf(verified, fitting),
    ),
  );
}

async function logDensities(given: Reference['logProb']): Promise<Float64Array> {
  const values = given instanceof tf.Tensor ? await given.data() : given;
  const numbers = toFloat64(WHERE, 'logProb of the reference', values);
  if (numbers.length === 0) throw new DataError(complaint(WHERE, 'rows of reference', 'none'));
  return numbers;
}

/** The row that differs most. */
async function compare(
  flow: VectorFlow,
  { x, context }: Reference,
  expected: Float64Array,
): Promise<{ furthest: number; row: number; received: number }> {
  const [received] = await readTogether(() => [flow.logProb(x, context === undefined ? {} : { context })]);
  if (received.length !== expected.length) {
    const wanted = `as many log-densities as rows of reference, ${received.length}`;
    throw new DataError(complaint(WHERE, wanted, expected.length));
  }
  let [furthest, row] = [-1, 0];
  received.forEach((value, i) => {
    const difference = distance(value, expected[i]);
    if (difference > furthest) [furthest, row] = [difference, i];
  });
  return { furthest, row, received: received[row] };
}

function distance(value: number, expected: number): number {
  if (value === expected) return 0;
  const difference = Math.abs(value - expected) / Math.max(1, Math.abs(expected));
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}

/** One guess of another value. */
interface Change {
  guess: Guess;
  value: Guess['value'];
}

/** The settings that give the reference, where one or two guesses have other values. */
async function fittingSettings(
  { config, open, settings }: Verified,
  furthestWith: (settings: VectorSettings) => Promise<number>,
): Promise<VectorSettings | undefined> {
  let best: { furthest: number; settings: VectorSettings } | undefined;
  let changed = 1;
  for (const changes of combinations(config, open).slice(0, MOST_TRIES)) {
    if (changes.length > changed && best !== undefined) break;
    changed = changes.length;
    const tried = withChanges(settings, config, changes);
    const furthest = await quietly(() => furthestWith(tried));
    if (furthest <= TOLERANCE && furthest < (best?.furthest ?? Number.POSITIVE_INFINITY)) {
      best = { furthest, settings: tried };
    }
  }
  return best?.settings;
}

/** Some values do not go together: they are no candidates. */
async function quietly(compute: () => Promise<number>): Promise<number> {
  try {
    return await compute();
  } catch (error) {
    if (error instanceof FlowError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/** All single changes, then all pairs. */
function combinations({ layers }: VectorConfig, open: readonly Guess[]): Change[][] {
  const single = open.flatMap((guess) => {
    const { field } = guess;
    const isTaken = (value: Guess['value']) => guess.layers.every((i) => layers[i][field] === value);
    return [guess.value, ...guess.others].flatMap((value): Change[] =>
      isTaken(value) ? [] : [{ guess, value }],
    );
  });
  const pairs = single.flatMap((one, i) =>
    single.slice(i + 1).flatMap((other) => (other.guess === one.guess ? [] : [[one, other]])),
  );
  return [...single.map((change) => [change]), ...pairs];
}

/** Settings with changes: for all layers where a guess is of all that have the field, else layer by layer. */
function withChanges(
  settings: VectorSettings,
  { layers }: VectorConfig,
  changes: readonly Change[],
): VectorSettings {
  const all: Record<string, unknown> = { ...settings };
  const single = { ...settings.layers } as Record<number, LayerSettings | null>;
  for (const { guess, value } of changes) {
    const { field } = guess;
    const isOfAll = layers.every((layer, i) => !(field in layer) || guess.layers.includes(i));
    if (isOfAll) all[field] = value;
    for (const i of guess.layers) {
      const { [field]: _, ...rest } = single[i] ?? {};
      single[i] = isOfAll ? rest : { ...rest, [field]: value };
    }
  }
  const kept = Object.entries(single).filter(([, said]) => Object.keys(said ?? {}).length > 0);
  const { layers: _, ...others } = all;
  return kept.length > 0 ? { ...others, layers: Object.fromEntries(kept) } : others;
}

function hintOf({ guesses, open }: Verified, fitting: VectorSettings | undefined): string {
  const unsaid = guesses.length > 0 ? `The file does not say ${guesses.map(showGuess).join('; ')}. ` : '';
  if (fitting !== undefined)
    return `${unsaid}With config: ${JSON.stringify(fitting)} they are those of the reference.`;
  const tried =
    open.length > 0 ? 'No other usual values of one or two of what it does not say give them. ' : '';
  return `${unsaid}${tried}Say what the model was built with in config, and look whether these are rows of this model.`;
}
