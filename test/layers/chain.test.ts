import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  AffineCoupling,
  type Bijector,
  type BothWays,
  Chain,
  ConvolutionNetwork,
  InvConv1x1,
  Permutation,
  RandomStream,
  type Reversed,
  ReversePass,
  Squeeze,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';

const inputShape = [4, 4, 6];
const images = (n: number) => new RandomStream(4).normal([n, ...inputShape], 3, 2);
const actnorm = (name?: string) => new ActNorm({ inputShape, name });
const rotation = (name?: string) => new InvConv1x1({ inputShape, name, seed: 1, parameterization: 'lu' });

/** A permutation that takes in a permutation before it, and says what was asked of the two together. */
class Absorbing extends Permutation {
  readonly calls: string[] = [];

  override absorb(before: Bijector): BothWays | undefined {
    if (!(before instanceof Permutation)) return undefined;
    const call = (name: string, passes: BothWays[], x: tf.Tensor) => {
      this.calls.push(name);
      const [first, second] = name === 'forward' ? passes : passes.reverse();
      const pass = (map: BothWays, value: tf.Tensor) =>
        name === 'forward' ? map.forward(value) : map.inverse(value);
      return pass(second, pass(first, x).value);
    };
    return {
      forward: (x) => call('forward', [before, this], x),
      inverse: (y) => call('inverse', [before, this], y),
    };
  }
}

describe('a member that absorbs the one before it', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('is asked in both directions; initialization, traces and the way back go through each member', () => {
    const options = { inputShape, seed: 2, order: 'shuffle' } as const;
    const absorbing = new Absorbing({ ...options, name: 'second' });
    const chain = new Chain({
      bijectors: [actnorm(), new Permutation({ ...options, name: 'first' }), absorbing],
    });
    tf.tidy(() => {
      const x = images(3);
      const { value, logDet } = chain.forward(x);
      chain.inverse(value);
      expect(absorbing.calls).toEqual(['forward', 'inverse']);
      const names: string[] = [];
      const traced = chain.trace(x, ({ name }) => void names.push(name));
      expect(names).toEqual(['chain/actnorm', 'chain/first', 'chain/second']);
      expect(traced.value.dataSync()).toEqual(value.dataSync());
      const pass = new ReversePass({ logDetGradient: logDet });
      chain.reverse({ value, gradient: value }, pass);
      pass.dispose();
      chain.initialize(x);
      expect(absorbing.calls).toEqual(['forward', 'inverse']);
    });
    chain.dispose();
  });
});

describe('a chain among the members', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('is run member by member, across whose ends they absorb each other', () => {
    const order = () => ({ inputShape, seed: 2, order: 'shuffle' as const });
    const absorbing = new Absorbing({ ...order(), name: 'second' });
    const inner = new Chain({ bijectors: [actnorm(), new Permutation(order())], name: 'inner' });
    const chain = new Chain({ bijectors: [inner, absorbing] });
    tf.tidy(() => {
      const x = images(3);
      const { value, logDet } = chain.forward(x);
      const back = chain.inverse(value);
      expect(absorbing.calls).toEqual(['forward', 'inverse']);
      const traced = chain.trace(x, () => {});
      expect(value.dataSync()).toEqual(traced.value.dataSync());
      expect(logDet.dataSync()).toEqual(traced.logDet.dataSync());
      expect(tf.max(tf.abs(tf.add(back.logDet, logDet))).dataSync()[0]).toBeLessThan(1e-5);
    });
    chain.dispose();
  });

  it('goes its own way back where a subclass has one, and shows what a subclass shows', () => {
    const calls: string[] = [];
    class OwnTrace extends Chain {
      override trace(...given: Parameters<Chain['trace']>) {
        calls.push('trace');
        return super.trace(...given);
      }
    }
    class OwnReverse extends Chain {
      protected override computeReverse(output: Reversed, pass: ReversePass, name: string) {
        calls.push(name);
        return super.computeReverse(output, pass, name);
      }
    }
    class Plain extends Chain {}
    const permutation = (name: string) => new Permutation({ inputShape, name });
    const chain = new Chain({
      bijectors: [
        new OwnTrace({ bijectors: [permutation('a')], name: 'trace' }),
        new OwnReverse({ bijectors: [permutation('b')], name: 'reverse' }),
        new Plain({ bijectors: [permutation('c')], name: 'plain' }),
      ],
    });
    tf.tidy(() => {
      const names: string[] = [];
      const visit = ({ name }: { name: string }) => void names.push(name);
      const { value, logDet } = chain.trace(images(2), visit, undefined, 'chain', true);
      expect(names).toEqual(['chain/trace/a', 'chain/reverse/b', 'chain/plain/c']);
      const pass = new ReversePass({ logDetGradient: logDet });
      chain.reverse({ value, gradient: value }, pass);
    });
    expect(calls).toEqual(['trace', 'chain/reverse']);
    chain.dispose();
  });

  it('runs itself where a subclass computes, and says that it is disposed', () => {
    class Doubled extends Chain {
      protected override computeForward(x: tf.Tensor) {
        const { value, logDet } = super.computeForward(x);
        return { value: tf.mul(value, 2), logDet };
      }
    }
    const inner = new Doubled({ bijectors: [new Permutation({ inputShape, order: 'reverse' })] });
    const chain = new Chain({ bijectors: [inner] });
    tf.tidy(() => {
      const { value } = chain.forward(tf.ones([1, ...inputShape]));
      expect(new Set(value.dataSync())).toEqual(new Set([2]));
    });
    inner.dispose();
    expect(() => chain.forward(tf.ones([1, ...inputShape]))).toThrow('disposed');
    chain.dispose();
  });

  it('adds log-determinants that are one number as such', async () => {
    const squeeze = new Squeeze({ inputShape });
    const chain = new Chain({
      bijectors: [squeeze, new Permutation({ inputShape: [2, 2, 24], seed: 1, order: 'shuffle' })],
    });
    const x = images(2);
    const { kernels } = await tf.profile(() => tf.tidy(() => void chain.forward(x)));
    expect(kernels.map(({ name }) => name)).not.toContain('Add');
    const { value, logDet } = chain.forward(x);
    expect([...logDet.dataSync()]).toEqual([0, 0]);
    tf.dispose([x, value, logDet]);
    chain.dispose();
  });
});

