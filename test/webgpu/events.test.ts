import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { AffineTransformer, RandomStream, RationalQuadraticSpline, type Transformer } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { hasKernels, runKernel } from '../../src/engine/kernels';
import type { FusedEvents } from '../../src/layers/transformers/fusedTransformer';
import { Gpu } from '../../src/webgpu/gpu';
import { distance } from '../wasm/helpers';
import { type SplineEvents, splineEvents } from '../wasm/splineReference';
import { hasAdapter } from './adapter';
import { activate, expectSameOnBoth, valuesOn } from './onBoth';

/** Value, log-determinant, and the gradients in what was given and in the parameters. */
function results(
  transformer: Transformer,
  [x, parameters, weights, ofLogDet]: tf.Tensor[],
  { kept, inverse }: FusedEvents,
): tf.Tensor[] {
  const map = (a: tf.Tensor, b: tf.Tensor) => transformer.mapEvents(a, b, kept, inverse);
  const loss = (a: tf.Tensor, b: tf.Tensor) => {
    const { value, logDet } = map(a, b);
    return tf.add(tf.sum(tf.mul(value, weights)), tf.sum(tf.mul(logDet, ofLogDet))) as tf.Scalar;
  };
  const { value, logDet } = map(x, parameters);
  return [value, logDet, ...tf.grads(loss)([x, parameters])];
}

/** x, parameters, and what weighs value and log-determinant. */
function inputsOf({ parameters }: Transformer, shape: number[], kept: number, spread = 0.5): tf.Tensor[] {
  const random = new RandomStream(3);
  const changed = shape[shape.length - 1] - kept;
  const ofParameters = [...shape.slice(0, -1), changed * parameters];
  return [
    random.normal(shape),
    random.normal(ofParameters, 0, spread),
    random.normal(shape),
    random.normal([shape[0]]),
  ];
}

// Vectors whose values are taken by one invocation each and by some; images.
const shapes: [shape: number[], kept: number][] = [
  [[70, 1], 0],
  [[11, 7], 3],
  [[2, 70], 1],
  [[2, 3, 2, 6], 2],
];
const ways = [false, true];

describe.skipIf(!hasAdapter)('affine maps on webgpu', () => {
  it.each(shapes)('as on cpu, %j with %d kept', async (shape, kept) => {
    for (const scale of ['softclip', 'exp', 'softplus', 'sigmoid'] as const) {
      const affine = new AffineTransformer({ scale });
      for (const inverse of ways) {
        const compute = () => results(affine, inputsOf(affine, shape, kept, 1), { kept, inverse });
        await expectSameOnBoth(compute, 2e-5);
      }
    }
  });

  it('as on cpu, of examples that are cut into shares', async () => {
    const affine = new AffineTransformer();
    const options = { kept: 1, inverse: false };
    await expectSameOnBoth(() => results(affine, inputsOf(affine, [2, 80, 60, 4], 1), options), 2e-5);
  });

  it('keep their digits far out', async () => {
    for (const scale of ['softclip', 'exp', 'softplus', 'sigmoid'] as const) {
      const affine = new AffineTransformer({ scale });
      const compute = () => results(affine, inputsOf(affine, [40, 5], 1, 20), { kept: 1, inverse: false });
      await expectSameOnBoth(compute, 2e-5);
    }
  });
});

