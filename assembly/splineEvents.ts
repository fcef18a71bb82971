import { AT_DLOG, AT_DY, AT_GIVEN, AT_LOG, AT_PLACE, AT_VALUE, SplineForm } from './splinePiece';
import { copyExactly } from './vector';

/** Events whose last channels go through splines; the first pass. */
@unmanaged
export class SplineEvents extends SplineForm {
  inverse: i32;
  examples: i32;
  /** Rows of an example, and their channels: those that pass, then those that go through splines. */
  positions: i32;
  kept: i32;
  changed: i32;
  chunkExamples: i32;
  /** Room per thread. */
  rooms: usize;
  /** [examples, positions, kept + changed]: x, or y for the inverse; for gradients always x. */
  input: usize;
  /** [examples, positions, changed, parameters] */
  parameters: usize;
  /** Like the input: the value, or the gradient in what was given. */
  output: usize;
  /** [examples] */
  logDet: usize;
  /** Gradients in value and logDet; that in the parameters is written to. */
  outputGradient: usize;
  logDetGradient: usize;
  parametersGradient: usize;
}

/** A walk over the values of some examples, eight at a time; it lies in the room of a thread. */
@unmanaged
export class Walk {
  /** Where the next value lies in the tensors, bytes, and how many follow it in its row. */
  place: usize;
  following: i32;
  /** The example of the next value that is summed, how many it has left, and their sum so far. */
  example: i32;
  left: i32;
  sum: f32;

  start(s: SplineEvents, example: i32): void {
    this.place = <usize>(example * s.positions * (s.kept + s.changed) + s.kept) << 2;
    this.following = s.changed - 1;
    this.example = example;
    this.left = s.positions * s.changed;
    this.sum = 0;
  }

  /** Reads the next values, 1 to 8, and keeps their places; zeros fill up. */
  gather(s: SplineEvents, room: usize, count: i32): void {
    for (let i = 0; i < 8; i++) {
      const to = room + (<usize>i << 2);
      if (i >= count) {
        store<f32>(to, 0, AT_GIVEN);
        continue;
      }
      store<u32>(to, <u32>this.place, AT_PLACE);
      store<f32>(to, load<f32>(s.input + this.place), AT_GIVEN);
      this.place += 4;
      if (--this.following >= 0) continue;
      this.following = s.changed - 1;
      this.place += <usize>s.kept << 2;
    }
  }

  /** Reads the gradients in their results; zeros fill up. */
  gatherGradients(s: SplineEvents, room: usize, count: i32): void {
    for (let i = 0; i < 8; i++) {
      const to = room + (<usize>i << 2);
      const there = i < count;
      store<f32>(to, there ? load<f32>(s.outputGradient + load<u32>(to, AT_PLACE)) : 0, AT_DY);
      store<f32>(to, there ? load<f32>(s.logDetGradient + (<usize>this.example << 2)) : 0, AT_DLOG);
      if (there) this.step(s);
    }
  }

  /** Writes the results to their places. */
  scatter(s: SplineEvents, room: usize, count: i32): void {
    for (let i = 0; i < count; i++) {
      const from = room + (<usize>i << 2);
      store<f32>(s.output + load<u32>(from, AT_PLACE), load<f32>(from, AT_VALUE));
    }
  }

  /** Adds their log-derivatives; the sum of an example that is complete is written. */
  addLogs(s: SplineEvents, room: usize, count: i32): void {
    for (let i = 0; i < count; i++) {
      const example = this.example;
      this.sum += load<f32>(room + (<usize>i << 2), AT_LOG);
      this.step(s);
      if (this.example === example) continue;
      store<f32>(s.logDet + (<usize>example << 2), this.sum);
      this.sum = 0;
    }
  }

  /** Goes on to the example of the next value. */
  private step(s: SplineEvents): void {
    if (--this.left > 0) return;
    this.left = s.positions * s.changed;
    this.example++;
  }
}

/** Copies the events of some examples whole, where not every channel is written anyway. */
export function copyPassing(s: SplineEvents, from: usize, first: i32, examples: i32): void {
  if (s.kept === 0) return;
  const floats = s.positions * (s.kept + s.changed);
  const at = <usize>(first * floats) << 2;
  copyExactly(s.output + at, from + at, examples * floats);
}
