import { convolution } from './convolutionReference';
import type { HostTensor } from './helpers';

/*
 * The fused flow kernels in float64, as plain loops over the definition, with their gradients.
 */

/** Weights of one layer: (conv(x, filter) + offset) * exp(logScale), relu except in the last. */
export interface ChainLayer {
  filter: HostTensor;
  offset: HostTensor;
  logScale?: HostTensor;
}

/** A stack of 'same' convolutions: its output, then the gradients in the input and in each layer's weights. */
export function convolutionChain(
  x: HostTensor,
  layers: readonly ChainLayer[],
  dy: ArrayLike<number>,
): Float64Array[] {
  const [batch, height, width] = x.shape;
  const as64 = (shape: number[], values: ArrayLike<number>) => ({ shape, values }) as HostTensor;
  const geometry = ({ filter: { shape } }: ChainLayer) => ({
    batch,
    size: [height, width] as [number, number],
    channels: shape.slice(2) as [number, number],
    filter: shape.slice(0, 2) as [number, number],
    strides: [1, 1] as [number, number],
    pad: 'same' as const,
    dilations: [1, 1] as [number, number],
  });
  const inputs = [x];
  layers.forEach((layer, i) => {
    const { offset, logScale, filter } = layer;
    const outputs = filter.shape[3];
    const shape = [batch, height, width, outputs];
    const none = as64(shape, new Float64Array(batch * height * width * outputs));
    const [result] = convolution(geometry(layer), inputs[i], filter, none);
    const y = result.map((value, at) => {
      const scale = Math.exp(logScale?.values[at % outputs] ?? 0);
      const moved = (value + offset.values[at % offset.values.length]) * scale;
      return i < layers.length - 1 ? Math.max(moved, 0) : moved;
    });
    inputs.push(as64(shape, y));
  });
  const gradients: Float64Array[] = [];
  let gradient: Float64Array = Float64Array.from(dy);
  for (let i = layers.length - 1; i >= 0; i--) {
    const { filter, offset, logScale } = layers[i];
    const output = inputs[i + 1];
    const outputs = filter.shape[3];
    const dOffset = new Float64Array(offset.values.length);
    const dLogScale = new Float64Array(outputs);
    gradient = gradient.map((value, at) => {
      const passed = i === layers.length - 1 || output.values[at] > 0 ? value : 0;
      const scaled = passed * Math.exp(logScale?.values[at % outputs] ?? 0);
      dOffset[at % dOffset.length] += scaled;
      dLogScale[at % outputs] += passed * output.values[at];
      return scaled;
    });
    const [, dx, dFilter] = convolution(geometry(layers[i]), inputs[i], filter, as64(output.shape, gradient));
    gradients.unshift(dFilter, dOffset, ...(logScale === undefined ? [] : [dLogScale]));
    gradient = dx;
  }
  return [inputs[layers.length].values as unknown as Float64Array, gradient, ...gradients];
}

/** Affine coupling: value, logDet, and the gradients in x and parameters. */
export function affineCoupling(
  x: HostTensor,
  parameters: HostTensor,
  { kept, scale, inverse }: { kept: number; scale: 'sigmoid' | 'exp'; inverse: boolean },
  dy: ArrayLike<number>,
  dLogDet: ArrayLike<number>,
): Float64Array[] {
  const channels = x.shape[x.shape.length - 1];
  const changed = channels - kept;
  const perExample = x.values.length / x.shape[0];
  const value = Float64Array.from(x.values);
  const logDet = new Float64Array(x.shape[0]);
  const dx = Float64Array.from(dy);
  const dParameters = new Float64Array(parameters.values.length);
  for (let at = 0; at < x.values.length; at++) {
    const j = (at % channels) - kept;
    if (j < 0) continue;
    const example = Math.floor(at / perExample);
    const shiftAt = Math.floor(at / channels) * 2 * changed + j;
    const raw = parameters.values[shiftAt + changed];
    const shift = parameters.values[shiftAt];
    const logScale = scale === 'sigmoid' ? -Math.log1p(Math.exp(-(raw + 2))) : 2 * Math.tanh(raw / 2);
    const slope = scale === 'sigmoid' ? 1 / (1 + Math.exp(raw + 2)) : 1 - Math.tanh(raw / 2) ** 2;
    const sign = inverse ? -1 : 1;
    const factor = Math.exp(sign * logScale);
    logDet[example] += sign * logScale;
    value[at] = inverse ? x.values[at] * factor - shift : (x.values[at] + shift) * factor;
    dx[at] = dy[at] * factor;
    dParameters[shiftAt] = inverse ? -dy[at] : dx[at];
    const byLogScale = inverse ? -dx[at] * x.values[at] : dx[at] * (x.values[at] + shift);
    dParameters[shiftAt + changed] = (byLogScale + sign * dLogDet[example]) * slope;
  }
  return [value, logDet, dx, dParameters];
}