describe.skipIf(!hasAdapter)('splines on webgpu', () => {
  const tails = ['linear', 'circular', 'none'] as const;
  const common = { bound: 3, minimum: 1e-3 };
  const withTails = { ...common, bins: 8, tails: 'linear' as const };
  const asCircle = { ...common, bins: 2, tails: 'circular' as const };
  const inBox = { ...common, bins: 11, tails: 'none' as const };

  it.each([
    { ...asCircle, shape: [70, 1], kept: 0 },
    { ...inBox, shape: [11, 7], kept: 3 },
    { ...withTails, shape: [2, 70], kept: 1 },
    { ...withTails, shape: [2, 3, 2, 6], kept: 2 },
  ])('as in float64, %j', async ({ shape, kept, ...settings }) => {
    const spline = new RationalQuadraticSpline(settings);
    await activate('cpu');
    const given = tf.tidy(() => {
      const inputs = inputsOf(spline, shape, kept);
      if (settings.tails === 'none') inputs[0] = tf.mul(tf.tanh(inputs[0]), settings.bound);
      return inputs.map((tensor) => ({ shape: tensor.shape, values: tensor.dataSync<'float32'>() }));
    });
    for (const inverse of ways) {
      const options: SplineEvents = { kind: 'spline', ...settings, kept, inverse };
      const expected = splineEvents(given[0], given[1], options, given[2].values, given[3].values);
      const received = await valuesOn('webgpu', () => {
        const inputs = given.map((tensor) => tf.tensor(tensor.values, tensor.shape));
        return results(spline, inputs, { kept, inverse });
      });
      // Of numbers about 1: what rounding makes of three divisions by sizes of pieces, and in gradients of an inverse of one by a slope of 1/20.
      received.forEach((values, i) => {
        expect(distance(expected[i], values), `${inverse} ${i}`).toBeLessThan(i < 2 ? 5e-5 : 5e-4);
      });
    }
  });

  it('of many pieces, of examples that are cut into shares', async () => {
    const spline = new RationalQuadraticSpline({ bins: 100 });
    await expectSameOnBoth(() => {
      const [x, parameters] = inputsOf(spline, [2, 30, 20, 2], 1);
      return Object.values(spline.mapEvents(x, parameters, 1, false));
    }, 5e-5);
  });

  // What softmax makes of 0 and -200 is exact, so that knots are those of float64.
  it.each([
    { where: 'at 0', piece: 2, widths: [-200, -200, 0, -200], heights: [0, -200, -200, 0] },
    { where: 'far from 0', piece: 1, widths: [-200, 0, -200, -200], heights: [-200, -200, 0, -200] },
  ])('inverses in a flat piece with a steep beginning, $where', async ({ piece, widths, heights }) => {
    const settings = { bins: 4, bound: 1, minimum: 2 ** -8, tails: 'none' as const };
    const count = 60;
    const slopes = Array.from({ length: 5 }, (_, knot) => (knot === piece ? 300 : -200));
    const rows = Array.from({ length: count }, () => [...widths, ...heights, ...slopes]).flat();
    const parameters = { shape: [count, rows.length / count], values: Float32Array.from(rows) };
    const mapped = (x: ArrayLike<number>, inverse: boolean) => {
      const given = { shape: [count, 1], values: Float32Array.from(x) };
      const options: SplineEvents = { kind: 'spline', ...settings, kept: 0, inverse };
      return splineEvents(given, parameters, options, new Float32Array(count), new Float32Array(count))[0];
    };
    const start = -1 + piece * 2 ** -7;
    const places = Array.from(
      { length: count },
      (_, i) => start + ((i + 1) / (count + 1)) * (2 - 6 * 2 ** -8),
    );
    const y = Float32Array.from(mapped(places, false));
    const expected = mapped(y, true);
    const spline = new RationalQuadraticSpline(settings);
    const [found] = await valuesOn('webgpu', () => {
      const steering = tf.tensor(parameters.values, parameters.shape);
      return [spline.mapEvents(tf.tensor2d(y, [count, 1]), steering, 0, true).value];
    });
    // The quadratic alone is off by 1e-2 on average, with a step of Newton's method 2e-3 is left: its slope, here 1e-6, is as rough.
    const off = found.reduce((sum, x, i) => sum + Math.abs(x - expected[i]), 0) / count;
    expect(off).toBeLessThan(4e-3);
  });

  it.each(ways)('the ends of the box stay where they are, inverse %s', async (inverse) => {
    for (const tail of ['linear', 'none'] as const) {
      const spline = new RationalQuadraticSpline({ bound: 3, tails: tail });
      const values = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 3 : -3));
      const [value, ...others] = await valuesOn('webgpu', () => {
        const [, ...steering] = inputsOf(spline, [2, 50], 0, 2);
        return results(spline, [tf.tensor2d(values, [2, 50]), ...steering], { kept: 0, inverse });
      });
      expect([...value]).toEqual(values);
      for (const tensor of others) expect(tensor.every(Number.isFinite)).toBe(true);
    }
  });

  it.each(ways)('a batch in the tails passes, inverse %s', async (inverse) => {
    const spline = new RationalQuadraticSpline({ bound: 3 });
    const far = [4, -5, 1e6, -1e6, 3.5, -3.5];
    const [value, logDet, dx, dParameters, dy] = await valuesOn('webgpu', () => {
      const [, ...steering] = inputsOf(spline, [2, 3], 0, 50);
      return [
        ...results(spline, [tf.tensor2d(far, [2, 3]), ...steering], { kept: 0, inverse }),
        steering[1].clone(),
      ];
    });
    expect([...value]).toEqual(far);
    expect([...logDet]).toEqual([0, 0]);
    expect([...dx]).toEqual([...dy]);
    expect(dParameters.every((gradient) => gradient === 0)).toBe(true);
  });

  it.each(ways)('nothing lies outside of a box without tails, inverse %s', async (inverse) => {
    const spline = new RationalQuadraticSpline({ bound: 3, tails: 'none' });
    const [, logDet, ...gradients] = await valuesOn('webgpu', () => {
      const [, ...steering] = inputsOf(spline, [2, 2], 0, 1);
      return results(spline, [tf.tensor2d([0.5, 3.5, 0.5, 1], [2, 2]), ...steering], { kept: 0, inverse });
    });
    expect(logDet[0]).toBe(Number.NEGATIVE_INFINITY);
    expect(logDet[1]).toBeGreaterThan(-10);
    for (const gradient of gradients) expect(gradient.every(Number.isFinite)).toBe(true);
  });

  it.each(tails)('parameters of +-50, %s', async (tail) => {
    const spline = new RationalQuadraticSpline({ bound: 3, tails: tail });
    const there = await valuesOn('webgpu', () => {
      const [x, parameters, ...rest] = inputsOf(spline, [300, 3], 0, 1);
      const given = [tf.mul(tf.tanh(x), 3), tf.mul(tf.sign(parameters), 50), ...rest];
      const forward = results(spline, given, { kept: 0, inverse: false });
      const back = results(spline, [forward[0], ...given.slice(1)], { kept: 0, inverse: true });
      // Where a slope is 1/1000, a value of float32 stands for many.
      const again = results(spline, [back[0], ...given.slice(1)], { kept: 0, inverse: false });
      return [...forward, ...back, again[0]];
    });
    for (const tensor of there) expect(tensor.every(Number.isFinite)).toBe(true);
    // The ends of a circle are one point.
    const turns = (values: Float32Array) =>
      tail === 'circular' ? values.map((value) => Math.cos((value * Math.PI) / 3)) : values;
    expect(distance(turns(there[0]), turns(there[8]))).toBeLessThan(1e-3);
  });
});

