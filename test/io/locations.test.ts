import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  ConfigError,
  Flow,
  fit,
  loadFlow,
  loadModule,
  Module,
  moduleToArtifacts,
  registerModule,
  saveModule,
} from 'tfjs-flows';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';
import { memoryHandler, ToyFlow, toyData, weightsOf } from '../training/toys';

beforeEach(() => tf.setBackend('cpu'));

function modelOf(size: number): ActNorm {
  return new ActNorm({ inputShape: [size] });
}

const sizeOf = (artifacts?: tf.io.ModelArtifacts) => artifacts?.weightSpecs?.[0].shape[0];

describe('saves to one location', () => {
  it('run in the order of their calls, one at a time', async () => {
    const events: string[] = [];
    const handler = tf.io.withSaveHandler(async (artifacts) => {
      const size = sizeOf(artifacts) as number;
      events.push(`begin ${size}`);
      // The first takes longest.
      await new Promise((resolve) => setTimeout(resolve, 20 / size));
      events.push(`end ${size}`);
      if (size === 2) throw new Error('full');
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    });
    const models = [1, 2, 3].map(modelOf);
    const saves = await Promise.allSettled(models.map((model) => saveModule(model, handler)));
    expect(saves.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(events).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
    for (const model of models) model.dispose();
  });

  it('wait for the one before them, whenever they come', async () => {
    const events: string[] = [];
    const handler = tf.io.withSaveHandler(async (artifacts) => {
      const size = sizeOf(artifacts) as number;
      events.push(`begin ${size}`);
      await new Promise((resolve) => setTimeout(resolve, size === 2 ? 30 : 1));
      events.push(`end ${size}`);
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    });
    const models = [1, 2, 3].map(modelOf);
    const first = saveModule(models[0], handler);
    const second = saveModule(models[1], handler);
    await first;
    await Promise.resolve();
    await Promise.all([second, saveModule(models[2], handler)]);
    expect(events).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
    for (const model of models) model.dispose();
  });

  it('hold the weights of the moment of the call', async () => {
    const handler = memoryHandler();
    const model = modelOf(1);
    const first = saveModule(model, handler);
    const second = saveModule(model, handler);
    for (const { variable } of model.weights) tf.tidy(() => variable.assign(tf.fill([1], 7)));
    await Promise.all([first, second]);
    const loaded = await loadModule<ActNorm>(handler);
    expect(weightsOf(loaded)).toEqual({ bias: [0], logScale: [0] });
    model.dispose();
    loaded.dispose();
  });

  it('do not wait for saves to others', async () => {
    const never = tf.io.withSaveHandler(() => new Promise(() => undefined));
    const model = modelOf(1);
    void saveModule(model, never);
    const handler = memoryHandler();
    await saveModule(model, handler);
    expect(handler.saves).toBe(1);
    model.dispose();
  });
});

describe('a location', () => {
  it('is served by the handler that was registered last', async () => {
    const saved: string[] = [];
    for (const name of ['first', 'last']) {
      const handler = tf.io.withSaveHandler(async () => {
        saved.push(name);
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      });
      tf.io.registerSaveRouter((url) => (url === 'ours://a' ? handler : (null as never)));
    }
    const model = modelOf(1);
    await saveModule(model, 'ours://a');
    expect(saved).toEqual(['last']);
    model.dispose();
  });

  const flow = () => new Flow({ bijector: modelOf(2) });
  const wrong: [unknown, RegExp][] = [
    [undefined, /or a tf\.io handler, got a missing value \(undefined\)/],
    [null, /got a missing value \(null\)/],
    [3, /got 3/],
    [{}, /got an object/],
    [Promise.resolve('indexeddb://a'), /got a Promise\. await it first/],
    ['', /a URL that tf\.io can handle here, got ''/],
    ['models/mine', /Paths of files are written 'file:\/\/path'/],
  ];

  it.each(wrong)('%o is refused by every verb that takes one', async (location, message) => {
    const model = flow();
    const given = location as string;
    const data = toyData(4);
    const tensors = tf.memory().numTensors;
    for (const attempt of [
      () => saveModule(model, given),
      () => loadModule(given),
      () => loadFlow(given),
      () => model.save(given),
      () => fit(model, data, { progress: 'none', checkpoint: { location: given } }),
    ]) {
      const error = await attempt().then(
        () => undefined,
        (reason) => reason,
      );
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(message);
    }
    // Known before the first step, not after the last.
    expect(model.initialized).toBe(false);
    expect(tf.memory().numTensors).toBe(tensors);
    model.dispose();
  });
});

describe('localstorage://', () => {
  const before = (globalThis as { window?: unknown }).window;
  let stored: Map<string, string>;
  let quota: number;

  /** Local storage in memory with room for so many characters. */
  beforeEach(() => {
    stored = new Map();
    quota = 4000;
    const used = () => [...stored].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    const localStorage = {
      getItem: (key: string) => stored.get(key) ?? null,
      removeItem: (key: string) => stored.delete(key),
      setItem(key: string, value: string) {
        if (used() - (stored.get(key)?.length ?? -key.length) + value.length > quota) {
          throw new Error('QuotaExceededError');
        }
        stored.set(key, value);
      },
    };
    Object.assign(globalThis, { window: { localStorage } });
    tf.env().set('IS_BROWSER', true);
  });

  afterEach(() => {
    tf.env().set('IS_BROWSER', false);
    Object.assign(globalThis, { window: before });
  });

  it('keeps the model that was there where a save fails, and says where there is room', async () => {
    const [small, large] = [modelOf(2), modelOf(600)];
    await saveModule(small, 'localstorage://mine');
    const kept = new Map(stored);
    const error = await saveModule(large, 'localstorage://mine').catch((reason) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(
      /expected room .* for 0\.00480 MB of weights, as base64, got 'Failed to save/,
    );
    expect(error.message).toMatch(/the model that was there is there still\..*'indexeddb:\/\/mine'/);
    expect(error.cause.message).toMatch(/size quota/);
    const loaded = await loadModule<ActNorm>('localstorage://mine');
    expect(weightsOf(loaded)).toEqual(weightsOf(small));
    expect([...stored.keys()].sort()).toEqual([...kept.keys()].sort());
    for (const model of [small, large, loaded]) model.dispose();
  });

  it('says that nothing was there, or that it could not be put back', async () => {
    const [small, large] = [modelOf(2), modelOf(600)];
    await expect(saveModule(large, 'localstorage://mine')).rejects.toThrow(/no model was there/);
    expect(stored.size).toBe(0);
    await saveModule(small, 'localstorage://mine');
    quota = 10;
    await expect(saveModule(small, 'localstorage://mine')).rejects.toThrow(/could not be put back/);
    small.dispose();
    large.dispose();
  });

  it('has room for as large a model as before', async () => {
    const model = modelOf(2);
    await saveModule(model, 'localstorage://mine');
    quota = [...stored].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    await saveModule(model, 'localstorage://mine');
    model.dispose();
  });

  it('serves checkpoints, too', async () => {
    quota = 20_000;
    const model = new ToyFlow();
    const options = { progress: 'none', seed: 1, batchSize: 8 } as const;
    const location = 'localstorage://run';
    await fit(model, toyData(16), { ...options, steps: 1, checkpoint: { location } });
    const history = await fit(model, toyData(16), { ...options, steps: 2, resume: location });
    expect(history.losses).toHaveLength(2);
    model.dispose();
  });
});

/** Weights whose names in a file would be one, through a weight's own name. */
class Colliding extends Module {
  static readonly className = 'TestColliding';

  constructor(own: string) {
    super('top');
    this.addWeight(own, tf.zeros([2]));
    this.addChild(new ActNorm({ inputShape: [3], name: 'part' }));
  }

  getConfig(): tf.serialization.ConfigDict {
    return {};
  }
}
registerModule(Colliding);

describe('two weights of one name', () => {
  it('are refused, and both are named', async () => {
    const model = new Colliding('part/bias');
    await leavesNoTensors(async () => {
      const handler = memoryHandler();
      const error = await saveModule(model, handler).catch((reason) => reason);
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(
        /expected weights with different names, got 'part\/bias' for one of \[2\] and for one of \[3\]/,
      );
      await expect(moduleToArtifacts(model)).rejects.toThrow(/part\/bias/);
      expect(handler.saves).toBe(0);
    });
    model.dispose();
    const other = new Colliding('part-bias');
    await saveModule(other, memoryHandler());
    other.dispose();
  });
});
