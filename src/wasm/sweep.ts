import type { TensorInfo } from '@tensorflow/tfjs-core';
import { append, largest } from '../core/lists';
import { type SweepAttributes, sortByLevel } from '../layers/fusedSweep';
import { activationNumbers } from './activationNumbers';
import { bytesOf, type Fields, wordsOf } from './blocks';
import type { KernelModule } from './kernelModule';
import type { KernelCall } from './register';
import { affineForm, splineForm } from './transformers';

/** Rows that one chunk computes; eight go through all levels together. */
const CHUNK_ROWS = 32;
/** Bytes of a line: a number for each of eight rows. */
const LINE = 32;

/** Tables of whole numbers, one after another in the heap. */
class Tables {
  private readonly words: number[] = [];

  /** Where the table will lie, in bytes from the first. */
  add(table: readonly number[]): number {
    const at = this.words.length * 4;
    append(this.words, table);
    return at;
  }

  get bytes(): number {
    return this.words.length * 4;
  }

  write(kernels: KernelModule, at: number): void {
    kernels.write(at, Int32Array.from(this.words));
  }
}

type Layer = Fields<'SweepLayer'>;

/** How a sweep lies in the heap, addresses counting from the start of tables and panels. */
function planOf(tensors: readonly TensorInfo[], attrs: SweepAttributes) {
  const { levels, layers } = attrs;
  const count = largest(levels) + 1;
  const tables = new Tables();
  let roomBytes = 0;
  const lines = (number: number) => {
    const at = roomBytes;
    roomBytes += number * LINE;
    return at;
  };
  const values = sortByLevel(levels, count);
  // Rows are written from blocks of four lines.
  const [givenAt, foundAt, knownAt] = [lines(levels.length), lines(levels.length + 3), lines(levels.length)];
  let panelBytes = 0;
  let before = { resultsAt: knownAt, known: values.begins.slice(0, count), units: levels.length };
  let next = 0;
  const planned = layers.map((form) => {
    const kernel = tensors[next++];
    const offset = tensors[next++];
    const gate = form.gated ? tensors[next++] : undefined;
    const units = form.levels.length;
    const sorted = sortByLevel(form.levels, count);
    const panels = panelBytes;
    const panelsAt = before.known.map((known, level) => {
      const at = panelBytes - panels;
      panelBytes += known * Math.ceil((sorted.begins[level + 1] - sorted.begins[level]) / 4) * 16;
      return at;
    });
    const offsetPerRow = offset.shape.length > 1;
    const fields = {
      units,
      offsetPerRow,
      activated: form.activated,
      skip: form.skip ?? -1,
      order: tables.add(sorted.order),
      begins: tables.add(sorted.begins),
      known: tables.add(before.known),
      panelsAt: tables.add(panelsAt),
      panels,
      readAt: form.activated ? lines(before.units) : before.resultsAt,
      resultsAt: lines(units),
      offsetsAt: offsetPerRow ? lines(units) : 0,
      gatesAt: form.gated ? lines(units) : 0,
    };
    before = { resultsAt: fields.resultsAt, known: sorted.begins.slice(1), units };
    return { kernel, offset, gate, fields };
  });
  return {
    layers: planned,
    tables,
    panelBytes,
    fields: {
      values: levels.length,
      levels: count,
      layers: layers.length,
      order: tables.add(values.order),
      begins: tables.add(values.begins),
      givenAt,
      foundAt,
      knownAt,
      splineAt: roomBytes,
    },
    roomBytes,
  };
}

/** [y, ...kernel, offset and gate of each layer] -> value, logDet. */
export function sweep({
  inputs,
  attrs,
  backend,
  kernels,
}: KernelCall<string, SweepAttributes>): TensorInfo[] {
  const [y, ...tensors] = Object.values(inputs);
  const { transformer, activation, outputsPerValue } = attrs;
  const value = backend.makeOutput(y.shape, 'float32');
  const logDet = backend.makeOutput([y.shape[0]], 'float32');
  const plan = planOf(tensors, attrs);
  const splineBytes = kernels.exports.splineRoomBytes(transformer.kind === 'spline' ? transformer.bins : 0);
  const roomBytes = plan.roomBytes + splineBytes;
  const ofForm =
    transformer.kind === 'spline'
      ? wordsOf('SplineForm', [splineForm(transformer)])
      : wordsOf('AffineForm', [affineForm(transformer)]);
  const [records, form, tables, panels, rooms] = kernels.scratch(
    bytesOf('SweepLayer', plan.layers.length),
    ofForm.byteLength,
    plan.tables.bytes,
    plan.panelBytes,
    roomBytes * kernels.threads,
  );
  const placed = plan.layers.map(({ kernel, offset, gate, fields }): Layer => {
    return {
      ...fields,
      kernel: kernels.pointer(kernel),
      offset: kernels.pointer(offset),
      gate: gate === undefined ? 0 : kernels.pointer(gate),
      order: tables + fields.order,
      begins: tables + fields.begins,
      known: tables + fields.known,
      panelsAt: tables + fields.panelsAt,
      panels: panels + fields.panels,
    };
  });
  kernels.write(records, wordsOf('SweepLayer', placed));
  kernels.write(form, ofForm);
  plan.tables.write(kernels, tables);
  kernels.run('sweep', {
    ...plan.fields,
    affine: transformer.kind === 'affine',
    form,
    rows: y.shape[0],
    parameters: outputsPerValue,
    activation: activationNumbers[activation],
    records,
    order: tables + plan.fields.order,
    begins: tables + plan.fields.begins,
    chunkRows: CHUNK_ROWS,
    rooms,
    roomBytes,
    input: kernels.pointer(y),
    output: kernels.pointer(value),
    logDet: kernels.pointer(logDet),
  });
  return [value, logDet];
}
