import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { type Bijector, type Chain, Glow, Matrix, type NdArray, readNpz } from 'tfjs-flows';
import { luDecompose } from '../../src/linalg';

/** Test-only loading of two PyTorch Glows' state dicts; the conventions are described in docs/concepts.md and the fixtures' README. */

export interface Reference {
  glow: Glow;
  /** The flow without dequantization: the fixtures' images are real numbers already. */
  bijector: Bijector;
  config: ReferenceConfig;
  io: Record<string, NdArray>;
}

interface ReferenceConfig {
  reference: string;
  image_shape: [number, number, number];
  in_channel: number;
  image_size: number;
  hidden_channels: number;
  filter_size: number;
  K: number;
  L: number;
  n_flow: number;
  n_block: number;
  n_bins: number;
  flow_permutation: 'invconv' | 'reverse';
  flow_coupling: 'affine' | 'additive';
  learn_top: boolean;
  y_condition: boolean;
  y_classes: number;
}

export function loadReference(name: string, lu: boolean): Reference {
  const folder = new URL(`../fixtures/glow/${name}/`, import.meta.url);
  const config = JSON.parse(readFileSync(new URL('config.json', folder), 'utf8')) as ReferenceConfig;
  const state = readNpz(readFileSync(new URL('weights.npz', folder)));
  const io = readNpz(readFileSync(new URL('io.npz', folder)));
  const glow = config.reference.startsWith('chaiyujin')
    ? fromChaiyujin(config, state, lu)
    : fromRosinality(config, state, lu);
  glow.markInitialized();
  return { glow, bijector: (glow.bijector as Chain).bijectors[1], config, io };
}

type State = Record<string, NdArray>;

/** Assigns weights by name and insists that none is left out. */
class Target {
  private readonly missing: Map<string, tf.Variable>;

  constructor(readonly glow: Glow) {
    this.missing = new Map(glow.weights.map(({ name, variable }) => [name, variable]));
  }

  set(name: string, value: tf.Tensor): void {
    const variable = this.missing.get(name);
    if (variable === undefined) throw new Error(`no weight ${name}`);
    variable.assign(tf.reshape(value, variable.shape) as never);
    this.missing.delete(name);
  }

  /** y = x W, as the matrix itself or as P L (U + diag(s)). */
  setMatrix(name: string, matrix: Matrix): void {
    const n = matrix.rows;
    if (this.missing.has(`${name}/kernel`)) {
      this.set(`${name}/kernel`, fromMatrix(matrix));
      return;
    }
    const { packed, pivots } = luDecompose(matrix);
    const build = (entry: (i: number, j: number) => number) =>
      tf.tensor2d(Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => entry(i, j))));
    const diagonal = Array.from({ length: n }, (_, i) => packed.at(i, i));
    this.set(
      `${name}/permutation`,
      build((i, j) => (pivots[j] === i ? 1 : 0)),
    );
    this.set(
      `${name}/lower`,
      build((i, j) => (i > j ? packed.at(i, j) : 0)),
    );
    this.set(
      `${name}/upper`,
      build((i, j) => (i < j ? packed.at(i, j) : 0)),
    );
    this.set(`${name}/sign`, tf.tensor1d(diagonal.map(Math.sign)));
    this.set(`${name}/logScale`, tf.tensor1d(diagonal.map((entry) => Math.log(Math.abs(entry)))));
  }

  finish(): Glow {
    if (this.missing.size > 0) throw new Error(`not set: ${[...this.missing.keys()].join(', ')}`);
    return this.glow;
  }
}

function fromMatrix(matrix: Matrix): tf.Tensor2D {
  return tf.tensor2d(Float32Array.from(matrix.data), [matrix.rows, matrix.cols]);
}

function toMatrix(array: NdArray): Matrix {
  return new Matrix(Float64Array.from(array.data as Float32Array), array.shape[0], array.shape[1]);
}

function tensor(array: NdArray): tf.Tensor {
  return tf.tensor(Float32Array.from(array.data as Float32Array), [...array.shape]);
}

/** OIHW -> HWIO */
function kernel(array: NdArray): tf.Tensor {
  return tf.transpose(tensor(array), [2, 3, 1, 0]);
}

/** Even entries of the last axis first, then the odd ones. */
function uncross(x: tf.Tensor): tf.Tensor {
  const channels = x.shape[x.rank - 1];
  const pairs = tf.reshape(x, [-1, channels / 2, 2]);
  return tf.reshape(tf.transpose(pairs, [0, 2, 1]), x.shape);
}

