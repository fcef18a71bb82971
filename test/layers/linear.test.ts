import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  type Bijector,
  type BothWays,
  Chain,
  InvConv1x1,
  Linear,
  type LinearOptions,
  Matrix,
  NonFiniteError,
  RandomStream,
  type Reversed,
  ReversePass,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { declareBackend } from '../../src/engine/capabilities';
import { slogdet } from '../../src/linalg';
import { leavesNoTensors } from '../support/leaks';

const d = 5;
const weightOf = (layer: Bijector, name: string) => {
  const found = layer.weights.find((weight) => weight.name === name);
  if (found === undefined) throw new Error(name);
  return found.variable;
};
const assign = (variable: tf.Variable, values: ArrayLike<number>) =>
  tf.tidy(() => variable.assign(tf.tensor(Float32Array.from(values), variable.shape)));
/** Weights moved as training would. */
function moved(layer: Linear, by = 0.5): Linear {
  const random = new RandomStream(9);
  for (const { variable } of layer.weights) {
    const before = variable.dataSync();
    assign(
      variable,
      random.normalArray(variable.size).map((value, i) => before[i] + by * value),
    );
  }
  return layer;
}
/** W by what the layer does to the axes, less the bias. */
function matrixOf(layer: Linear): Matrix {
  const [size] = layer.inputShape;
  const values = tf.tidy(() => {
    const bias = layer.forward(tf.zeros([1, size])).value;
    return tf.transpose(tf.sub(layer.forward(tf.eye(size)).value, bias)).dataSync();
  });
  return new Matrix(Float64Array.from(values), size, size);
}
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
const forms: Record<string, Omit<LinearOptions, 'inputShape'>> = {
  lu: { form: 'lu' },
  'lu without bias': { bias: false },
  householder: { form: 'householder', seed: 4 },
  rotation: { form: 'rotation' },
};
const make = (options: Omit<LinearOptions, 'inputShape'>) => new Linear({ inputShape: [d], ...options });

beforeEach(async () => {
  await tf.setBackend('cpu');
});

describe.each(Object.entries(forms))('Linear, %s', (name, options) => {
  it('starts as the identity (1e-6)', async () => {
    await leavesNoTensors(() => {
      const layer = make(options);
      expect(farthest(matrixOf(layer).data, Matrix.identity(d).data)).toBeLessThan(1e-6);
      layer.dispose();
    });
  });

  it('has the log-determinant of its matrix, and keeps lengths unless it is LU (1e-5)', async () => {
    const layer = moved(make(options));
    const matrix = matrixOf(layer);
    const { logAbsDet, sign } = slogdet(matrix);
    const logDet = tf.tidy(() => layer.forward(tf.ones([1, d])).logDet.dataSync()[0]);
    expect(logDet).toBeCloseTo(logAbsDet, 5);
    expect(sign).toBe(1);
    tf.tidy(() => {
      const x = new RandomStream(3).normal([4, d]);
      const back = layer.inverse(layer.forward(x).value);
      expect(farthest(back.value.dataSync(), x.dataSync())).toBeLessThan(1e-5);
      expect(back.logDet.dataSync()[0]).toBeCloseTo(-logAbsDet, 5);
    });
    if (!name.startsWith('lu')) {
      expect(logDet).toBe(0);
      const product = matrix.multiply(matrix.transpose());
      expect(farthest(product.data, Matrix.identity(d).data)).toBeLessThan(1e-5);
      expect(farthest(matrix.data, Matrix.identity(d).data)).toBeGreaterThan(0.1);
      const { conditionNumber } = await layer.conditioning();
      expect(conditionNumber).toBeLessThan(d + 1e-3);
    }
    layer.dispose();
  });

  it('is the same without reading values, as on webgpu (1e-5), with its gradients', async () => {
    const layer = moved(make(options));
    const run = () =>
      tf.tidy(() => {
        const y = new RandomStream(1).normal([3, d]) as tf.Tensor2D;
        const { grads } = tf.variableGrads(() => {
          const { value, logDet } = layer.inverse(y);
          // Not of the length alone, which rotations keep.
          return tf.add(tf.sum(tf.mul(value, tf.add(value, tf.range(0, d)))), tf.sum(logDet)) as tf.Scalar;
        }, layer.trainableWeights);
        const gradients = layer.trainableWeights.flatMap((weight) => [...grads[weight.name].dataSync()]);
        return [layer.forward(y).value, layer.inverse(y).value]
          .flatMap((value) => [...value.dataSync()])
          .concat(gradients) as never;
      }) as unknown as number[];
    await leavesNoTensors(() => {
      const expected = run();
      try {
        declareBackend('cpu', {});
        const size = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        expect(farthest(run(), expected)).toBeLessThan(1e-5 * size);
      } finally {
        declareBackend('cpu', { readsAtOnce: true });
      }
    });
    layer.dispose();
  });
});

