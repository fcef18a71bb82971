import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { prepareWasm } from 'tfjs-flows/wasm';
import { expect, it } from 'vitest';
import { memoryLeft } from '../../src/engine/memory';

const GIB = 2 ** 30;

it('asks Node for what is free, and a page for its device, of which half counts', async () => {
  await tf.setBackend('cpu');
  const used = tf.memory().numBytes;
  expect(memoryLeft({ process: { availableMemory: () => 5e9 }, navigator: { deviceMemory: 1 } })).toBe(5e9);
  expect(memoryLeft({ navigator: { deviceMemory: 8 } })).toBe(4 * GIB - used);
  expect(memoryLeft({ navigator: { deviceMemory: 0.5 } })).toBe(0.25 * GIB - used);
  // Browsers that do not say, and Node before 20.13.
  expect(memoryLeft({ navigator: {} })).toBe(2 * GIB - used);
  expect(memoryLeft({ process: {} })).toBe(2 * GIB - used);
});

it('takes off what values take already, and is never less than nothing', async () => {
  await tf.setBackend('cpu');
  const place = { navigator: { deviceMemory: 2 } };
  const before = memoryLeft(place);
  const x = tf.zeros([1000]);
  expect(before - memoryLeft(place)).toBe(4000);
  expect(memoryLeft({ navigator: { deviceMemory: 0 } })).toBe(0);
  x.dispose();
});

it('goes no further than the 4 GiB of the wasm heap', async () => {
  await prepareWasm({ threads: 1 });
  const plenty = { process: { availableMemory: () => 64 * GIB } };
  const x = tf.zeros([1000]);
  expect(memoryLeft(plenty)).toBe(4 * GIB - tf.memory().numBytes);
  expect(memoryLeft(plenty)).toBeLessThan(4 * GIB);
  x.dispose();
  await tf.setBackend('cpu');
  expect(memoryLeft(plenty)).toBe(64 * GIB);
});

it('is a number of this machine', () => {
  expect(memoryLeft()).toBeGreaterThan(2 ** 20);
});
