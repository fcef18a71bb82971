import { activate } from './activations';
import { AffineForm, logScaleOf } from './affine';
import { exp } from './exponential';
import { parallel, taskArguments, thread } from './parallel';
import { invertHalf } from './spline';
import { AT_GIVEN, AT_LOG, AT_VALUE, copySplines, SplineForm } from './splinePiece';
import { LINE_BYTES, linesOf, linesToRows, rowsToLines } from './transpose';
import { ceilDivide, least, multiplyAdd, storePair, storePart, zero } from './vector';

/**
 * One layer of a masked network, its units sorted by the level at which they become known. Numbers of one unit of eight rows lie in
 * a line, whose places are told in bytes of a thread's room.
 */
@unmanaged
class SweepLayer {
  /** [units before, units], 0 where masked; [units] or [rows, units]; [rows, units] or 0. */
  kernel: usize;
  offset: usize;
  gate: usize;
  units: i32;
  /** Whether rows have offsets of their own. */
  offsetPerRow: i32;
  /** Whether it reads through the activation. */
  activated: i32;
  /** The layer whose results are added, or -1. */
  skip: i32;
  /** The units in the order of their levels; where each level begins among them, the end at last. */
  order: usize;
  begins: usize;
  /** How many inputs are known at each level. */
  known: usize;
  /** Room for the kernel as it is read: for each level and four of its units a panel [known inputs, 4]; and where levels begin, bytes. */
  panels: usize;
  panelsAt: usize;
  /** What it reads, its results, its offsets and gates by number of unit. */
  readAt: i32;
  resultsAt: i32;
  offsetsAt: i32;
  gatesAt: i32;
}

/**
 * Values found one after another, each by what a masked network says of those before it: the inverse of an autoregressive layer.
 * A chunk is some rows, of which eight go through all levels together.
 */
@unmanaged
class Sweep {
  /** Whether the values go through affine maps, an AffineForm, or through splines, a SplineForm. */
  affine: i32;
  form: usize;
  rows: i32;
  /** Values of a row, and their parameters. */
  values: i32;
  parameters: i32;
  activation: i32;
  levels: i32;
  layers: i32;
  /** SweepLayer, one after another. */
  records: usize;
  /** The values in the order of their levels, and where each level begins. */
  order: usize;
  begins: usize;
  chunkRows: i32;
  rooms: usize;
  roomBytes: i32;
  /** Lines of the given values and of the found ones by number, and of the found ones in order; a room for splines. */
  givenAt: i32;
  foundAt: i32;
  knownAt: i32;
  splineAt: i32;
  /** [rows, values]; [rows] */
  input: usize;
  output: usize;
  logDet: usize;
}

export function sweep(): void {
  const s = taskArguments<Sweep>();
  let before = s.order;
  for (let i = 0; i < s.layers; i++) {
    const layer = layerOf(s, i);
    packLayer(s, layer, before);
    before = layer.order;
  }
  parallel<SweepRows>(ceilDivide(s.rows, s.chunkRows));
}

// @ts-ignore: decorator
@inline
function layerOf(s: Sweep, i: i32): SweepLayer {
  return changetype<SweepLayer>(s.records + <usize>i * offsetof<SweepLayer>());
}

/** An entry of a table. */
// @ts-ignore: decorator
@inline
function entry(table: usize, i: i32): i32 {
  return load<i32>(table + (<usize>i << 2));
}

/** The panels of a layer, zeros where there are fewer than four units. */
function packLayer(s: Sweep, layer: SweepLayer, orderBefore: usize): void {
  for (let level = 0; level < s.levels; level++) {
    const end = entry(layer.begins, level + 1);
    const known = entry(layer.known, level);
    let to = layer.panels + entry(layer.panelsAt, level);
    for (let first = entry(layer.begins, level); first < end; first += 4) {
      for (let k = 0; k < known; k++) {
        const row = layer.kernel + (<usize>(entry(orderBefore, k) * layer.units) << 2);
        for (let j = first; j < first + 4; j++) {
          store<f32>(to, j < end ? load<f32>(row + (<usize>entry(layer.order, j) << 2)) : 0);
          to += 4;
        }
      }
    }
  }
}

export class SweepRows {
  run(chunk: i32): void {
    const s = taskArguments<Sweep>();
    const end = least((chunk + 1) * s.chunkRows, s.rows);
    for (let row = chunk * s.chunkRows; row < end; row += 8) sweepRows(s, row, least(end - row, 8));
  }
}

/** Up to eight rows. */
function sweepRows(s: Sweep, row: i32, rows: i32): void {
  const room = s.rooms + thread() * s.roomBytes;
  const rowBytes = <usize>s.values << 2;
  const at = <usize>row * rowBytes;
  rowsToLines(s.input + at, rowBytes, rows, s.values, room + s.givenAt);
  for (let i = 0; i < s.layers; i++) loadContext(layerOf(s, i), room, row, rows);
  const outputs = room + layerOf(s, s.layers - 1).resultsAt;
  let low = zero();
  let high = zero();
  for (let level = 0; level < s.levels; level++) {
    for (let i = 0; i < s.layers; i++) computeUnits(s, room, i, level);
    const end = entry(s.begins, level + 1);
    for (let place = entry(s.begins, level); place < end; place++) {
      const steering = outputs + linesOf(place * s.parameters);
      const value = linesOf(entry(s.order, place));
      const given = room + s.givenAt + value;
      const result = invert(s, room + s.splineAt, steering, given);
      low = f32x4.add(low, v128.load(result, LINE_BYTES));
      high = f32x4.add(high, v128.load(result, LINE_BYTES + 16));
      memory.copy(room + s.foundAt + value, result, LINE_BYTES);
      memory.copy(room + s.knownAt + linesOf(place), result, LINE_BYTES);
    }
  }
  linesToRows(room + s.foundAt, rows, s.values, s.output + at, rowBytes);
  storePart(s.logDet + (<usize>row << 2), low, rows);
  if (rows > 4) storePart(s.logDet + (<usize>row << 2) + 16, high, rows - 4);
}