describe('Linear, LU', () => {
  it('is y = L U x + b by its weights; what lies on the diagonal of triangles is not read', () => {
    const layer = new Linear({ inputShape: [2] });
    assign(weightOf(layer, 'triangles'), [7, 0.5, -2, 9]);
    assign(weightOf(layer, 'logScale'), [Math.log(2), Math.log(3)]);
    assign(weightOf(layer, 'bias'), [10, 20]);
    tf.tidy(() => {
      const { value, logDet } = layer.forward(tf.tensor2d([[1, 4]]));
      // U x = [2 + 2, 12], L U x = [4, -8 + 12].
      expect(farthest(value.dataSync(), [14, 24])).toBeLessThan(1e-5);
      expect(logDet.dataSync()[0]).toBeCloseTo(Math.log(6), 5);
      const back = layer.inverse(value);
      expect(farthest(back.value.dataSync(), [1, 4])).toBeLessThan(1e-5);
      expect(back.logDet.dataSync()[0]).toBeCloseTo(-Math.log(6), 5);
    });
    layer.dispose();
  });

  it('has a positive determinant that training cannot lose, over many decades', () => {
    const layer = new Linear({ inputShape: [3] });
    assign(weightOf(layer, 'logScale'), [-30, 0, 30]);
    assign(weightOf(layer, 'triangles'), [0, 1, 2, 3, 0, 4, 5, 6, 0]);
    tf.tidy(() => {
      const x = tf.tensor2d([[1e8, 1, -2]]);
      const { value, logDet } = layer.forward(x);
      expect(logDet.dataSync()[0]).toBe(0);
      expect(value.dataSync().every(Number.isFinite)).toBe(true);
    });
    layer.dispose();
  });

  it.each([-800, -200])('says its name where exp(%d) leaves no inverse in float32', (logScale) => {
    const layer = new Linear({ inputShape: [2], name: 'mix3' });
    assign(weightOf(layer, 'logScale'), [0, logScale]);
    const y = tf.ones([1, 2]);
    expect(() => layer.inverse(y)).toThrow(NonFiniteError);
    expect(() => layer.inverse(y)).toThrow(
      "Linear.inverse: expected an invertible matrix, got a singular one in 'mix3'.",
    );
    y.dispose();
    layer.dispose();
  });

  it('takes the weights of an LU layer whose diagonal is softplus(u) + 0.001', () => {
    const u = [0.3, -4, 2];
    const layer = new Linear({ inputShape: [3], bias: false });
    const diagonal = u.map((value) => Math.log1p(Math.exp(value)) + 1e-3);
    assign(weightOf(layer, 'logScale'), diagonal.map(Math.log));
    expect(
      farthest(
        [0, 4, 8].map((at) => matrixOf(layer).data[at]),
        diagonal,
      ),
    ).toBeLessThan(1e-6);
    layer.dispose();
  });
});