/** (x + offset) exp(logScale) per channel, and the gradients in x, offset and logScale. */
export function scaleChannels(
  x: HostTensor,
  offset: HostTensor,
  logScale: HostTensor,
  dy: ArrayLike<number>,
): Float64Array[] {
  const columns = offset.values.length;
  const dOffset = new Float64Array(columns);
  const dLogScale = new Float64Array(columns);
  const y = Float64Array.from(x.values, (value, at) => {
    const j = at % columns;
    return (value + offset.values[j]) * Math.exp(logScale.values[j]);
  });
  const dx = Float64Array.from(dy, (value, at) => {
    const j = at % columns;
    const scaled = value * Math.exp(logScale.values[j]);
    dOffset[j] += scaled;
    dLogScale[j] += value * y[at];
    return scaled;
  });
  return [y, dx, dOffset, dLogScale];
}

/** Actnorm's scale and a matrix, or back: y, then the gradients in x, offset, logScale and matrix. */
export function scaledLinear(
  [x, offset, logScale, matrix]: readonly HostTensor[],
  inverse: boolean,
  dy: ArrayLike<number>,
): Float64Array[] {
  const n = offset.values.length;
  const rows = x.values.length / n;
  const factor = Float64Array.from(logScale.values, (value) => Math.exp(inverse ? -value : value));
  const [y, dx] = [new Float64Array(rows * n), new Float64Array(rows * n)];
  const [dOffset, dLogScale, dMatrix] = [n, n, n * n].map((size) => new Float64Array(size));
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < n; i++) {
      const at = row * n + i;
      const value = inverse ? x.values[at] : (x.values[at] + offset.values[i]) * factor[i];
      let gradient = 0;
      for (let j = 0; j < n; j++) {
        const given = dy[row * n + j] * (inverse ? factor[j] : 1);
        const product = value * matrix.values[i * n + j];
        y[row * n + j] += inverse ? product * factor[j] : product;
        gradient += given * matrix.values[i * n + j];
        dMatrix[i * n + j] += value * given;
        if (inverse) dLogScale[j] -= product * given;
      }
      dx[at] = inverse ? gradient : gradient * factor[i];
      if (!inverse) dOffset[i] += dx[at];
      if (!inverse) dLogScale[i] += value * gradient;
    }
    if (inverse) {
      for (let j = 0; j < n; j++) {
        y[row * n + j] -= offset.values[j];
        dOffset[j] -= dy[row * n + j];
      }
    }
  }
  return [y, dx, dOffset, dLogScale, dMatrix];
}

/** Constants of a step of Adam or Adamax, as `fusedAdaptiveStep` takes them. */
export interface StepConstants {
  kind: 'adam' | 'adamax';
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  bias1: number;
  bias2: number;
  gradientScale: number;
}

/** One step: new weight, first and second moment. */
export function adaptiveStep(
  [weight, gradient, first, second]: readonly ArrayLike<number>[],
  { kind, learningRate, beta1, beta2, epsilon, bias1, bias2, gradientScale }: StepConstants,
): Float64Array[] {
  const adam = kind === 'adam';
  const g = Float64Array.from(gradient, (value) => gradientScale * value);
  const m = Float64Array.from(first, (value, i) => beta1 * value + (1 - beta1) * g[i]);
  const v = Float64Array.from(second, (value, i) =>
    adam ? beta2 * value + (1 - beta2) * g[i] ** 2 : Math.max(beta2 * value, Math.abs(g[i])),
  );
  const moved = Float64Array.from(weight, (value, i) => {
    const size = adam ? Math.sqrt(v[i] / bias2) : v[i];
    return value - (learningRate * m[i]) / bias1 / (size + epsilon);
  });
  return [moved, m, v];
}