/** Offsets and gates that rows have of their own. */
function loadContext(layer: SweepLayer, room: usize, row: i32, rows: i32): void {
  const rowBytes = <usize>layer.units << 2;
  const at = <usize>row * rowBytes;
  if (layer.offsetPerRow) {
    rowsToLines(layer.offset + at, rowBytes, rows, layer.units, room + layer.offsetsAt);
  }
  if (layer.gate) rowsToLines(layer.gate + at, rowBytes, rows, layer.units, room + layer.gatesAt);
}

/** The units of a layer that become known at a level. */
function computeUnits(s: Sweep, room: usize, i: i32, level: i32): void {
  const layer = layerOf(s, i);
  const end = entry(layer.begins, level + 1);
  const lines = linesOf(entry(layer.known, level));
  const read = room + layer.readAt;
  let panel = layer.panels + entry(layer.panelsAt, level);
  for (let first = entry(layer.begins, level); first < end; first += 4) {
    let low0 = zero();
    let high0 = zero();
    let low1 = zero();
    let high1 = zero();
    let low2 = zero();
    let high2 = zero();
    let low3 = zero();
    let high3 = zero();
    for (let line: usize = 0; line < lines; line += LINE_BYTES) {
      const low = v128.load(read + line);
      const high = v128.load(read + line, 16);
      const weight0 = v128.load32_splat(panel);
      const weight1 = v128.load32_splat(panel, 4);
      const weight2 = v128.load32_splat(panel, 8);
      const weight3 = v128.load32_splat(panel, 12);
      low0 = multiplyAdd(low, weight0, low0);
      high0 = multiplyAdd(high, weight0, high0);
      low1 = multiplyAdd(low, weight1, low1);
      high1 = multiplyAdd(high, weight1, high1);
      low2 = multiplyAdd(low, weight2, low2);
      high2 = multiplyAdd(high, weight2, high2);
      low3 = multiplyAdd(low, weight3, low3);
      high3 = multiplyAdd(high, weight3, high3);
      panel += 16;
    }
    placeUnit(s, room, i, first, low0, high0);
    if (first + 1 < end) placeUnit(s, room, i, first + 1, low1, high1);
    if (first + 2 < end) placeUnit(s, room, i, first + 2, low2, high2);
    if (first + 3 < end) placeUnit(s, room, i, first + 3, low3, high3);
  }
}

/** What a unit makes of its product, and what the next layer reads of that. */
function placeUnit(s: Sweep, room: usize, i: i32, place: i32, low: v128, high: v128): void {
  const layer = layerOf(s, i);
  const unit = entry(layer.order, place);
  if (layer.gate) {
    const gate = room + layer.gatesAt + linesOf(unit);
    low = f32x4.mul(low, v128.load(gate));
    high = f32x4.mul(high, v128.load(gate, 16));
  }
  if (layer.offsetPerRow) {
    const offset = room + layer.offsetsAt + linesOf(unit);
    low = f32x4.add(low, v128.load(offset));
    high = f32x4.add(high, v128.load(offset, 16));
  } else {
    const offset = v128.load32_splat(layer.offset + (<usize>unit << 2));
    low = f32x4.add(low, offset);
    high = f32x4.add(high, offset);
  }
  if (layer.skip >= 0) {
    const skipped = room + layerOf(s, layer.skip).resultsAt + linesOf(place);
    low = f32x4.add(low, v128.load(skipped));
    high = f32x4.add(high, v128.load(skipped, 16));
  }
  storePair(room + layer.resultsAt + linesOf(place), low, high);
  if (i + 1 == s.layers) return;
  const next = layerOf(s, i + 1);
  if (!next.activated) return;
  storePair(room + next.readAt + linesOf(place), activate(low, s.activation), activate(high, s.activation));
}

/** Address of the values that eight latents come from, and in the next line their log-derivatives. */
function invert(s: Sweep, room: usize, steering: usize, given: usize): usize {
  memory.copy(room + AT_GIVEN, given, LINE_BYTES);
  if (s.affine) {
    invertAffine(changetype<AffineForm>(s.form), room, steering);
    invertAffine(changetype<AffineForm>(s.form), room + 16, steering + 16);
  } else {
    const form = changetype<SplineForm>(s.form);
    copySplines(form, room, steering);
    invertHalf(form, room);
    invertHalf(form, room + 16);
  }
  return room + AT_VALUE;
}

/** Four latents under shift and scale. */
function invertAffine(form: AffineForm, half: usize, steering: usize): void {
  const shrink = f32x4.neg(logScaleOf(form, v128.load(steering, LINE_BYTES)));
  const moved = f32x4.sub(v128.load(half, AT_GIVEN), v128.load(steering));
  v128.store(half, f32x4.mul(moved, exp(shrink)), AT_VALUE);
  v128.store(half, shrink, AT_LOG);
}