describe('Linear, Householder', () => {
  it('is the product of its reflections, the first one first (1e-5)', () => {
    const layer = make({ form: 'householder', reflections: 3, seed: 2 });
    moved(layer);
    const vectors = weightOf(layer, 'vectors').dataSync();
    let expected = Matrix.identity(d);
    for (let k = 0; k < 3; k++) {
      const v = Array.from(vectors.slice(k * d, k * d + d));
      const square = v.reduce((sum, value) => sum + value ** 2, 0);
      const entries = Float64Array.from({ length: d * d }, (_, at) => {
        const [i, j] = [Math.floor(at / d), at % d];
        return Number(i === j) - (2 * v[i] * v[j]) / square;
      });
      expected = new Matrix(entries, d, d).multiply(expected);
    }
    expect(farthest(matrixOf(layer).data, expected.data)).toBeLessThan(1e-5);
    expect(slogdet(matrixOf(layer)).sign).toBe(-1);
    layer.dispose();
  });

  it('starts as one reflection where their number is odd', () => {
    const matrix = matrixOf(make({ form: 'householder', reflections: 3, seed: 2 }));
    expect(slogdet(matrix).sign).toBe(-1);
    const trace = [0, 1, 2, 3, 4].reduce((sum, i) => sum + matrix.data[i * (d + 1)], 0);
    expect(trace).toBeCloseTo(d - 2, 5);
  });

  it.each([0, 1e-30, 1e30])('takes vectors of size %d', (size) => {
    const layer = make({ form: 'householder', reflections: 2, seed: 2, bias: false });
    const vectors = weightOf(layer, 'vectors');
    assign(
      vectors,
      Array.from({ length: 2 * d }, (_, i) => size * (i - 3)),
    );
    tf.tidy(() => {
      const x = new RandomStream(1).normal([4, d]);
      const value = layer.forward(x).value;
      const norms = (y: tf.Tensor) => tf.sum(tf.square(y), 1).dataSync();
      expect(farthest(norms(value), norms(x))).toBeLessThan(1e-4);
      // Two reflections are a turn; vectors of zeros are none.
      const far = farthest(value.dataSync(), x.dataSync());
      if (size === 0) expect(far).toBe(0);
      else expect(far).toBeGreaterThan(0.1);
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.mul(layer.forward(x).value, tf.range(0, d))) as tf.Scalar,
        [vectors],
      );
      expect(grads[vectors.name].dataSync().every(Number.isFinite)).toBe(true);
    });
    layer.dispose();
  });
});

describe('Linear, rotation', () => {
  it('is the Cayley transform of what lies below the diagonal', () => {
    const layer = new Linear({ inputShape: [2], form: 'rotation', bias: false });
    const half = Math.tan(0.4);
    assign(weightOf(layer, 'skew'), [5, 6, -half, 7]);
    // A turn by 0.8.
    const expected = [Math.cos(0.8), -Math.sin(0.8), Math.sin(0.8), Math.cos(0.8)];
    expect(farthest(matrixOf(layer).data, expected)).toBeLessThan(1e-6);
    layer.dispose();
  });

  it('stays a rotation for skew matrices of any size (1e-5)', () => {
    for (const size of [1e-20, 30, 1e6]) {
      const layer = moved(make({ form: 'rotation', bias: false }), size);
      const matrix = matrixOf(layer);
      expect(farthest(matrix.multiply(matrix.transpose()).data, Matrix.identity(d).data)).toBeLessThan(1e-5);
      expect(slogdet(matrix).sign).toBe(1);
      layer.dispose();
    }
  });
});

