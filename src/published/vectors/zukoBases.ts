import { complaint, FormatError } from '../../core/errors';
import { DiagonalNormal, type Distribution, NormalMixture, UniformBox } from '../../distributions';
import { map, type Values } from '../arrays';
import type { Rule } from '../rule';
import type { Below } from './below';
import type { VectorBase, VectorConfig } from './config';
import { constant, type Piece } from './piece';

/** What zuko adds to the scales of a mixture. */
const EPSILON = 1e-6;

/** The base of a flow of zuko, and the number of its values. */
export function inferZukoBase(file: Below): { base: VectorBase; features: number } {
  if (file.has('loc')) return { base: { type: 'diagonal' }, features: file.shape('loc', 1)[0] };
  if (file.has('lower')) return inferBox(file);
  if (file.has('phi.2')) return inferMixture(file);
  const names = file.names.slice(0, 4);
  const received = names.length === 0 ? 'none' : `one with ${names.join(', ')}`;
  const hint =
    'A mixture that reads the context adds a constant to its scales behind the network, and is not read.';
  throw new FormatError(
    complaint(
      'importCheckpoint',
      'a base of zuko: DiagNormal, BoxUniform or GMM',
      received,
      names.length ? hint : '',
    ),
  );
}

function inferBox(file: Below): { base: VectorBase; features: number } {
  const [low, high] = [file.values('lower'), file.values('upper')];
  const [bound] = high;
  if (low.every((end) => end === -bound) && high.every((end) => end === bound)) {
    return { base: { type: 'box', bound }, features: high.length };
  }
  throw new FormatError(
    complaint('importCheckpoint', 'a box from -b to b in all values', `${low} to ${high}`),
  );
}

function inferMixture(file: Below): { base: VectorBase; features: number } {
  const [components, features] = file.shape('phi.1', 2);
  const [sets, scales] = file.shape('phi.2', 2);
  const covariance = file.has('phi.3') ? 'full' : scales === features ? 'diagonal' : 'spherical';
  const tied = sets < components;
  return { base: { type: 'mixture', components, covariance, ...(tied && { tied }) }, features };
}

/** The distribution of the latents, its names behind `base`. */
export function zukoBase({ base, features }: VectorConfig): Piece<Distribution> {
  const eventShape = [features];
  if (base.type === 'box') {
    const { bound = 0 } = base;
    const ends = (sign: number) => () => ({
      shape: eventShape,
      data: new Float32Array(features).fill(sign * bound),
    });
    return {
      rules: [constant('base.lower', eventShape, ends(-1)), constant('base.upper', eventShape, ends(1))],
      build: () => new UniformBox({ eventShape, low: -bound, high: bound }),
    };
  }
  if (base.type === 'mixture') return mixture(base, features);
  return {
    rules: [
      {
        theirs: { 'base.loc': eventShape, 'base.scale': eventShape },
        ours: ['mean', 'logScale'],
        read: ([mean, scale]) => [mean, map(scale, Math.log)],
        write: ([mean, logScale]) => [mean, map(logScale, Math.exp)],
      },
    ],
    // Buffers there.
    build: () => new DiagonalNormal({ eventShape, trainable: false }),
  };
}

/** Components whose scales are exp(raw) + EPSILON, one for all values or for all components where they are shared. */
function mixture(
  { components = 1, covariance, tied = false }: VectorBase,
  features: number,
): Piece<Distribution> {
  const full = covariance === 'full';
  const sets = tied ? 1 : components;
  const scales = covariance === 'spherical' ? 1 : features;
  const below = (features * (features - 1)) / 2;
  const rule: Rule = {
    theirs: {
      'base.phi.0': [components],
      'base.phi.1': [components, features],
      'base.phi.2': [sets, scales],
      ...(full && { 'base.phi.3': [sets, below] }),
    },
    ours: ['logits', 'means', 'logScales', ...(full && below > 0 ? ['lower'] : [])],
    read: ([logits, means, raw, lower]) => [
      logits,
      means,
      map(repeated(raw, components, features), (value) => Math.log(Math.exp(value) + EPSILON)),
      ...(full && below > 0 ? [repeated(lower, components, below)] : []),
    ],
    write: ([logits, means, logScales, lower]) => [
      logits,
      means,
      map(taken(logScales, sets, scales), (value) =>
        Math.log(Math.max(Math.exp(value) - EPSILON, Number.MIN_VALUE)),
      ),
      ...(full
        ? [lower === undefined ? { shape: [sets, 0], data: new Float32Array(0) } : taken(lower, sets, below)]
        : []),
    ],
  };
  return {
    rules: [rule],
    build: () =>
      new NormalMixture({ eventShape: [features], components, covariance: full ? 'full' : 'diagonal' }),
  };
}

/** An array [rows or 1, columns or 1] as [rows, columns]. */
function repeated({ shape, data }: Values, rows: number, columns: number): Values {
  const at = (i: number, j: number) => (shape[0] === 1 ? 0 : i) * shape[1] + (shape[1] === 1 ? 0 : j);
  const all = Float32Array.from(
    { length: rows * columns },
    (_, k) => data[at(Math.floor(k / columns), k % columns)],
  );
  return { shape: [rows, columns], data: all };
}

/** Its first rows and columns. */
function taken({ shape, data }: Values, rows: number, columns: number): Values {
  const first = Float32Array.from(
    { length: rows * columns },
    (_, k) => data[Math.floor(k / columns) * shape[1] + (k % columns)],
  );
  return { shape: [rows, columns], data: first };
}
