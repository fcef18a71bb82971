import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, Chain, ConfigError, deserializeModule, Module, serializeModule } from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { building } from '../../src/core/module';
import { leavesNoTensors } from '../support/leaks';

class Part extends Module {
  static readonly className = 'TestPart';
  constructor(name: string, context?: readonly number[] | Record<string, readonly number[]>) {
    super(name);
    this.addWeight('weight', tf.ones([2]));
    this.addConstant(tf.ones([1]));
    this.declareContext(context);
  }
  getConfig() {
    return {};
  }
}

class Whole extends Module {
  static readonly className = 'TestWhole';
  constructor(...parts: Part[]) {
    super('whole');
    for (const part of parts) this.addChild(part);
  }
  getConfig() {
    return {};
  }
}

beforeAll(() => tf.setBackend('cpu'));

describe('Module', () => {
  it.each(['a/b', '/', '', undefined])("refuses the name '%s': '/' separates names in files", (name) => {
    expect(() => new Part(name as string)).toThrow(ConfigError);
    expect(() => new Part(name as string)).toThrow("TestPart: expected a name without '/'");
  });

  it('is conditioned on what it and its children declare', () => {
    expect(new Part('a').contextShape).toBeUndefined();
    expect(new Whole(new Part('a'), new Part('b', [3])).contextShape).toEqual([3]);
    const whole = new Whole(new Part('a', { x: [1] }), new Part('b', { y: [2], x: [1] }));
    expect(whole.contextShape).toEqual({ x: [1], y: [2] });
    expect(() => new Whole(new Part('a', [2]), new Part('b', [3]))).toThrow(ConfigError);
  });
});

describe('building', () => {
  it('frees every weight and constant where it fails, and none where it does not', () =>
    leavesNoTensors(() => {
      const fail = () => {
        new Part('a');
        building(() => new Part('b'));
        throw new RangeError('no');
      };
      expect(() => building(fail)).toThrow(RangeError);
      expect(() => building(() => new Whole(new Part('a', [2]), new Part('b', [3])))).toThrow(ConfigError);
      const whole = building(() => new Whole(new Part('a'), new Part('b')));
      expect(whole.dispose().disposedTensors).toBe(4);
    }));

  it('a failure inside, caught, frees its own alone', () =>
    leavesNoTensors(() => {
      const kept = building(() => {
        const part = new Part('a');
        expect(() =>
          building(() => {
            new Part('b');
            throw new RangeError('no');
          }),
        ).toThrow(RangeError);
        return part;
      });
      expect(kept.dispose().disposedTensors).toBe(2);
    }));
});

it('a file whose last member is broken leaves nothing of the members before it', () =>
  leavesNoTensors(() => {
    const chain = new Chain({
      bijectors: [new ActNorm({ inputShape: [2], name: 'a' }), new ActNorm({ inputShape: [2], name: 'b' })],
    });
    const json = JSON.parse(JSON.stringify(serializeModule(chain)));
    chain.dispose();
    json.config.bijectors[1].config.inputShape = [-1];
    expect(() => deserializeModule(json)).toThrow(ConfigError);
  }));