function swapHalves(x: tf.Tensor): tf.Tensor {
  const [first, second] = tf.split(x, 2, x.rank - 1);
  return tf.concat([second, first], x.rank - 1);
}

const keep = (x: tf.Tensor): tf.Tensor => x;

/** PyTorch keeps P, L, U of y = W x. */
function luProduct(p: NdArray, l: NdArray, u: NdArray, sign: NdArray, logScale: NdArray): Matrix {
  const n = p.shape[0];
  const lower = toMatrix(l);
  const upper = toMatrix(u);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i < j) lower.data[i * n + j] = 0;
      if (i > j) upper.data[i * n + j] = 0;
    }
    lower.data[i * n + i] = 1;
    upper.data[i * n + i] = Number(sign.data[i]) * Math.exp(Number(logScale.data[i]));
  }
  return toMatrix(p).multiply(lower).multiply(upper);
}

function fromChaiyujin(config: ReferenceConfig, state: State, lu: boolean): Glow {
  const { K, L } = config;
  const target = new Target(
    new Glow({
      imageShape: config.image_shape,
      levels: L,
      stepsPerLevel: K,
      hiddenChannels: config.hidden_channels,
      permutation: config.flow_permutation,
      coupling: config.flow_coupling,
      learnTop: config.learn_top,
      classes: config.y_condition ? config.y_classes : 0,
      lu,
    }),
  );
  return tf.tidy(() => {
    const root = 'bijector/multiscale';
    const heads = config.flow_coupling === 'affine' ? uncross : keep;
    for (let level = 0; level < L; level++) {
      for (let step = 0; step < K; step++) {
        const from = `flow.layers.${level * (K + 2) + step + 1}`;
        const to = `${root}/level${level}/step${step}`;
        target.set(`${to}/actnorm/bias`, tensor(state[`${from}.actnorm.bias`]));
        target.set(`${to}/actnorm/logScale`, tensor(state[`${from}.actnorm.logs`]));
        if (config.flow_permutation === 'invconv') {
          const part = (key: string) => state[`${from}.invconv.${key}`];
          const weight = part('weight')
            ? toMatrix(part('weight'))
            : luProduct(part('p'), part('l'), part('u'), part('sign_s'), part('log_s'));
          target.setMatrix(`${to}/invconv`, weight.transpose());
        }
        const network = `${to}/coupling/network`;
        for (const [i, layer] of ['first', 'second'].entries()) {
          target.set(`${network}/${layer}/kernel`, kernel(state[`${from}.f.${2 * i}.weight`]));
          target.set(`${network}/${layer}Norm/bias`, tensor(state[`${from}.f.${2 * i}.actnorm.bias`]));
          target.set(`${network}/${layer}Norm/logScale`, tensor(state[`${from}.f.${2 * i}.actnorm.logs`]));
        }
        setLast(target, `${network}/last`, heads, {
          weight: state[`${from}.f.4.weight`],
          bias: state[`${from}.f.4.bias`],
          logs: state[`${from}.f.4.logs`],
        });
      }
      if (level < L - 1) {
        const from = `flow.layers.${level * (K + 2) + K + 1}.conv`;
        const part = (key: string) => state[`${from}.${key}`];
        setLast(target, `${root}/level${level}/split/network`, uncross, {
          weight: part('weight'),
          bias: part('bias'),
          logs: part('logs'),
        });
      }
    }
    const scaled = (bias: NdArray, logs: NdArray) =>
      tf.mul(tf.reshape(tensor(bias), [-1]), tf.exp(tf.mul(tf.reshape(tensor(logs), [-1]), 3)));
    if (config.learn_top) {
      const prior = `${root}/level${L - 1}/prior`;
      let bias = scaled(state['learn_top.bias'], state['learn_top.logs']);
      if (config.y_condition) {
        const logs = tf.exp(tf.mul(tensor(state['project_ycond.logs']), 3));
        bias = tf.add(bias, scaled(state['project_ycond.bias'], state['project_ycond.logs']));
        target.set(
          `${prior}/classWeights`,
          tf.mul(tf.transpose(tensor(state['project_ycond.weight'])), logs),
        );
        target.set('classifier/kernel', tf.transpose(tensor(state['project_class.weight'])));
        target.set('classifier/bias', tensor(state['project_class.bias']));
        target.set('classifier/logScale', tensor(state['project_class.logs']));
      }
      target.set(`${prior}/bias`, bias);
    }
    return target.finish() as never;
  }) as Glow;
}

