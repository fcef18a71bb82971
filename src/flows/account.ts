import * as tf from '@tensorflow/tfjs-core';
import { type ContextTensors, isNamed, partOf } from '../core/context';
import { largest } from '../core/lists';
import type { Module } from '../core/module';
import { printable } from '../core/printable';
import { readTogether } from '../core/reads';
import { sizeOf } from '../core/shapes';
import { finiteMark } from '../core/tensors';
import type { Distribution } from '../distributions';
import type { Bijector, Conditioning, TraceEntry } from '../layers';
import { type Measure, readMeasures } from '../layers/measures';

/** One layer's line in an account. */
export interface AccountRow extends Conditioning {
  /** Place in the tree, as weights are named: `bijector/multiscale/level0/step2/coupling`. */
  name: string;
  /** Class of the layer. */
  kind: string;
  /** Mean log-determinant over the batch, nats. */
  logDet: number;
  /** Its share of the bits per dimension: -logDet / (D ln 2). */
  bitsPerDim: number;
  /** Largest |inverse(forward(x)) - x| on this layer's own input. */
  roundTripError: number;
  /** Whether its value and log-determinant are all finite. */
  finite: boolean;
  /** What it is conditioned on, as in `labels [10]`; absent where on nothing. */
  context?: string;
}

/** Where a flow's log-likelihood comes from, layer by layer; `String(account)` is a text table. */
export interface Account {
  /** The layers in the order in which data meets them. */
  rows: AccountRow[];
  /** The base distribution's part: mean log-density in nats, its share of the bits per dimension, and what it is conditioned on. */
  base: { logProb: number; bitsPerDim: number; context?: string };
  /** Mean log-likelihood in nats, and bits per dimension; the sums of the columns above. */
  total: { logProb: number; bitsPerDim: number };
  /** First layer with a NaN or infinity, where there is one. */
  firstNonFinite?: string;
}

/** Makes the batch of an account, as the bijector takes it; its tensors are freed. */
export type GivenBatch = () => { x: tf.Tensor; context?: ContextTensors };

/** Makes an account of a batch. Reads one tensor. */
export async function makeAccount(
  bijector: Bijector,
  base: Distribution,
  given: GivenBatch,
): Promise<Account> {
  const layers: { name: string; layer: Bijector }[] = [];
  const { numbers, logProb } = await readMeasures(() => {
    const numbers: LayerMeasures[] = [];
    const { x, context } = given();
    const visit = (entry: TraceEntry) => {
      layers.push({ name: entry.name, layer: entry.bijector });
      numbers.push(tf.tidy(() => measuresOf(entry) as never) as LayerMeasures);
    };
    const { value } = bijector.trace(x, visit, partOf(context, bijector.contextShape));
    const logProb: tf.Scalar = tf.mean(base.logProb(value, partOf(context, base.contextShape)));
    return { numbers, logProb };
  });
  const size = sizeOf(bijector.inputShape);
  const inBits = (nats: number) => -nats / (size * Math.LN2);
  const rows = layers.map(({ name, layer }, i): AccountRow => {
    const { logDet, roundTripError, mark, conditioning } = numbers[i];
    return {
      name,
      kind: layer.label,
      logDet,
      bitsPerDim: inBits(logDet),
      roundTripError,
      finite: mark === 0,
      ...conditioning,
      ...conditionedOn(layer),
    };
  });
  const sum = rows.reduce((total, row) => total + row.logDet, logProb);
  const account: Account = {
    rows,
    base: { logProb, bitsPerDim: inBits(logProb), ...conditionedOn(base) },
    total: { logProb: sum, bitsPerDim: inBits(sum) },
    firstNonFinite: rows.find((row) => !row.finite)?.name,
  };
  return printable(account, (result) => [show(result)]);
}

/** What an account says of a layer in numbers. */
interface LayerMeasures {
  logDet: tf.Scalar;
  roundTripError: tf.Scalar;
  /** 0 where all is finite. */
  mark: tf.Scalar;
  conditioning: Conditioning<Measure>;
}

function measuresOf({ bijector: layer, input, output, context }: TraceEntry): LayerMeasures {
  const back = layer.inverse(output.value, context).value;
  return {
    logDet: tf.mean(output.logDet),
    roundTripError: tf.max(tf.abs(tf.sub(back, input))),
    mark: finiteMark(output.value, output.logDet),
    conditioning: layer.measures(input, context),
  };
}

/** A module's context in few letters: `labels [10], pose [3]`; empty where there is none. */
export function contextText({ contextShape }: Module): string {
  if (contextShape === undefined) return '';
  if (!isNamed(contextShape)) return `[${contextShape.join(', ')}]`;
  return Object.entries(contextShape)
    .map(([name, shape]) => `${name} [${shape.join(', ')}]`)
    .join(', ');
}

function conditionedOn(module: Module): { context?: string } {
  const context = contextText(module);
  return context === '' ? {} : { context };
}

/**
 * Name of the first layer, or of the base, with a NaN or infinity in its output; undefined where all is finite. Reads one tensor.
 */
export async function firstNonFinite(
  bijector: Bijector,
  base: Distribution,
  given: GivenBatch,
): Promise<string | undefined> {
  const names: string[] = [];
  const marks = await readTogether(() => {
    const found: tf.Tensor[] = [];
    const mark = (name: string, ...outputs: tf.Tensor[]) => {
      names.push(name);
      found.push(finiteMark(...outputs));
    };
    const { x, context } = given();
    const visit = ({ name, output }: TraceEntry) => mark(name, output.value, output.logDet);
    const { value } = bijector.trace(x, visit, partOf(context, bijector.contextShape));
    mark(base.name, base.logProb(value, partOf(context, base.contextShape)));
    return found;
  });
  return names[marks.findIndex(([mark]) => mark !== 0)];
}

function show({ rows, base, total, firstNonFinite }: Account): string {
  const number = (value: number | undefined, digits: number) =>
    value === undefined ? '' : value.toFixed(digits);
  const small = (value: number | undefined) => (value === undefined ? '' : value.toExponential(1));
  const table = [
    ['layer', 'kind', 'context', 'logDet', 'bits/dim', 'round trip', 'scale >=', 'condition', 'residual'],
    ...rows.map((row) => [
      row.finite ? row.name : `${row.name} (!)`,
      row.kind,
      row.context ?? '',
      number(row.logDet, 2),
      number(row.bitsPerDim, 4),
      small(row.roundTripError),
      small(row.smallestScale),
      number(row.conditionNumber, 1),
      small(row.inverseResidual),
    ]),
    ['base', '', base.context ?? '', number(base.logProb, 2), number(base.bitsPerDim, 4), '', '', '', ''],
    ['total', '', '', number(total.logProb, 2), number(total.bitsPerDim, 4), '', '', '', ''],
  ];
  const warning = firstNonFinite === undefined ? '' : `\nfirst non-finite value: ${firstNonFinite}`;
  return alignColumns(table, 3) + warning;
}

/** A text table: the first `left` columns flush left, the others flush right; columns with a heading alone are left out. */
export function alignColumns(table: string[][], left: number): string {
  const columns = table[0]
    .map((_, column) => column)
    .filter((column) => table.slice(1).some((row) => row[column] !== ''));
  const widths = table[0].map((_, column) => largest(table.map((row) => row[column].length)));
  return table
    .map((row) =>
      columns
        .map((column) =>
          column < left ? row[column].padEnd(widths[column]) : row[column].padStart(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
