import '@tensorflow/tfjs-backend-webgl';
import * as tf from '@tensorflow/tfjs-core';
import { fit, Glow, type History, loadFlow, loadModule, RandomStream, saveModule } from 'tfjs-flows';
import { ToyFlow, toyData, weightsOf } from '../../training/toys';

/** What the test in Node calls in the page. */
export interface TrainingPage {
  /** Saves and loads a trained module; its weights before and after. */
  roundTrip(url: string): Promise<[Record<string, number[]>, Record<string, number[]>]>;
  /** A Glow trained to the end, and one that stopped, kept its checkpoint in IndexedDB and resumed. */
  resume(): Promise<{ whole: History; resumed: History; difference: number }>;
  /** Tensors and timer ticks during 40 steps of training. */
  live(): Promise<{ counts: number[]; ticks: number }>;
}

const quiet = { seed: 5, batchSize: 8 };

const page: TrainingPage = {
  async roundTrip(url) {
    const model = new ToyFlow();
    await fit(model, toyData(16), quiet);
    await saveModule(model, url);
    const loaded = await loadModule<ToyFlow>(url);
    return [weightsOf(model), weightsOf(loaded)];
  },

  async resume() {
    // tfjs computes small tensors wherever they happen to be; after loading that is the host, with other last bits.
    tf.env().set('WEBGL_CPU_FORWARD', false);
    await tf.setBackend('webgl');
    const random = new RandomStream(1);
    const x = Uint8Array.from({ length: 24 * 64 }, () => random.integer(256));
    const data = { x, shape: [8, 8, 1] };
    const make = () =>
      new Glow({ imageShape: [8, 8, 1], levels: 2, stepsPerLevel: 1, hiddenChannels: 4, seed: 3 });
    const location = 'indexeddb://checkpoint';
    const models = [make(), make(), make()];
    const options = { ...quiet, epochs: 2, average: 0.9 };
    const whole = await fit(models[0], data, options);
    await fit(models[1], data, { ...options, steps: 2, checkpoint: { location } });
    const resumed = await fit(models[2], data, { ...options, resume: location });
    await models[2].save('indexeddb://glow');
    const loaded = await loadFlow<Glow>('indexeddb://glow');
    const [a, b] = [models[0], loaded].map((model) => Object.values(weightsOf(model)).flat());
    return { whole, resumed, difference: Math.max(...a.map((value, i) => Math.abs(value - b[i]))) };
  },

  async live() {
    const model = new ToyFlow();
    const counts: number[] = [];
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const onBatchEnd = () => void counts.push(tf.memory().numTensors);
    await fit(model, toyData(80), { ...quiet, epochs: 4, yieldEvery: 'step', callbacks: { onBatchEnd } });
    clearInterval(timer);
    return { counts, ticks };
  },
};

Object.assign(globalThis, { page });