describe('Linear after an actnorm, on wasm', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
  });
  afterEach(async () => {
    await tf.setBackend('cpu');
  });

  it.each([true, false])(
    'is one operation with it, bias %s: results and gradients are those of the two (1e-5)',
    async (bias) => {
      await tf.setBackend('wasm');
      await leavesNoTensors(() => {
        const norm = new ActNorm({ inputShape: [d] });
        norm.weights.forEach(
          ({ variable }, k) =>
            void assign(
              variable,
              [0.3, -1, 0.5, 0.2, 1].map((v) => v * (k - 2.5)),
            ),
        );
        norm.markInitialized();
        const linear = moved(make({ bias }), 0.3);
        const joined = linear.absorb(norm);
        expect(joined).toBeDefined();
        const apart = {
          forward: (x: tf.Tensor) => {
            const first = norm.forward(x);
            const second = linear.forward(first.value);
            return { value: second.value, logDet: tf.add(first.logDet, second.logDet) };
          },
          inverse: (y: tf.Tensor) => {
            const second = linear.inverse(y);
            const first = norm.inverse(second.value);
            return { value: first.value, logDet: tf.add(first.logDet, second.logDet) };
          },
        };
        const weights = [...norm.trainableWeights, ...linear.trainableWeights];
        tf.tidy(() => {
          const x = new RandomStream(2).normal([7, d]);
          for (const direction of ['forward', 'inverse'] as const) {
            const run = (map: Pick<typeof apart, 'forward' | 'inverse'>) => {
              const loss = () => {
                const { value, logDet } = map[direction](x);
                return tf.add(tf.sum(tf.square(value)), tf.sum(logDet)) as tf.Scalar;
              };
              const { value, grads } = tf.variableGrads(loss, weights);
              return [
                value.dataSync()[0],
                ...weights.flatMap((weight) => [...grads[weight.name].dataSync()]),
              ];
            };
            const [got, expected] = [run(joined as typeof apart), run(apart)];
            const size = expected.reduce((most, entry) => Math.max(most, Math.abs(entry)), 1);
            expect(farthest(got, expected)).toBeLessThan(1e-5 * size);
          }
          const { value, logDet } = apart.forward(x);
          const back = (reverse: (output: Reversed, pass: ReversePass) => Reversed) => {
            const pass = new ReversePass({ logDetGradient: logDet as tf.Tensor1D });
            const before = reverse({ value, gradient: x }, pass);
            const gradients = pass.takeGradients(weights) as tf.Tensor[];
            return [before.value, before.gradient, ...gradients].flatMap((tensor) => [...tensor.dataSync()]);
          };
          const one = back((output, pass) => (joined as Required<BothWays>).reverse(output, pass, 'actnorm'));
          const two = back((output, pass) => norm.reverse(linear.reverse(output, pass), pass));
          const size = two.reduce((most, entry) => Math.max(most, Math.abs(entry)), 1);
          expect(farthest(one, two)).toBeLessThan(1e-5 * size);
        });
        norm.dispose();
        linear.dispose();
      });
    },
  );

  it('is not absorbed where a subclass has its own way, or keeps lengths', async () => {
    await tf.setBackend('wasm');
    class Twice extends Linear {
      static override className = 'TestTwice';
      protected override computeForward(x: tf.Tensor) {
        const { value, logDet } = super.computeForward(x);
        return { value: tf.mul(value, 2), logDet };
      }
    }
    const norm = new ActNorm({ inputShape: [d] });
    for (const layer of [new Twice({ inputShape: [d] }), make({ form: 'rotation' })]) {
      expect(layer.absorb(norm)).toBeUndefined();
      layer.dispose();
    }
    norm.dispose();
  });
});

describe('options of Linear', () => {
  it('are checked', () => {
    const wrong = (options: object) => () => new Linear({ inputShape: [d], ...options } as never);
    expect(wrong({ inputShape: [2, 2, 3] })).toThrow('Linear: expected inputShape [d] of positive integers');
    expect(wrong({ form: 'qr' })).toThrow('form to be one of lu, householder, rotation');
    expect(wrong({ reflections: 2 })).toThrow("reflections with form 'householder' alone, got form 'lu'");
    expect(wrong({ form: 'householder', reflections: 0 })).toThrow('reflections to be an integer >= 1');
    expect(wrong({ parameterization: 'lu' })).toThrow("Did you mean 'form'?");
  });

  it('bring a layer back, the seed as its weights', () => {
    const layer = make({ form: 'householder', reflections: 4, seed: 3, bias: false });
    expect(layer.getConfig()).toEqual({
      name: 'linear',
      inputShape: [d],
      form: 'householder',
      bias: false,
      reflections: 4,
    });
    expect(layer.parameterCount).toBe(4 * d);
    layer.dispose();
  });
});

describe('an inverse beyond float32', () => {
  it('is an error of a 1x1 convolution, too, with its name', () => {
    const layer = new InvConv1x1({ inputShape: [2], parameterization: 'lu', seed: 1, name: 'mix' });
    assign(weightOf(layer, 'logScale'), [0, -200]);
    const chain = new Chain({ bijectors: [layer] });
    const y = tf.ones([1, 2]);
    expect(() => chain.inverse(y)).toThrow(
      "InvConv1x1.inverse: expected an invertible matrix, got a singular one in 'mix'.",
    );
    y.dispose();
    chain.dispose();
  });
});
