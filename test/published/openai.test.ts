import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type Glow, importCheckpoint, type NdArray, RandomStream, readNpz, writeNpz } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { tidyWaiting } from '../support/leaks';
import { fixture, loadReference } from './reference';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/**
 * openai/glow as its sources say (tfops.py, model.py), written out with tensors: the oracle of its importer.
 * Variables are random; a 3x3 convolution sees the image padded with zeros and one more channel that is 1 outside.
 */
interface Settings {
  levels: number;
  depth: number;
  width: number;
  channels: number;
  size: number;
  classes: number;
  permutation: 'invconv' | 'lu' | 'shuffle' | 'reverse';
  affine: boolean;
  learntop: boolean;
}

class Oracle {
  readonly variables: Record<string, tf.Tensor> = {};
  private readonly random = new RandomStream(5);

  constructor(private readonly settings: Settings) {}

  private variable(name: string, shape: number[], deviation = 0.1): tf.Tensor {
    this.variables[name] ??= this.random.normal(shape, 0, deviation);
    return this.variables[name];
  }

  private actnorm(name: string, x: tf.Tensor): { x: tf.Tensor; logDet: tf.Tensor } {
    const channels = x.shape[3] as number;
    const b = this.variable(`${name}_center/b`, [1, 1, 1, channels]);
    const logs = tf.mul(this.variable(`${name}_scale/logs`, [1, 1, 1, channels], 0.03), 3);
    const positions = (x.shape[1] as number) * (x.shape[2] as number);
    return { x: tf.mul(tf.add(x, b), tf.exp(logs)), logDet: tf.mul(tf.sum(logs), positions) };
  }