function fromRosinality(config: ReferenceConfig, state: State, lu: boolean): Glow {
  const target = new Target(
    new Glow({
      imageShape: [config.image_size, config.image_size, config.in_channel],
      levels: config.n_block,
      stepsPerLevel: config.n_flow,
      hiddenChannels: config.filter_size,
      networkActnorm: false,
      padding: 'zero',
      lastPadding: 'edge',
      learnTop: 'spatial',
      lu,
    }),
  );
  return tf.tidy(() => {
    const root = 'bijector/multiscale';
    for (let level = 0; level < config.n_block; level++) {
      for (let step = 0; step < config.n_flow; step++) {
        const from = `blocks.${level}.flows.${step}`;
        const to = `${root}/level${level}/step${step}`;
        const scale = tensor(state[`${from}.actnorm.scale`]);
        target.set(`${to}/actnorm/bias`, tensor(state[`${from}.actnorm.loc`]));
        target.set(`${to}/actnorm/logScale`, tf.log(tf.abs(scale)));
        const part = (key: string) => state[`${from}.invconv.${key}`];
        const matrix = luProduct(
          part('w_p'),
          part('w_l'),
          part('w_u'),
          part('s_sign'),
          part('w_s'),
        ).transpose();
        // A negative actnorm scale is a sign of the matrix's row instead.
        const signs = tf.sign(scale).dataSync();
        for (let i = 0; i < matrix.rows; i++)
          matrix.row(i).forEach((w, j, row) => {
            row[j] = w * signs[i];
          });
        target.setMatrix(`${to}/invconv`, matrix);
        const network = `${to}/coupling/network`;
        for (const [i, layer] of ['first', 'second'].entries()) {
          target.set(`${network}/${layer}/kernel`, kernel(state[`${from}.coupling.net.${2 * i}.weight`]));
          target.set(`${network}/${layer}/bias`, tensor(state[`${from}.coupling.net.${2 * i}.bias`]));
        }
        setLast(target, `${network}/last`, swapHalves, {
          weight: state[`${from}.coupling.net.4.conv.weight`],
          bias: state[`${from}.coupling.net.4.conv.bias`],
          logs: state[`${from}.coupling.net.4.scale`],
        });
      }
      const prior = {
        weight: state[`blocks.${level}.prior.conv.weight`],
        bias: state[`blocks.${level}.prior.conv.bias`],
        logs: state[`blocks.${level}.prior.scale`],
      };
      if (level < config.n_block - 1) {
        setLast(target, `${root}/level${level}/split/network`, keep, prior);
      } else {
        const side = config.image_size / 2 ** config.n_block;
        const frame = tf.pad(
          tf.zeros([1, side, side, 1]),
          [
            [0, 0],
            [1, 1],
            [1, 1],
            [0, 0],
          ],
          1,
        );
        const border = tf.conv2d(
          frame as tf.Tensor4D,
          tf.sum(kernel(prior.weight), 2, true) as tf.Tensor4D,
          1,
          'valid',
        );
        const logs = tf.exp(tf.mul(tf.reshape(tensor(prior.logs), [-1]), 3));
        target.set(`${root}/level${level}/prior/bias`, tf.mul(tf.add(border, tensor(prior.bias)), logs));
      }
    }
    return target.finish() as never;
  }) as Glow;
}

/** A zero-initialized convolution; padding with ones is an edge kernel that sums over the inputs. */
function setLast(
  target: Target,
  name: string,
  heads: (x: tf.Tensor) => tf.Tensor,
  { weight, bias, logs }: { weight: NdArray; bias: NdArray; logs: NdArray },
): void {
  const weights = heads(kernel(weight));
  target.set(`${name}/kernel`, weights);
  if (target.glow.weights.some((entry) => entry.name === `${name}/edgeKernel`)) {
    target.set(`${name}/edgeKernel`, tf.sum(weights, 2, true));
  }
  target.set(`${name}/bias`, heads(tf.reshape(tensor(bias), [1, -1])));
  target.set(`${name}/logScale`, heads(tf.reshape(tensor(logs), [1, -1])));
}
