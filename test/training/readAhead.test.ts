import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type Batch, RandomStream } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { BatchStream } from '../../src/training/batchStream';
import { leavesNoTensors } from '../support/leaks';

/** Passes of so many batches, each holding its number; tells what was asked for. */
function streamOf(counts: number[], fails = -1) {
  const log: string[] = [];
  async function* pass(number: number): AsyncGenerator<Batch> {
    try {
      for (let i = 0; i < counts[number]; i++) {
        log.push(`${number}.${i}`);
        if (i === fails) throw new Error(`no batch ${i}`);
        yield { x: tf.tensor1d([10 * number + i]) };
      }
    } finally {
      log.push(`closed ${number}`);
    }
  }
  return { stream: new BatchStream('test', pass, new RandomStream(1)), log };
}

async function take(stream: BatchStream): Promise<number | undefined> {
  const batch = await stream.next();
  const value = batch?.x.dataSync()[0];
  batch?.x.dispose();
  return value;
}

describe('a batch read ahead', () => {
  it('is the next one, and none is read twice or left out', async () => {
    await tf.setBackend('cpu');
    const { stream, log } = streamOf([3, 2]);
    const taken: (number | undefined)[] = [];
    for (let i = 0; i < 7; i++) {
      stream.readAhead();
      stream.readAhead();
      taken.push(await take(stream));
    }
    expect(taken).toEqual([0, 1, 2, undefined, 10, 11, undefined]);
    expect(log).toEqual(['0.0', '0.1', '0.2', 'closed 0', '1.0', '1.1', 'closed 1']);
  });

  it('leaves the position before it, from where another stream goes on', async () => {
    const { stream } = streamOf([3, 2]);
    for (let i = 0; i < 5; i++) {
      const position = JSON.parse(JSON.stringify(stream.position));
      stream.readAhead();
      await new Promise((resolve) => setTimeout(resolve));
      expect(JSON.parse(JSON.stringify(stream.position))).toEqual(position);
      const other = streamOf([3, 2]).stream;
      await other.seek(position);
      expect(await take(other)).toBe(await take(stream));
      await other.close();
    }
    await stream.close();
  });

  it('tells its error where it is taken', async () => {
    const { stream } = streamOf([3], 1);
    expect(await take(stream)).toBe(0);
    stream.readAhead();
    await new Promise((resolve) => setTimeout(resolve));
    await expect(stream.next()).rejects.toThrow('no batch 1');
  });

  it('is freed, and its source closed, where nobody takes it', async () => {
    await leavesNoTensors(async () => {
      const { stream, log } = streamOf([3]);
      await take(stream);
      stream.readAhead();
      await stream.close();
      expect(log).toEqual(['0.0', '0.1', 'closed 0']);
    });
  });
});