  private convolve(name: string, x: tf.Tensor, filters: number, side: number): tf.Tensor {
    const frame: [number, number] = [1, 1];
    const pads: [number, number][] = [[0, 0], frame, frame, [0, 0]];
    const outside = tf.pad(tf.zerosLike(tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, 1])), pads, 1);
    const padded = side === 1 ? x : tf.concat([tf.pad(x, pads), outside], 3);
    const w = this.variable(`${name}/W`, [side, side, padded.shape[3] as number, filters], 0.05);
    return tf.conv2d(padded as tf.Tensor4D, w as tf.Tensor4D, 1, 'valid');
  }

  private zeros(name: string, x: tf.Tensor, filters: number): tf.Tensor {
    const b = this.variable(`${name}/b`, [1, 1, 1, filters]);
    const logs = this.variable(`${name}/logs`, [1, filters]);
    return tf.mul(tf.add(this.convolve(name, x, filters, 3), b), tf.exp(tf.mul(logs, 3)));
  }

  private linearZeros(name: string, x: tf.Tensor, outputs: number): tf.Tensor {
    const w = this.variable(`${name}/W`, [x.shape[1] as number, outputs]);
    const b = this.variable(`${name}/b`, [1, outputs]);
    const logs = this.variable(`${name}/logs`, [1, outputs]);
    return tf.mul(tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), b), tf.exp(tf.mul(logs, 3)));
  }

  private f(name: string, x: tf.Tensor, filters: number): tf.Tensor {
    const { width } = this.settings;
    let h = tf.relu(this.actnorm(`${name}/l_1/actnorm`, this.convolve(`${name}/l_1`, x, width, 3)).x);
    h = tf.relu(this.actnorm(`${name}/l_2/actnorm`, this.convolve(`${name}/l_2`, h, width, 1)).x);
    return this.zeros(`${name}/l_last`, h, filters);
  }

  private mix(name: string, x: tf.Tensor): { x: tf.Tensor; logDet: tf.Tensor } {
    const [, height, width, n] = x.shape as number[];
    const none = tf.scalar(0);
    const { permutation } = this.settings;
    if (permutation === 'reverse') return { x: tf.reverse(x, 3), logDet: none };
    if (permutation === 'shuffle') {
      this.variables[`${name}/shuffle/indices`] ??= tf.tensor1d(this.random.permutation(n), 'int32');
      this.variables[`${name}/shuffle/indices_inverse`] ??= tf.zeros([n], 'int32');
      return { x: tf.gather(x, this.variables[`${name}/shuffle/indices`] as tf.Tensor1D, 3), logDet: none };
    }
    const eye = tf.eye(n);
    const apply = (w: tf.Tensor) =>
      tf.reshape(tf.matMul(tf.reshape(x, [-1, n]), w as tf.Tensor2D), x.shape) as tf.Tensor;
    if (permutation === 'invconv') {
      // Upper triangular plus nothing: its determinant is known without help.
      this.variables[`${name}/invconv/W`] ??= tf.add(
        tf.linalg.bandPart(this.random.normal([n, n], 0, 0.1), 0, -1),
        eye,
      );
      const w = this.variables[`${name}/invconv/W`];
      const logDet = tf.sum(tf.log(tf.abs(tf.sum(tf.mul(w, eye), 1))));
      return { x: apply(w), logDet: tf.mul(logDet, height * width) };
    }
    this.variables[`${name}/invconv/P`] ??= tf.reverse(eye, 0);
    this.variables[`${name}/invconv/sign_S`] ??= tf.tensor1d(
      Array.from({ length: n }, (_, i) => (i % 3 ? 1 : -1)),
    );
    const [l, u] = ['L', 'U'].map((part) => this.variable(`${name}/invconv/${part}`, [n, n]));
    const logS = this.variable(`${name}/invconv/log_S`, [n]);
    const strictlyLower = tf.sub(tf.linalg.bandPart(tf.ones([n, n]) as never, -1, 0), eye);
    const lower = tf.add(tf.mul(l, strictlyLower), eye);
    const scale = tf.mul(this.variables[`${name}/invconv/sign_S`], tf.exp(logS));
    const upper = tf.add(tf.mul(u, tf.transpose(strictlyLower)), tf.mul(eye, scale));
    const w = tf.matMul(
      this.variables[`${name}/invconv/P`] as never,
      tf.matMul(lower as never, upper as never),
    );
    return { x: apply(w), logDet: tf.mul(tf.sum(logS), height * width) };
  }

  /** log p of preprocessed images with noise, in nats, and the classifier's logits. */
  run(images: tf.Tensor, labels?: tf.Tensor): { logProb: tf.Tensor; logits?: tf.Tensor } {
    const { levels, depth, affine, classes, learntop } = this.settings;
    let z = squeeze(images);
    let objective: tf.Tensor = tf.zeros([images.shape[0]]);
    for (let level = 0; level < levels; level++) {
      for (let step = 0; step < depth; step++) {
        const name = `model/${level}/${step}`;
        const normed = this.actnorm(`${name}/actnorm`, z);
        const mixed = this.mix(name, normed.x);
        objective = tf.add(objective, tf.add(normed.logDet, mixed.logDet));
        const [z1, z2] = tf.split(mixed.x, 2, 3);
        const n = z.shape[3] as number;
        if (affine) {
          const h = this.f(`${name}/f1`, z1, n);
          const scale = tf.sigmoid(tf.add(every(h, 1), 2));
          z = tf.concat([z1, tf.mul(tf.add(z2, every(h, 0)), scale)], 3);
          objective = tf.add(objective, tf.sum(tf.log(scale), [1, 2, 3]));
        } else {
          z = tf.concat([z1, tf.add(z2, this.f(`${name}/f1`, z1, n / 2))], 3);
        }
      }
      if (level < levels - 1) {
        const [z1, z2] = tf.split(z, 2, 3);
        const h = this.zeros(`model/pool${level}/conv`, z1, z.shape[3] as number);
        objective = tf.add(objective, gaussian(z2, every(h, 0), every(h, 1)));
        z = squeeze(z1);
      }
    }
    const n = z.shape[3] as number;
    let h: tf.Tensor = tf.zeros([...z.shape.slice(0, 3), 2 * n] as number[]);
    if (learntop) h = this.zeros('model/prior/p', h, 2 * n);
    if (labels !== undefined) {
      h = tf.add(h, tf.reshape(this.linearZeros('model/prior/y_emb', labels, 2 * n), [-1, 1, 1, 2 * n]));
    }
    const [mean, logs] = tf.split(h, 2, 3);
    const logProb = tf.add(objective, gaussian(z, mean, logs));
    if (labels === undefined) return { logProb };
    return { logProb, logits: this.linearZeros('model/classifier', tf.mean(z, [1, 2]), classes) };
  }

  npz(): Uint8Array {
    const arrays: Record<string, NdArray> = {
      Variable: { shape: [], data: Float32Array.of(7) },
      'model/0/0/actnorm_center/b/ExponentialMovingAverage': { shape: [1], data: Float32Array.of(0) },
    };
    for (const [name, tensor] of Object.entries(this.variables)) {
      const data =
        tensor.dtype === 'int32' ? Int32Array.from(tensor.dataSync()) : Float32Array.from(tensor.dataSync());
      arrays[`${name}:0`] = { shape: tensor.shape, data };
    }
    return writeNpz(arrays);
  }
}

