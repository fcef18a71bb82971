import { parallel, taskArguments } from './parallel';
import { loadPart, multiplyAdd, storePart } from './vector';

/** A depthwise convolution: every channel has filters [fh, fw] of its own, `multiplier` of them. */
@unmanaged
class DepthwiseShape {
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  outHeight: i32;
  outWidth: i32;
  multiplier: i32;
  tapsHigh: i32;
  tapsWide: i32;
  strideY: i32;
  strideX: i32;
  top: i32;
  left: i32;
  dilationY: i32;
  dilationX: i32;
}

/** Its gradients. */
@unmanaged
class Depthwise extends DepthwiseShape {
  /** [batch, outHeight, outWidth, channels * multiplier] */
  dy: usize;
  /** The input for the filter's gradient, the filter for the input's. */
  other: usize;
  /** Zero at the start. */
  output: usize;
}

/** d input: a chunk is one image. */
export function depthwiseInput(): void {
  parallel<DepthwiseInputImage>(taskArguments<Depthwise>().batch);
}

/** d filter: a chunk is one tap. */
export function depthwiseFilter(): void {
  const d = taskArguments<Depthwise>();
  parallel<DepthwiseFilterTap>(d.tapsHigh * d.tapsWide);
}

export class DepthwiseInputImage {
  run(image: i32): void {
    const d = taskArguments<Depthwise>();
    const taps = d.tapsHigh * d.tapsWide;
    for (let tap = 0; tap < taps; tap++) visit(d, image, tap, false);
  }
}

export class DepthwiseFilterTap {
  run(tap: i32): void {
    const d = taskArguments<Depthwise>();
    for (let image = 0; image < d.batch; image++) visit(d, image, tap, true);
  }
}

/** Adds what one tap contributes on one image, to the tap's filter or to the image. */
function visit(d: Depthwise, image: i32, tap: i32, toFilter: bool): void {
  const outputs = d.channels * d.multiplier;
  const filterAt = <usize>(tap * outputs) << 2;
  for (let oy = 0; oy < d.outHeight; oy++) {
    const y = oy * d.strideY - d.top + (tap / d.tapsWide) * d.dilationY;
    if (<u32>y >= <u32>d.height) continue;
    for (let ox = 0; ox < d.outWidth; ox++) {
      const x = ox * d.strideX - d.left + (tap % d.tapsWide) * d.dilationX;
      if (<u32>x >= <u32>d.width) continue;
      const dy = d.dy + (<usize>(((image * d.outHeight + oy) * d.outWidth + ox) * outputs) << 2);
      const imageAt = <usize>(((image * d.height + y) * d.width + x) * d.channels) << 2;
      if (toFilter) addFilter(d, dy, d.other + imageAt, d.output + filterAt);
      else addInput(d, dy, d.other + filterAt, d.output + imageAt);
    }
  }
}

function addFilter(d: Depthwise, dy: usize, x: usize, output: usize): void {
  if (d.multiplier == 1) {
    addProducts(dy, x, output, d.channels);
    return;
  }
  for (let channel = 0; channel < d.channels; channel++) {
    const value = load<f32>(x + (channel << 2));
    for (let m = 0; m < d.multiplier; m++) {
      store<f32>(output, load<f32>(output) + value * load<f32>(dy));
      output += 4;
      dy += 4;
    }
  }
}

function addInput(d: Depthwise, dy: usize, filter: usize, output: usize): void {
  if (d.multiplier == 1) {
    addProducts(dy, filter, output, d.channels);
    return;
  }
  for (let channel = 0; channel < d.channels; channel++) {
    let sum = load<f32>(output);
    for (let m = 0; m < d.multiplier; m++) {
      sum += load<f32>(filter) * load<f32>(dy);
      filter += 4;
      dy += 4;
    }
    store<f32>(output, sum);
    output += 4;
  }
}

/** to += a * b */
// @ts-ignore: decorator
@inline
function addProducts(a: usize, b: usize, to: usize, count: i32): void {
  for (let j = 0; j < count; j += 4) {
    const at = <usize>(j << 2);
    const left = count - j;
    storePart(to + at, multiplyAdd(loadPart(a + at, left), loadPart(b + at, left), loadPart(to + at, left)), left);
  }
}