describe('actnorm and the 1x1 convolution after it, on wasm', () => {
  beforeAll(async () => {
    await prepareWasm({ threads: 1 });
  });

  const kernelsOf = async (run: () => void) => {
    const { kernels } = await tf.profile(() => tf.tidy(run));
    return kernels.map(({ name }) => name);
  };
  const forwardKernels = (chain: Chain) =>
    kernelsOf(() => void chain.forward(tf.zeros([2, ...chain.inputShape])));

  it('are one kernel each way', async () => {
    const chain = new Chain({ bijectors: [actnorm(), rotation()] });
    const x = images(2);
    for (const run of [() => void chain.forward(x), () => void chain.inverse(x)]) {
      const names = await kernelsOf(run);
      expect(names.filter((name) => name === 'FlowScaledLinear')).toHaveLength(1);
      expect(names).not.toContain('FlowScaleChannels');
      expect(names).not.toContain('BatchMatMul');
    }
    x.dispose();
    chain.dispose();
  });

  it('are one kernel there, and one back, on the way of reversible gradients, and an anchor stands before them', () => {
    const chain = new Chain({ bijectors: [actnorm(), rotation()] });
    tf.tidy(() => {
      const x = images(2);
      const seen: string[] = [];
      const { value, logDet } = chain.trace(x, ({ name }) => void seen.push(name), undefined, 'chain', true);
      expect(seen).toEqual(['chain/actnorm']);
      const back = (anchors?: Map<string, tf.Tensor>) => {
        const pass = new ReversePass({ logDetGradient: logDet, anchors });
        const before = chain.reverse({ value, gradient: value }, pass);
        pass.dispose();
        return before;
      };
      const anchor = tf.keep(tf.clone(x));
      const [inverted, kept] = [back(), back(new Map([['chain/actnorm', anchor]]))];
      expect(tf.max(tf.abs(tf.sub(inverted.value, x))).dataSync()[0]).toBeLessThan(1e-5);
      expect(kept.value.dataSync()).toEqual(x.dataSync());
      expect(anchor.isDisposed).toBe(true);
      const apart = tf.max(tf.abs(tf.sub(inverted.gradient, kept.gradient))).dataSync()[0];
      expect(apart).toBeLessThan(1e-5);
    });
    chain.dispose();
  });

  it('are one for subclasses that compute nothing of their own', async () => {
    class Named extends ActNorm {}
    const chain = new Chain({ bijectors: [new Named({ inputShape }), rotation()] });
    expect(await forwardKernels(chain)).toContain('FlowScaledLinear');
    chain.dispose();
  });

  it('stay two where something is between them, the order is another, a subclass computes, or channels are many', async () => {
    class OtherNorm extends ActNorm {
      protected override computeForward(x: tf.Tensor) {
        return super.computeForward(x);
      }
    }
    class OtherRotation extends InvConv1x1 {
      protected override computeInverse(y: tf.Tensor) {
        return super.computeInverse(y);
      }
    }
    const between = () => new Permutation({ inputShape, order: 'reverse' });
    const wide = [1, 1, 193];
    for (const bijectors of [
      [actnorm(), between(), rotation()],
      [rotation(), actnorm()],
      [new OtherNorm({ inputShape }), rotation()],
      [actnorm(), new OtherRotation({ inputShape, seed: 1 })],
      [new ActNorm({ inputShape: wide }), new InvConv1x1({ inputShape: wide, seed: 1 })],
    ]) {
      const chain = new Chain({ bijectors });
      const names = await forwardKernels(chain);
      expect(names).not.toContain('FlowScaledLinear');
      expect(names).toContain('FlowScaleChannels');
      chain.dispose();
    }
  });

  it('are set by the first batch and agree with their members; two of them in a chain are two pairs', async () => {
    const members = [actnorm('a'), rotation('b'), actnorm('c'), rotation('d')];
    const chain = new Chain({ bijectors: members });
    const names = await forwardKernels(chain);
    expect(names.filter((name) => name === 'FlowScaledLinear')).toHaveLength(2);
    tf.tidy(() => {
      const x = images(5);
      const first = chain.initialize(x);
      expect(chain.initialized).toBe(true);
      const mean = tf.mean(members[0].forward(x).value).dataSync()[0];
      expect(Math.abs(mean)).toBeLessThan(1e-5);
      const { value, logDet } = chain.forward(x);
      const traced = chain.trace(x, () => {});
      // One product with its factors in another order: rounding of values around 1, and of log-dets around 30.
      for (const other of [first, traced.value]) {
        expect(tf.max(tf.abs(tf.sub(value, other))).dataSync()[0]).toBeLessThan(1e-5);
      }
      expect(tf.max(tf.abs(tf.sub(logDet, traced.logDet))).dataSync()[0]).toBeLessThan(1e-4);
      const back = chain.inverse(value);
      expect(tf.max(tf.abs(tf.sub(back.value, x))).dataSync()[0]).toBeLessThan(1e-5);
      expect(tf.max(tf.abs(tf.add(back.logDet, logDet))).dataSync()[0]).toBeLessThan(1e-4);
    });
    chain.dispose();
  });

  it('leave no tensors behind in a step of a flow', async () => {
    const build = (shape: number[]) =>
      Chain.from(shape, [
        (before) => new Squeeze({ inputShape: before }),
        (before) => new ActNorm({ inputShape: before }),
        (before) => new InvConv1x1({ inputShape: before, seed: 1, parameterization: 'lu' }),
        (before) =>
          new AffineCoupling({
            inputShape: before,
            network: (input, [, , filters]) =>
              new ConvolutionNetwork({ inputShape: input, filters, hiddenChannels: 8, seed: 1 }),
          }),
      ]);
    const chain = build([8, 8, 3]);
    const x = new RandomStream(1).normal([2, 8, 8, 3]);
    await leavesNoTensors(() => {
      const z = chain.forward(x);
      tf.dispose([z, chain.inverse(z.value)].map((result) => ({ ...result })));
    });
    const loss = () => tf.tidy(() => tf.sum(chain.forward(x).value) as tf.Scalar);
    await leavesNoTensors(() => {
      const { value, grads } = tf.variableGrads(loss, chain.trainableWeights);
      expect(Object.keys(grads)).toHaveLength(chain.trainableWeights.length);
      tf.dispose([value, ...Object.values(grads)]);
    });
    chain.dispose();
    x.dispose();
  });

  it('lose none where one that absorbs is absorbed in turn', () => {
    const order = [1, 2, 0];
    const chain = new Chain({
      bijectors: [
        new Permutation({ inputShape: [3], order, name: 'first' }),
        ...['second', 'third', 'fourth'].map((name) => new Absorbing({ inputShape: [3], order, name })),
      ],
    });
    const x = tf.tensor2d([[1, 2, 3]]);
    const { value, logDet } = chain.forward(x);
    // Four turns of three are one.
    expect([...value.dataSync()]).toEqual([2, 3, 1]);
    const back = chain.inverse(value);
    expect([...back.value.dataSync()]).toEqual([1, 2, 3]);
    const calls = chain.bijectors.map((bijector) => (bijector as Absorbing).calls);
    expect(calls).toEqual([undefined, ['forward', 'inverse'], [], ['forward', 'inverse']]);
    tf.dispose([x, value, logDet, { ...back }]);
    chain.dispose();
  });

  it('say which of them was disposed', () => {
    const chain = new Chain({ bijectors: [actnorm(), rotation()] });
    chain.bijectors[1].dispose();
    const x = images(1);
    expect(() => chain.forward(x)).toThrow("InvConv1x1.forward: 'invconv' was disposed.");
    x.dispose();
    chain.dispose();
  });
});