function squeeze(x: tf.Tensor): tf.Tensor {
  const [n, h, w, c] = x.shape as number[];
  const cells = tf.reshape(x, [n, h / 2, 2, w / 2, 2, c]);
  return tf.reshape(tf.transpose(cells, [0, 1, 3, 5, 2, 4]), [n, h / 2, w / 2, 4 * c]);
}

/** Channels first::2. */
function every(x: tf.Tensor, first: number): tf.Tensor {
  const [n, h, w, c] = x.shape as number[];
  return tf.squeeze(
    tf.slice(tf.reshape(x, [n, h, w, c / 2, 2]), [0, 0, 0, 0, first], [-1, -1, -1, -1, 1]),
    [4],
  );
}

function gaussian(x: tf.Tensor, mean: tf.Tensor, logs: tf.Tensor): tf.Tensor {
  const squares = tf.div(tf.square(tf.sub(x, mean)), tf.exp(tf.mul(logs, 2)));
  return tf.mul(tf.sum(tf.add(tf.add(squares, tf.mul(logs, 2)), Math.log(2 * Math.PI)), [1, 2, 3]), -0.5);
}

const settings: Settings = {
  levels: 2,
  depth: 2,
  width: 6,
  channels: 3,
  size: 8,
  classes: 0,
  permutation: 'invconv',
  affine: true,
  learntop: true,
};

describe('openai/glow', () => {
  it.each<[string, Partial<Settings>]>([
    ['1x1 convolutions, affine, learned top', {}],
    ['LU, additive, no learned top', { permutation: 'lu', affine: false, learntop: false }],
    ['shuffles, one level, grey images', { permutation: 'shuffle', levels: 1, channels: 1 }],
    ['reversals, classes and a learned top', { permutation: 'reverse', classes: 4 }],
    ['classes without a learned top', { classes: 3, learntop: false }],
  ])('%s: the log-likelihoods of its formulas', async (_, changes) => {
    await tidyWaiting(async () => {
      const chosen = { ...settings, ...changes };
      const { size, channels, classes } = chosen;
      const oracle = new Oracle(chosen);
      const random = new RandomStream(9);
      const levels = random.uniform([3, size, size, channels], 0, 256);
      const labels = classes > 0 ? oneHot([0, 2, 1], classes) : undefined;
      const expected = oracle.run(tf.sub(tf.div(levels, 256), 0.5), labels);
      const glow = await importCheckpoint(oracle.npz(), { imageShape: [size, size, channels] });
      const { value, logDet } = glow.bijector.forward(levels, labels);
      const received = tf.add(glow.base.logProb(value), logDet);
      const constant = size * size * channels * Math.log(256);
      const wanted = tf.sub(expected.logProb, constant).dataSync();
      received.dataSync().forEach((logProb, i) => {
        expect(Math.abs(logProb - wanted[i])).toBeLessThan(1e-5 * Math.abs(wanted[i]));
      });
      if (expected.logits !== undefined) expectLogits(glow, value, labels as tf.Tensor, expected.logits);
      glow.dispose();
    });
  });

  it('a classifier that was not trained is left at zero', async () => {
    await tidyWaiting(async () => {
      const oracle = new Oracle({ ...settings, classes: 4 });
      oracle.run(tf.zeros([2, 8, 8, 3]), oneHot([0, 1], 4));
      for (const part of ['W', 'b', 'logs']) delete oracle.variables[`model/classifier/${part}`];
      const glow = await importCheckpoint(oracle.npz(), { imageShape: [8, 8, 3] });
      const logits = glow.classifier!.logits(tf.ones([1, 2, 2, 24]));
      expect([...logits.dataSync()]).toEqual([0, 0, 0, 0]);
      glow.dispose();
    });
  });

  it("chaiyujin's fixture under openai's names gives the same weights, up to the rounding of logs / 3 * 3", async () => {
    await tidyWaiting(async () => {
      const { glow: expected } = await loadReference('chaiyujin_affine_invconv', 'checkpoint.pt');
      const state = readNpz(fixture('chaiyujin_affine_invconv', 'weights.npz'));
      const glow = await importCheckpoint(writeNpz(underOpenaiNames(state)), { imageShape: [16, 16, 3] });
      expect(glow.getConfig()).toMatchObject({ padding: 'zero', lastPadding: 'zero', learnTop: false });
      const received = weightsOf(glow);
      for (const [name, values] of Object.entries(weightsOf(expected))) {
        received[name].forEach((value, i) => {
          expect(Math.abs(value - values[i])).toBeLessThan(2 ** -22);
        });
      }
      glow.dispose();
      expected.dispose();
    });
  });
});