describe.skipIf(!hasAdapter)('events on webgpu', () => {
  const maps: [string, Transformer][] = [
    ['affine', new AffineTransformer()],
    ['spline', new RationalQuadraticSpline({ bins: 4 })],
  ];

  it('are the kernels, one dispatch each way', async () => {
    await activate('webgpu');
    expect(hasKernels('FlowAffine', 'FlowAffineGradient', 'FlowSpline', 'FlowSplineGradient')).toBe(true);
    const gpu = Gpu.of(tf.backend() as WebGPUBackend);
    for (const [, map] of maps) {
      tf.tidy(() => {
        const given = inputsOf(map, [5, 6], 2);
        const before = gpu.dispatches;
        map.mapEvents(given[0], given[1], 2, false);
        expect(gpu.dispatches - before).toBe(1);
        tf.grad((x) => map.mapEvents(x, given[1], 2, true).value)(given[0]);
        expect(gpu.dispatches - before).toBe(3);
      });
    }
  });

  it.each(maps)('NaN stays in its value, %s', async (_, map) => {
    for (const inverse of ways) {
      const run = (broken: boolean) =>
        valuesOn('webgpu', () => {
          const given = inputsOf(map, [4, 3], 0);
          const put = (tensor: tf.Tensor, at: number) => {
            const values = tensor.dataSync<'float32'>();
            if (broken) values[at] = Number.NaN;
            return tf.tensor(values, tensor.shape);
          };
          const inputs = [put(given[0], 4), put(given[1], 7 * map.parameters + 1)];
          const { value, logDet } = map.mapEvents(inputs[0], inputs[1], 0, inverse);
          return [value, logDet];
        });
      const [clean, broken] = [await run(false), await run(true)];
      // exp of what is no number is Infinity on some devices.
      for (const at of [4, 7]) expect(Number.isFinite(broken[0][at])).toBe(false);
      expect(broken[1][2]).toBeNaN();
      const others = (values: Float32Array) => [...values].filter((_value, i) => i !== 4 && i !== 7);
      expect(others(broken[0])).toEqual(others(clean[0]));
    }
  });

  it.each(maps)('no events, %s', async (_, map) => {
    const values = await valuesOn('webgpu', () => {
      const [x, parameters, dLogDet] = [tf.ones([0, 3]), tf.ones([0, 3 * map.parameters]), tf.ones([0])];
      const { value, logDet } = map.mapEvents(x, parameters, 0, false);
      const name = map instanceof AffineTransformer ? 'FlowAffineGradient' : 'FlowSplineGradient';
      const attributes = { ...map.fused, kept: 0, inverse: false };
      return [value, logDet, ...runKernel(name, { x, parameters, dy: x, dLogDet }, attributes)];
    });
    expect(values.map(({ length }) => length)).toEqual([0, 0, 0, 0]);
  });
});
