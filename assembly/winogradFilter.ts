import { POINTS, SIDE } from '../src/core/kernelConstants';
import { parallel, taskArguments, thread } from './parallel';
import { panelColumns, tileOfPanels } from './tiles';
import { ceilDivide, copyExactly, least } from './vector';
import {
  locateTile, pointBytesOf, REACH, ROOM, tileBytesOf, transformGradient, transformInput, transformTaps,
} from './winogradTransforms';

/*
 * The filter gradient of a 3x3 convolution with fewer multiplications: per point one product [channels, tiles]
 * [tiles, columns] of transformed inputs and transformed output gradients. The side with fewer channels is transformed
 * once; each chunk then takes some channels of the other side through all tiles, so that nothing is left to add up.
 */

/** Channels of the wide side per chunk. */
const WIDE: i32 = 16;
/** Tiles of one pass. */
const TILES: i32 = 32;
/** Channels of the narrow side that lie together. */
const NARROW: i32 = 32;

/** dFilter [3, 3, inputs, outputs] from images [batch, height, width, inputs] and gradients [..., outputs]. */
@unmanaged
class FilterGradient {
  batch: i32;
  height: i32;
  width: i32;
  input: usize;
  inputs: i32;
  gradient: usize;
  outputs: i32;
  output: usize;
  zeros: usize;
  /** Room for the narrow side: [channels / NARROW][tile][point][NARROW], or fewer channels at the last. */
  narrow: usize;
  /** Room per thread. */
  local: usize;
  localBytes: i32;
}

// @ts-ignore: decorator
@inline
function inputIsWide(f: FilterGradient): bool {
  return f.inputs > f.outputs;
}

// @ts-ignore: decorator
@inline
function wideChannels(f: FilterGradient): i32 {
  return inputIsWide(f) ? f.inputs : f.outputs;
}

/** Vectors of four channels of the narrow side. */
// @ts-ignore: decorator
@inline
function narrowVectors(f: FilterGradient): i32 {
  return ceilDivide(least(f.inputs, f.outputs), 4);
}

// @ts-ignore: decorator
@inline
function tileCount(f: FilterGradient): i32 {
  return f.batch * ceilDivide(f.height, SIDE) * ceilDivide(f.width, SIDE);
}

/** Bytes from point to point of the narrow side. */
// @ts-ignore: decorator
@inline
function narrowPoint(channels: i32): usize {
  return pointBytesOf(least(NARROW, channels));
}

/** Bytes that the transformed narrow side takes. */
export function narrowBytes(tiles: i32, channels: i32): i32 {
  return <i32>tileBytesOf(narrowPoint(channels)) * tiles * ceilDivide(channels, NARROW);
}

/** Bytes of scratch per thread: addresses, room, transformed wide side, sums. */
export function winogradFilterLocalBytes(narrowChannels: i32): i32 {
  const sums = POINTS * ceilDivide(narrowChannels, 4) * 4 * WIDE * 4;
  return POINTS * 4 + ROOM + TILES * <i32>tileBytesOf(pointBytesOf(WIDE)) + sums;
}

export function winogradFilter(): void {
  const f = taskArguments<FilterGradient>();
  parallel<TransformNarrow>(ceilDivide(tileCount(f), TILES));
  parallel<CorrelateTiles>(ceilDivide(wideChannels(f), WIDE));
}

/** Transforms channels of one side of a tile, as the input or as the output gradient. */
function transformSide(
  f: FilterGradient, ofInput: bool, tile: i32, channel: i32, channels: i32, table: usize, to: usize, pointBytes: usize,
): void {
  const across = ceilDivide(f.width, SIDE);
  const down = ceilDivide(f.height, SIDE);
  const line = tile / across;
  const x = tile % across * SIDE;
  const y = line % down * SIDE;
  const bytes = <usize>(ofInput ? f.inputs : f.outputs) << 2;
  const image = (ofInput ? f.input : f.gradient) + <usize>(line / down * f.height * f.width) * bytes;
  const room = table + POINTS * 4;
  if (ofInput) {
    locateTile(image, bytes, f.height, f.width, y - 1, x - 1, REACH, f.zeros, table);
    transformInput(table, channel << 2, channels, room, to, pointBytes);
  } else {
    locateTile(image, bytes, f.height, f.width, y, x, SIDE, f.zeros, table);
    transformGradient(table, channel << 2, channels, room, to, pointBytes);
  }
}

