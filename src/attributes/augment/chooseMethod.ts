import { NotLearnableError } from '../../core/errors';
import type { Matrix } from '../../linalg';
import { selectRows } from '../../statistics/rows';
import { listOfDirections } from '../manipulate';
import type { Prior } from '../prior';
import { noSamples, type SyntheticSamples } from './batches';
import { type SynthesisMethod, type SynthesizeOptions, samplesOf } from './synthesize';

/** Fewest samples that leave something to learn from when one is left out. */
const FEWEST = 3;

/** What the leave-one-out comparison says. */
export interface MethodChoice {
  method: SynthesisMethod | 'none';
  /** The figures behind it, in words. */
  reason: string;
}

/** Class of the labelled rows that a row is nearest to. */
export interface References {
  z: Matrix;
  /** One number per row; the subclass in question is not among them. */
  subclass: Int32Array;
}

/**
 * Whether augmentation helps a nearest-neighbour classifier tell this subclass from the references, by leaving one sample out at a time.
 *
 * The left-out own samples and the left-out references are classified with and without the synthetic samples; a method is taken only
 * where the gain in balanced accuracy exceeds its standard error.
 */
export function chooseMethod(
  prior: Prior,
  few: Matrix,
  references: References,
  options: Omit<SynthesizeOptions, 'method'>,
): MethodChoice {
  const n = few.rows;
  if (n < FEWEST) return { method: 'none', reason: `${n} samples are too few to leave one out and compare` };
  const methods: SynthesisMethod[] = ['mixup'];
  if (listOfDirections(options.directions ?? []).length > 0) methods.push('attribute');
  let choice: MethodChoice = { method: 'none', reason: '' };
  let best = 0;
  const reasons: string[] = [];
  for (const method of methods) {
    const { gain, error } = leaveOneOutGain(prior, few, references, { ...options, method });
    reasons.push(`${method} ${gain >= 0 ? '+' : ''}${gain.toFixed(3)} (standard error ${error.toFixed(3)})`);
    if (gain > error && gain > best) {
      best = gain;
      choice = { method, reason: '' };
    }
  }
  return { ...choice, reason: `leave-one-out gain in balanced accuracy: ${reasons.join(', ')}` };
}

function leaveOneOutGain(
  prior: Prior,
  few: Matrix,
  references: References,
  options: SynthesizeOptions,
): { gain: number; error: number } {
  const own: number[] = [];
  for (let i = 0; i < few.rows; i++) {
    const rest = selectRows(
      few,
      Array.from({ length: few.rows }, (_, k) => k).filter((k) => k !== i),
    );
    const synthetic = attempt(prior, rest, options);
    const rival = nearest(few.row(i), references.z);
    const plain = nearest(few.row(i), rest);
    const helped = Math.min(plain, nearest(few.row(i), synthetic.z));
    own.push(Number(helped < rival) - Number(plain < rival));
  }
  const synthetic = attempt(prior, few, options);
  const other: number[] = [];
  for (let i = 0; i < references.z.rows; i++) {
    const row = references.z.row(i);
    const sameClass = selectRows(
      references.z,
      Array.from(references.subclass.keys()).filter(
        (k) => k !== i && references.subclass[k] === references.subclass[i],
      ),
    );
    // A lone reference of its class has nothing left to be recognized by.
    if (sameClass.rows === 0) continue;
    const kin = nearest(row, sameClass);
    const plain = nearest(row, few);
    const helped = Math.min(plain, nearest(row, synthetic.z));
    other.push(Number(kin < helped) - Number(kin < plain));
  }
  const parts = [own, other].filter((values) => values.length > 0);
  const gain = parts.reduce((sum, values) => sum + mean(values), 0) / parts.length;
  const variance = parts.reduce((sum, values) => sum + varianceOfMean(values), 0) / parts.length ** 2;
  return { gain, error: Math.sqrt(variance) };
}

/** What the method makes of the samples; nothing where it can make nothing but copies. */
function attempt(prior: Prior, few: Matrix, options: SynthesizeOptions): SyntheticSamples {
  try {
    return samplesOf('augment', prior.posterior(few), options);
  } catch (error) {
    if (error instanceof NotLearnableError) return noSamples(prior.dimension);
    throw error;
  }
}

/** Squared distance to the nearest row. */
function nearest(point: Float64Array, rows: Matrix): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rows.rows; i++) {
    const row = rows.row(i);
    let sum = 0;
    for (let j = 0; j < row.length && sum < best; j++) sum += (row[j] - point[j]) ** 2;
    best = Math.min(best, sum);
  }
  return best;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function varianceOfMean(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const center = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return squares / (values.length - 1) / values.length;
}
