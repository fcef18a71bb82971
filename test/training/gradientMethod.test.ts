import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  type Batch,
  type BijectiveLoss,
  type FitOptions,
  fit,
  Glow,
  type Progress,
  ProgressBar,
  RandomStream,
  realNvp,
  type Trainable,
} from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { GradientComputer } from '../../src/training/gradientMethod';
import { storedBytes } from '../../src/training/tapeBytes';
import { memoryHandler, ToyFlow, toyData, weightsOf } from './toys';

const PER_VALUE = 16;

const build = () =>
  new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 3, hiddenChannels: 16, nBits: 4, seed: 1 });

const images = (n: number) =>
  tf.tidy(() => tf.floor(new RandomStream(5).uniform([n, 8, 8, 1], 0, 16)) as tf.Tensor4D);

/** Bytes of everything that the tape of a loss keeps, by a walk that shares nothing with the estimate. */
function bytesHeld(model: Trainable, batch: Batch): number {
  const weights = new Set(model.weights.map(({ variable }) => variable.dataId));
  const held = new Map<object, number>();
  const spied = { ...model, loss: model.loss.bind(model) };
  tf.tidy(() => {
    tf.variableGrads(
      () => {
        const { loss } = spied.loss(batch, new RandomStream(1));
        const { state } = tf.engine() as unknown as { state: { activeTape: { saved?: tf.Tensor[] }[] } };
        for (const tensor of state.activeTape.flatMap(({ saved }) => saved ?? [])) {
          if (!weights.has(tensor.dataId)) held.set(tensor.dataId, 4 * tensor.size);
        }
        return loss;
      },
      model.weights.filter(({ trainable }) => trainable).map(({ variable }) => variable),
    );
  });
  return [...held.values()].reduce((sum, bytes) => sum + bytes, 0);
}

for (const backend of ['cpu', 'wasm']) {
  describe(`what 'auto' goes by on ${backend}`, () => {
    beforeEach(async () => {
      await (backend === 'wasm' ? prepareWasm({ threads: 1 }) : tf.setBackend('cpu'));
    });

    it('is what the tape holds, for one example and for many', () => {
      const glow = build();
      const before = tf.memory().numTensors;
      const x = images(12);
      const { fixed, perExample } = storedBytes(glow, { x });
      expect(tf.memory().numTensors).toBe(before + 1);
      for (const n of [1, 2, 5, 12]) {
        const part = tf.slice(x, 0, n);
        expect(Math.abs((fixed + n * perExample) / bytesHeld(glow, { x: part }) - 1)).toBeLessThan(0.02);
        part.dispose();
      }
      x.dispose();
      glow.dispose();
    });

    it('is what the tape holds of a flow with a context', () => {
      const flow = realNvp({ dimensions: 3, layers: 4, hiddenUnits: [16], context: 2, seed: 1 });
      const batch = { x: new RandomStream(1).normal([9, 3]), context: new RandomStream(2).normal([9, 2]) };
      const { fixed, perExample } = storedBytes(flow, batch);
      expect(Math.abs((fixed + 9 * perExample) / bytesHeld(flow, batch) - 1)).toBeLessThan(0.02);
      tf.dispose({ ...batch });
      flow.dispose();
    });
  });
}

