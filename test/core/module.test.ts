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

/** Conditioned on labels of three classes, initialized when it is told so; one of its two weights is fixed. */
class Told extends Module {
  static readonly className = 'TestTold';
  private told = false;
  constructor(
    name: string,
    readonly labels?: Record<string, readonly number[]>,
  ) {
    super(name);
    this.addWeight('trained', tf.ones([2]));
    this.addWeight('fixed', tf.ones([1]), false);
    this.declareLabels(labels);
  }
  override get initialized() {
    return this.told;
  }
  override markInitialized() {
    this.told = true;
  }
  getConfig() {
    return {};
  }
}

class Whole extends Module {
  static readonly className = 'TestWhole';
  constructor(...parts: Module[]) {
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

describe('a tree of modules', () => {
  it('has its own weights first, then those of its members under their names, fixed ones apart', () =>
    leavesNoTensors(() => {
      const whole = new Whole(new Told('a'), new Told('b'));
      const outer = new (class Outer extends Whole {
        constructor() {
          super(whole);
          this.addWeight('own', tf.ones([4]));
        }
      })();
      const names = ['whole/a/trained', 'whole/a/fixed', 'whole/b/trained', 'whole/b/fixed'];
      expect(outer.weights.map(({ name }) => name)).toEqual(['own', ...names]);
      expect(outer.trainableWeights.map(({ size }) => size)).toEqual([4, 2, 2]);
      expect(outer.nonTrainableWeights.map(({ size }) => size)).toEqual([1, 1]);
      expect(outer.parameterCount).toBe(8);
      outer.dispose();
    }));

  it('is initialized when all members are, and tells them', () => {
    const [a, b] = [new Told('a'), new Told('b')];
    const whole = new Whole(a, b);
    a.markInitialized();
    expect([a.initialized, b.initialized, whole.initialized]).toEqual([true, false, false]);
    whole.markInitialized();
    expect([b.initialized, whole.initialized]).toEqual([true, true]);
    whole.dispose();
  });

  it('knows which parts of its context are labels', () => {
    const whole = new Whole(new Told('a', { digit: [3] }), new Part('b', { pose: [2] }));
    expect([...whole.labelParts]).toEqual(['digit']);
    expect([...new Whole(new Part('c', [2])).labelParts]).toEqual([]);
  });

  it('takes each name once', () => {
    expect(() => new Whole(new Part('a'), new Part('a'))).toThrow(ConfigError);
    expect(() => new Whole(new Part('a'), new Part('a'))).toThrow(
      "members with different names, got 'a' twice",
    );
  });

  it('frees what its members have left', () =>
    leavesNoTensors(() => {
      const [a, b] = [new Part('a'), new Part('b')];
      const whole = new Whole(a, b);
      expect(a.dispose().disposedTensors).toBe(2);
      expect(whole.dispose().disposedTensors).toBe(2);
      expect(b.disposed).toBe(true);
    }));
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

  it('what is built after something inside is freed, too', () =>
    leavesNoTensors(() => {
      const fail = () => {
        building(() => new Part('a'));
        new Part('b');
        throw new RangeError('no');
      };
      expect(() => building(fail)).toThrow(RangeError);
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
