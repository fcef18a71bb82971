import { clearLoosely, copyLoosely } from './vector';

/**
 * How rows of patches are read from a batch of images [n, sourceHeight, sourceWidth, channels].
 *
 * A row belongs to a position (image, y, x) of a grid [n, height, width]. Its taps look at the source row
 * (y * multiplyY + baseY + tap * stepY) / divideY, where that is a whole number inside the image, else at zeros;
 * columns alike. With multiply the stride this is a convolution, with divide the stride it is a transposed one.
 */
@unmanaged
export class Patches {
  source: usize;
  channels: i32;
  sourceHeight: i32;
  sourceWidth: i32;
  height: i32;
  width: i32;
  tapsHigh: i32;
  tapsWide: i32;
  multiplyY: i32;
  multiplyX: i32;
  baseY: i32;
  baseX: i32;
  stepY: i32;
  stepX: i32;
  divideY: i32;
  divideX: i32;
  /** One row of zeros, `channels` floats. */
  zeros: usize;
  /** Whether a row is copied together (few channels) or its taps are read where they lie. */
  unfolded: i32;
}

/** Source index of a tap, or -1 where it sees padding. */
// @ts-ignore: decorator
@inline
function sourceIndex(scaled: i32, divide: i32, length: i32): i32 {
  if (divide == 1) return <u32>scaled < <u32>length ? scaled : -1;
  if (scaled < 0) return -1;
  const index = scaled / divide;
  return index * divide == scaled && index < length ? index : -1;
}

/** Taps per row as the product sees them: 1 where rows are unfolded. */
export function tapCount(p: Patches): i32 {
  return p.unfolded ? 1 : p.tapsHigh * p.tapsWide;
}

/** Floats per tap as the product sees them. */
export function tapDepth(p: Patches): i32 {
  return p.unfolded ? p.tapsHigh * p.tapsWide * p.channels : p.channels;
}

/**
 * Writes the addresses of the taps of `rows` rows from row `first` on: table[tap][row], taps `stride` bytes apart.
 * Unfolded rows are copied to `buffer` first, `tapDepth` floats each.
 */
export function locateRows(p: Patches, first: i32, rows: i32, table: usize, stride: usize, buffer: usize): void {
  if (p.unfolded) {
    const rowBytes = <usize>(tapDepth(p) << 2);
    unfoldRows(p, first, rows, buffer, rowBytes);
    for (let row = 0; row < rows; row++) {
      store<usize>(table, buffer);
      table += 4;
      buffer += rowBytes;
    }
    return;
  }
  const rowBytes = <usize>(p.channels << 2);
  if (p.height == p.sourceHeight && p.width == p.sourceWidth && isPointwise(p)) {
    let at = p.source + <usize>first * rowBytes;
    for (let row = 0; row < rows; row++) {
      store<usize>(table, at);
      table += 4;
      at += rowBytes;
    }
    return;
  }
  const imageBytes = <usize>(p.sourceHeight * p.sourceWidth) * rowBytes;
  let x = first % p.width;
  let y = first / p.width;
  let image = p.source + <usize>(y / p.height) * imageBytes;
  y %= p.height;
  for (let row = 0; row < rows; row++) {
    let to = table + (row << 2);
    for (let high = 0; high < p.tapsHigh; high++) {
      const sourceY = sourceIndex(y * p.multiplyY + p.baseY + high * p.stepY, p.divideY, p.sourceHeight);
      const line = image + <usize>(sourceY * p.sourceWidth) * rowBytes;
      let scaled = x * p.multiplyX + p.baseX;
      for (let wide = 0; wide < p.tapsWide; wide++) {
        const sourceX = sourceY < 0 ? -1 : sourceIndex(scaled, p.divideX, p.sourceWidth);
        store<usize>(to, sourceX < 0 ? p.zeros : line + <usize>sourceX * rowBytes);
        to += stride;
        scaled += p.stepX;
      }
    }
    if (++x == p.width) {
      x = 0;
      if (++y == p.height) {
        y = 0;
        image += imageBytes;
      }
    }
  }
}

function isPointwise(p: Patches): bool {
  return p.tapsHigh * p.tapsWide == 1 && p.multiplyY * p.multiplyX * p.divideY * p.divideX == 1 && (p.baseY | p.baseX) == 0;
}

/** Copies `rows` rows of patches together, `rowBytes` apart; may write up to three floats past the last. */
export function unfoldRows(p: Patches, first: i32, rows: i32, to: usize, rowBytes: usize): void {
  const channels = p.channels;
  const tapBytes = <usize>(channels << 2);
  const imageBytes = <usize>(p.sourceHeight * p.sourceWidth) * tapBytes;
  const contiguous = p.stepX == 1 && p.divideX == 1;
  let x = first % p.width;
  let y = first / p.width;
  let image = p.source + <usize>(y / p.height) * imageBytes;
  y %= p.height;
  for (let row = 0; row < rows; row++) {
    let at = to;
    const left = x * p.multiplyX + p.baseX;
    const inside = contiguous && left >= 0 && left + p.tapsWide <= p.sourceWidth;
    for (let high = 0; high < p.tapsHigh; high++) {
      const sourceY = sourceIndex(y * p.multiplyY + p.baseY + high * p.stepY, p.divideY, p.sourceHeight);
      const line = image + <usize>(sourceY * p.sourceWidth) * tapBytes;
      if (sourceY < 0) {
        clearLoosely(at, p.tapsWide * channels);
      } else if (inside) {
        copyLoosely(at, line + <usize>left * tapBytes, p.tapsWide * channels);
      } else {
        let tap = at;
        for (let wide = 0; wide < p.tapsWide; wide++) {
          const sourceX = sourceIndex(left + wide * p.stepX, p.divideX, p.sourceWidth);
          if (sourceX < 0) clearLoosely(tap, channels);
          else copyLoosely(tap, line + <usize>sourceX * tapBytes, channels);
          tap += tapBytes;
        }
      }
      at += <usize>p.tapsWide * tapBytes;
    }
    to += rowBytes;
    if (++x == p.width) {
      x = 0;
      if (++y == p.height) {
        y = 0;
        image += imageBytes;
      }
    }
  }
}
