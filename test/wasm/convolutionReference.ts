import * as tf from '@tensorflow/tfjs-core';
import type { HostTensor } from './helpers';

/** A convolution by its sizes. */
export interface Geometry {
  batch: number;
  size: [number, number];
  channels: [number, number];
  filter: [number, number];
  strides: [number, number];
  pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
  dilations: [number, number];
}

/** Convolution with both its gradients for an output gradient, in float64, straight from the definition. */
export function convolution(g: Geometry, x: HostTensor, filter: HostTensor, dy: HostTensor): Float64Array[] {
  const info = tf.backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number, number],
    g.strides,
    g.dilations,
    g.pad,
  );
  const [inputs, outputs] = g.channels;
  const y = new Float64Array(tf.util.sizeFromShape(info.outShape));
  const dx = new Float64Array(x.values.length);
  const dFilter = new Float64Array(filter.values.length);
  for (let n = 0; n < g.batch; n++) {
    for (let oy = 0; oy < info.outHeight; oy++) {
      for (let ox = 0; ox < info.outWidth; ox++) {
        for (let fy = 0; fy < g.filter[0]; fy++) {
          for (let fx = 0; fx < g.filter[1]; fx++) {
            const iy = oy * g.strides[0] - info.padInfo.top + fy * g.dilations[0];
            const ix = ox * g.strides[1] - info.padInfo.left + fx * g.dilations[1];
            if (iy < 0 || iy >= g.size[0] || ix < 0 || ix >= g.size[1]) continue;
            for (let c = 0; c < inputs; c++) {
              const at = ((n * g.size[0] + iy) * g.size[1] + ix) * inputs + c;
              for (let o = 0; o < outputs; o++) {
                const w = ((fy * g.filter[1] + fx) * inputs + c) * outputs + o;
                const to = ((n * info.outHeight + oy) * info.outWidth + ox) * outputs + o;
                y[to] += x.values[at] * filter.values[w];
                dx[at] += dy.values[to] * filter.values[w];
                dFilter[w] += dy.values[to] * x.values[at];
              }
            }
          }
        }
      }
    }
  }
  return [y, dx, dFilter];
}

/** Shape of what the convolution gives. */
export function outputShape(g: Geometry): number[] {
  return tf.backend_util.computeConv2DInfo(
    [g.batch, ...g.size, g.channels[0]],
    [...g.filter, ...g.channels],
    g.strides,
    g.dilations,
    g.pad,
  ).outShape;
}