describe("'auto'", () => {
  beforeEach(async () => {
    await tf.setBackend('cpu');
  });

  /** Methods that `auto` takes for batches of these sizes one after the other, with so much memory left. */
  function methods(model: Glow, sizes: number[], left: number): string[] {
    const computer = new GradientComputer(model, 'auto', {}, () => left);
    const reverse = vi.spyOn(model.bijector, 'reverse');
    expect(computer.chosen).toBeUndefined();
    const used = sizes.map((n) => {
      tf.tidy(() => {
        const x = images(n);
        if (computer.chosen === undefined) computer.compute({ x }, new RandomStream(1));
        reverse.mockClear();
        computer.compute({ x }, new RandomStream(1));
      });
      expect(reverse.mock.calls.length > 0).toBe(computer.chosen === 'reversible');
      return computer.chosen as string;
    });
    reverse.mockRestore();
    return used;
  }

  it('stores where the tape and what weights take in training fit into half of what is left, to the byte', () => {
    const glow = build();
    const before = tf.memory().numTensors;
    const { fixed, perExample } = tf.tidy(() => storedBytes(glow, { x: images(1) }) as never) as ReturnType<
      typeof storedBytes
    >;
    const needed = (n: number) => fixed + n * perExample + PER_VALUE * glow.parameterCount;
    expect(methods(glow, [6], 2 * needed(6))).toEqual(['stored']);
    expect(methods(glow, [6], 2 * needed(6) - 2)).toEqual(['reversible']);
    // A larger batch turns it, a smaller one does not turn it back.
    expect(methods(glow, [2, 6, 2], 2 * needed(6) - 2)).toEqual(['stored', 'reversible', 'reversible']);
    expect(methods(glow, [6], 0)).toEqual(['reversible']);
    expect(methods(glow, [6], Number.POSITIVE_INFINITY)).toEqual(['stored']);
    expect(tf.memory().numTensors).toBe(before);
    glow.dispose();
  });

  it('asks for what is left once, and goes on by a choice that was restored', () => {
    const glow = build();
    const left = vi.fn(() => 0);
    const first = new GradientComputer(glow, 'auto', {}, left);
    const again = new GradientComputer(glow, 'auto', {}, () => Number.POSITIVE_INFINITY);
    const explicit = new GradientComputer(glow, 'stored', {}, left);
    expect(first.state()).toBeNull();
    tf.tidy(() => {
      first.compute({ x: images(2) }, new RandomStream(1));
      first.compute({ x: images(3) }, new RandomStream(1));
      const choice = JSON.parse(JSON.stringify(first.state()));
      expect(choice).toEqual({ chosen: 'reversible', budget: 0 });
      for (const computer of [again, explicit]) {
        computer.restore(choice);
        computer.compute({ x: images(2) }, new RandomStream(1));
      }
    });
    expect(left).toHaveBeenCalledTimes(1);
    expect([again.chosen, explicit.chosen]).toEqual(['reversible', 'stored']);
    glow.dispose();
  });

  it('never takes reversible gradients where a weight would go without one', () => {
    // A weight before the bijector, of which the loss taken apart knows nothing.
    class Shifted extends Glow {
      static override className = 'TestShiftedGlow';
      readonly shift = this.addWeight('shift', tf.scalar(0));
      override loss({ x }: Batch, random: RandomStream) {
        return super.loss({ x: tf.add(x, this.shift) }, random);
      }
      override bijectiveLoss(batch: Batch, random: RandomStream): BijectiveLoss | undefined {
        return Glow.prototype.bijectiveLoss.call(
          Object.create(this, { loss: { value: Glow.prototype.loss } }),
          batch,
          random,
        );
      }
    }
    const flow = new Shifted({
      imageShape: [4, 4, 1],
      levels: 1,
      stepsPerLevel: 1,
      hiddenChannels: 4,
      nBits: 4,
      seed: 1,
    });
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const x = tf.floor(new RandomStream(5).uniform([2, 4, 4, 1], 0, 16));
      const computer = new GradientComputer(flow, 'auto', {}, () => 0);
      const { gradients } = computer.compute({ x }, new RandomStream(1));
      expect(computer.chosen).toBe('stored');
      expect(gradients.every((gradient) => gradient !== null)).toBe(true);
    });
    expect(tf.memory().numTensors).toBe(before);
    flow.dispose();
  });

  it('leaves nothing where the loss throws', () => {
    const glow = build();
    vi.spyOn(glow, 'loss').mockImplementation(() => {
      tf.square(glow.trainableWeights[0]);
      throw new Error('broken');
    });
    const x = images(2);
    const before = tf.memory().numTensors;
    for (const method of ['auto', 'stored'] as const) {
      const computer = new GradientComputer(glow, method, {}, () => 0);
      expect(() => computer.compute({ x }, new RandomStream(1))).toThrow('broken');
    }
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
    glow.dispose();
  });
});

describe('fit', () => {
  const options: FitOptions = { batchSize: 4, seed: 3, progress: 'none' };

  beforeEach(async () => {
    await tf.setBackend('cpu');
  });

  it.each([
    ['auto', 'stored'],
    ['stored', 'stored'],
    ['reversible', 'reversible'],
  ] as const)("says in its history and progress what '%s' is", async (gradients, chosen) => {
    const flow = realNvp({ dimensions: 2, layers: 2, hiddenUnits: [4], seed: 1 });
    const reports: Progress[] = [];
    const onProgress = (progress: Progress) => reports.push(progress);
    const history = await fit(flow, toyData(8), { ...options, gradients, onProgress });
    expect(history.gradients).toBe(chosen);
    expect(reports.map((report) => report.gradients)).toEqual([chosen, chosen, chosen]);
    for (const style of ['lines', 'bar'] as const) {
      const written: string[] = [];
      const bar = new ProgressBar(style, { write: (text) => void written.push(text) }, () => 0);
      for (const report of reports) bar.show(report);
      expect(written[0]).toBe(`gradients: ${chosen}\n`);
      expect(written.filter((text) => text.includes('gradients'))).toHaveLength(1);
    }
    flow.dispose();
  });

  it('resumed chooses as the run that wrote the checkpoint, whatever is left then', async () => {
    const flows = [0, 1, 2].map(() => realNvp({ dimensions: 2, layers: 2, hiddenUnits: [4], seed: 1 }));
    const left = vi.spyOn(process, 'availableMemory' as never) as unknown as {
      mockReturnValue(bytes: number): void;
      mockRestore(): void;
    };
    left.mockReturnValue(0);
    const whole = await fit(flows[0], toyData(16), { ...options, epochs: 2 });
    expect(whole.gradients).toBe('reversible');
    const location = memoryHandler();
    await fit(flows[1], toyData(16), { ...options, steps: 3, checkpoint: { location } });
    left.mockReturnValue(1e12);
    const resumed = await fit(flows[2], toyData(16), { ...options, epochs: 2, resume: location });
    expect(resumed).toEqual(whole);
    expect(weightsOf(flows[2])).toEqual(weightsOf(flows[0]));
    left.mockRestore();
    for (const flow of flows) flow.dispose();
  });

  it('says nothing of a model without a reversible form but that gradients are stored', async () => {
    const model = new ToyFlow();
    expect((await fit(model, toyData(8), options)).gradients).toBe('stored');
    model.dispose();
  });
});