const oneHot = (labels: number[], classes: number) => tf.cast(tf.oneHot(labels, classes), 'float32');

function expectLogits(glow: Glow, z: tf.Tensor, labels: tf.Tensor, expected: tf.Tensor): void {
  const [{ offset, size, shape }] = glow.latentLayout.slice(-1);
  const top = tf.reshape(tf.slice(z, [0, offset], [-1, size]), [z.shape[0], ...shape]);
  let prior = glow.bijector as never as { children: { name: string; children: [] }[] };
  for (const name of ['multiscale', 'level1', 'prior']) {
    prior = prior.children.find((child) => child.name === name) as never;
  }
  const raw = (prior as never as Glow['bijector']).inverse(top, labels).value;
  const logits = glow.classifier!.logits(raw);
  expect(tf.max(tf.abs(tf.sub(logits, expected))).dataSync()[0]).toBeLessThan(1e-4);
}

function weightsOf(glow: Glow): Record<string, number[]> {
  return Object.fromEntries(glow.weights.map(({ name, variable }) => [name, [...variable.dataSync()]]));
}

/** K = 2, L = 3. */
function underOpenaiNames(state: Record<string, NdArray>): Record<string, NdArray> {
  const arrays: Record<string, NdArray> = {};
  for (const [name, array] of Object.entries(state)) {
    const match = /^flow\.layers\.(\d+)\.(.*)$/.exec(name);
    if (match === null) continue;
    const level = Math.floor(Number(match[1]) / 4);
    const step = (Number(match[1]) % 4) - 1;
    const scope = step === 2 ? `model/pool${level}` : `model/${level}/${step}`;
    const rest = match[2]
      .replace(/^f\.(\d)/, (_, i) => `f1/${['l_1', '', 'l_2', '', 'l_last'][i]}`)
      .replace(/actnorm\.bias/, 'actnorm_center/b')
      .replace(/actnorm\.logs/, 'actnorm_scale/logs')
      .replace(/\.?weight$/, '/W')
      .replace(/\.bias$/, '/b')
      .replaceAll('.', '/');
    const x = tf.tensor(Float32Array.from(array.data), array.shape);
    let y = x;
    if (rest.endsWith('/W')) y = x.rank === 4 ? tf.transpose(x, [2, 3, 1, 0]) : tf.transpose(x);
    if (rest.endsWith('actnorm_scale/logs')) y = tf.div(x, 3);
    arrays[`${scope}/${rest.replace('//', '/')}`] = { shape: y.shape, data: Float32Array.from(y.dataSync()) };
  }
  return arrays;
}