/** Transforms all channels of the narrow side of some tiles. */
export class TransformNarrow {
  run(chunk: i32): void {
    const f = taskArguments<FilterGradient>();
    const tiles = tileCount(f);
    const channels = least(f.inputs, f.outputs);
    const pointBytes = narrowPoint(channels);
    const tileBytes = tileBytesOf(pointBytes);
    const table = f.local + <usize>thread() * f.localBytes;
    const end = least(tiles, (chunk + 1) * TILES);
    for (let tile = chunk * TILES; tile < end; tile++) {
      let to = f.narrow + tileBytes * tile;
      for (let channel = 0; channel < channels; channel += NARROW) {
        transformSide(f, !inputIsWide(f), tile, channel, least(NARROW, channels - channel), table, to, pointBytes);
        to += tileBytes * tiles;
      }
    }
  }
}

/** Computes the filter's gradient for some channels of the wide side. */
export class CorrelateTiles {
  run(chunk: i32): void {
    const f = taskArguments<FilterGradient>();
    const tiles = tileCount(f);
    const channel = chunk * WIDE;
    const valid = least(WIDE, wideChannels(f) - channel);
    const narrow = least(f.inputs, f.outputs);
    const leftPoint = narrowPoint(narrow);
    const leftTile = tileBytesOf(leftPoint);
    const rightPoint = pointBytesOf(WIDE);
    const rightTile = tileBytesOf(rightPoint);
    const table = f.local + <usize>thread() * f.localBytes;
    const wide = table + POINTS * 4 + ROOM;
    const sums = wide + rightTile * TILES;
    const sumBytes = <usize>(narrowVectors(f) * 4 * WIDE * 4);
    const panel = panelColumns();
    for (let first = 0; first < tiles; first += TILES) {
      const depth = least(TILES, tiles - first);
      for (let tile = 0; tile < depth; tile++) {
        transformSide(f, inputIsWide(f), first + tile, channel, valid, table, wide + rightTile * tile, rightPoint);
      }
      for (let point = 0; point < POINTS; point++) {
        for (let part = 0; part < valid; part += panel) {
          const right = wide + rightPoint * point + <usize>(part << 2);
          let left = f.narrow + leftTile * first + leftPoint * point;
          let to = sums + sumBytes * point + <usize>(part << 2);
          for (let other = 0; other < narrow; other += NARROW) {
            const end = least(NARROW, narrow - other);
            for (let i = 0; i < end; i += 4) {
              tileOfPanels(left + (i << 2), leftTile, right, rightTile, depth, to, WIDE * 4, first > 0);
              to += WIDE * 16;
            }
            left += leftTile * tiles;
          }
        }
      }
    }
    writeTaps(f, channel, valid, sums, sumBytes, table + POINTS * 4);
  }
}

/** Takes the sums of a chunk back to taps, and to their places. */
function writeTaps(f: FilterGradient, channel: i32, valid: i32, sums: usize, sumBytes: usize, room: usize): void {
  const narrow = least(f.inputs, f.outputs);
  const tapBytes = <usize>(f.inputs * f.outputs) << 2;
  const outputs = f.outputs;
  for (let other = 0; other < narrow; other++) {
    for (let part = 0; part < valid; part += 8) {
      const count = least(8, valid - part);
      transformTaps(sums + <usize>((other * WIDE + part) << 2), sumBytes, room);
      for (let tap: usize = 0; tap < 9; tap++) {
        const taps = room + (tap << 5);
        const place = f.output + tap * tapBytes;
        if (inputIsWide(f)) {
          let to = place + (<usize>((channel + part) * outputs + other) << 2);
          for (let i = 0; i < count; i++) {
            store<f32>(to, load<f32>(taps + (i << 2)));
            to += outputs << 2;
          }
        } else {
          copyExactly(place + (<usize>(other * outputs + channel + part) << 2), taps, count);
        }
      }
    }
  }
}
