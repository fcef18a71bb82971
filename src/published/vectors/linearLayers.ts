import { complaint, FormatError } from '../../core/errors';
import { ActNorm, Linear, Permutation } from '../../layers';
import { map, spread, type Values, zeros } from '../arrays';
import type { Rule } from '../rule';
import type { VectorLayer } from './config';
import { constant, integers, type LayerPiece, type Scene } from './piece';

/** Least diagonal entry of an LU map. */
const LEAST_DIAGONAL = 1e-3;

/** A fixed order of the values; one of theirs is in the file by name. */
export function permutation(
  { order = [] }: VectorLayer,
  { features, name }: Scene,
  theirs: Readonly<Record<string, readonly number[]>>,
): LayerPiece {
  checkOrder(order, features);
  return {
    rules: Object.entries(theirs).map(([key, values]) => constant(key, [features], () => integers(values))),
    build: () => new Permutation({ inputShape: [features], order, name }),
  };
}

/** y = L U x + bias of nflows and normflows: the triangles' entries row by row, the diagonal of U by softplus. */
export function luLinear({ features: d, name }: Scene): LayerPiece {
  const entries = (d * (d - 1)) / 2;
  const rule: Rule = {
    theirs: {
      lower_entries: [entries],
      upper_entries: [entries],
      unconstrained_upper_diag: [d],
      bias: [d],
    },
    ours: ['triangles', 'logScale', 'bias'],
    read: ([lower, upper, diagonal, bias]) => [
      joinTriangles(lower, upper, d),
      map(diagonal, (raw) => Math.log(softplus(raw) + LEAST_DIAGONAL)),
      bias,
    ],
    write: ([triangles, logScale, bias]) => [
      triangleOf(triangles, d, (i, j) => i > j),
      triangleOf(triangles, d, (i, j) => i < j),
      map(logScale, diagonalOf),
      bias,
    ],
  };
  return { rules: [rule], build: () => new Linear({ inputShape: [d], name }) };
}

/** y = x * scale + shift, as in standardization. */
export function pointwiseAffine(
  { shared = false }: VectorLayer,
  { features: d, name }: Scene,
  [scaleName, shiftName]: readonly [string, string],
): LayerPiece {
  const length = shared ? 1 : d;
  const rule: Rule = {
    theirs: { [scaleName]: [length], [shiftName]: [length] },
    ours: ['bias', 'logScale'],
    read: (arrays) => {
      const [scale, shift] = shared ? arrays.map((one) => spread(one, d)) : arrays;
      checkScales(scale);
      return [map(shift, (value, i) => value / scale.data[i]), map(scale, Math.log)];
    },
    write: ([bias, logScale]) => [
      map(logScale, Math.exp),
      map(bias, (value, i) => value * Math.exp(logScale.data[i])),
    ],
  };
  return { rules: [rule], build: () => new ActNorm({ inputShape: [d], name }) };
}

function checkOrder(order: readonly number[], features: number): void {
  const places = new Set(order);
  const isOrder =
    places.size === features && order.every((place) => place >= 0 && place < features && place % 1 === 0);
  if (isOrder) return;
  const expected = `a permutation of 0 .. ${features - 1}`;
  throw new FormatError(complaint('importCheckpoint', expected, order.slice(0, 20)));
}

/** @throws FormatError for scales that are not positive, by which values would be turned round or lost */
export function checkScales({ data }: Pick<Values, 'data'>): void {
  const bad = data.find((value) => !(value > 0 && Number.isFinite(value)));
  if (bad === undefined) return;
  throw new FormatError(complaint('importCheckpoint', 'scales above 0', bad));
}

function softplus(raw: number): number {
  return raw > 30 ? raw : Math.log1p(Math.exp(raw));
}

/** What softplus(.) + LEAST_DIAGONAL is exp(logScale) of; a smaller diagonal entry has none, and becomes the least. */
function diagonalOf(logScale: number): number {
  const above = Math.max(Math.exp(logScale) - LEAST_DIAGONAL, Number.MIN_VALUE);
  return above > 30 ? above : Math.log(Math.expm1(above));
}

function joinTriangles(lower: Values, upper: Values, d: number): Values {
  const triangles = zeros([d, d]);
  let [below, above] = [0, 0];
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      if (i > j) triangles.data[i * d + j] = lower.data[below++];
      if (i < j) triangles.data[i * d + j] = upper.data[above++];
    }
  }
  return triangles;
}

function triangleOf({ data }: Values, d: number, inside: (i: number, j: number) => boolean): Values {
  const entries = data.filter((_, at) => inside(Math.floor(at / d), at % d));
  return { shape: [entries.length], data: entries };
}
