import type * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import {
  ActNorm,
  Categorical,
  ConfigError,
  DataError,
  evaluate,
  Factorized,
  Flow,
  fit,
  readTable,
  type Table,
  VectorFlow,
} from 'tfjs-flows';
import { beforeAll, describe, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';

let people: Table;
let shuffled: Table;
let rows: number[][];

beforeAll(async () => {
  people = await readTable('age,size,mood\n31,1.5,sad\n44,1.25,glad\n29,2,glad\n50,1.75,cross\n');
  shuffled = people.select(['mood', 'age', 'size']);
  rows = [
    [31, 1.5, 2],
    [44, 1.25, 1],
    [29, 2, 1],
    [50, 1.75, 0],
  ];
});

function makeFlow(): VectorFlow {
  return new VectorFlow({
    bijector: new Factorized({
      inputShape: [3],
      factors: [
        { columns: [2], bijector: new Categorical({ categories: 3 }) },
        { columns: [0, 1], bijector: new ActNorm({ inputShape: [2] }) },
      ],
    }),
    columns: [
      { name: 'age', support: { kind: 'integer' } },
      { name: 'size', support: { kind: 'real' } },
      { name: 'mood', support: { kind: 'categorical', categories: 3 }, categories: ['cross', 'glad', 'sad'] },
    ],
    seed: 1,
  });
}

const valuesOf = (tensor: tf.Tensor) => [...tensor.dataSync()];

describe('a table and a flow that knows its columns', () => {
  it('find each other by names of columns and categories, in whatever order', async () => {
    const flow = makeFlow();
    await flow.fit(shuffled, { steps: 2, learningRate: 1e-9, progress: 'none' });
    const ofRows = valuesOf(flow.logProb(rows, { seed: 1 }));
    expect(new Set(ofRows).size).toBe(4);
    expect(valuesOf(flow.logProb(people, { seed: 1 }))).toEqual(ofRows);
    expect(valuesOf(flow.logProb(shuffled, { seed: 1 }))).toEqual(ofRows);
    expect(valuesOf(flow.encode(shuffled))).toEqual(valuesOf(flow.encode(rows)));
    expect(valuesOf(flow.transform(shuffled).value)).toHaveLength(12);
    expect((await flow.account(shuffled, { seed: 1 })).total.logProb).toBeCloseTo(
      ofRows.reduce((sum, value) => sum + value, 0) / 4,
      4,
    );
    // Fewer categories, in another order of their numbers.
    const some = await readTable('size,mood,age\n2,glad,29\n1.5,sad,31\n');
    expect(valuesOf(flow.encode(some))).toEqual(valuesOf(flow.encode([rows[2], rows[0]])));
    // The number of a category is its name.
    const numbered = new VectorFlow({
      bijector: new Categorical({ categories: 3 }),
      columns: [{ name: 'q', support: { kind: 'categorical', categories: 3 }, categories: ['3', '4', '6'] }],
    });
    const quality = await readTable('q\n4\n6\n');
    expect(valuesOf(numbered.encode(quality))).toEqual(valuesOf(numbered.encode([[1], [2]])));
  });

  it('train and are evaluated, with validation, as x, and by the functions', async () => {
    await leavesNoTensors(async () => {
      const [a, b] = [makeFlow(), makeFlow()];
      const options = { epochs: 3, batchSize: 2, seed: 3, progress: 'none' } as const;
      const byTable = await a.fit(shuffled, { ...options, validationData: people });
      const byRows = await fit(b, rows, { ...options, validationData: rows });
      expect(byTable.losses).toEqual(byRows.losses);
      expect(byTable.epochs.map(({ val_loss }) => val_loss)).toEqual(
        byRows.epochs.map(({ val_loss }) => val_loss),
      );
      expect(await evaluate(a, { x: shuffled })).toEqual(await evaluate(b, { x: rows }));
      expect(await evaluate(a, shuffled)).toEqual(await evaluate(b, rows));
      for (const flow of [a, b]) flow.dispose();
    });
  });

  it('samples are a table with names and kinds', async () => {
    await leavesNoTensors(async () => {
      const flow = makeFlow();
      await flow.fit(people, { steps: 1, learningRate: 1e-9, progress: 'none' });
      const table = await flow.sampleTable(200, { seed: 2 });
      expect(table.columns.map(({ name, kind }) => [name, kind])).toEqual([
        ['age', 'integer'],
        ['size', 'real'],
        ['mood', 'categorical'],
      ]);
      expect(table.column('mood').categories).toEqual(['cross', 'glad', 'sad']);
      const samples = flow.sample(200, { seed: 2 });
      expect([...table.toArray().data]).toEqual(valuesOf(samples));
      samples.dispose();
      const logProb = flow.logProb(table);
      expect(valuesOf(logProb).every(Number.isFinite)).toBe(true);
      logProb.dispose();
      await expect(flow.sampleTable(0)).rejects.toThrow(ConfigError);
      flow.dispose();
    });
  });
});

describe('a table that does not fit', () => {
  const read = (text: string) => readTable(text);
  it.each([
    ['lacks a column', 'age,size\n1,2\n', 'columns age, size, mood, got one without mood.'],
    [
      'has one more',
      'age,size,mood,x\n1,2,sad,1\n',
      'got one with x. Choose those of the flow: table.select',
    ],
    ['has another', 'age,size,moods\n1,2,sad\n', 'got one without mood and one with moods'],
    ['has another category', 'age,size,mood\n1,2,bored\n', "'mood' to be one of cross, glad, sad, got bored"],
    ['has names for numbers', 'age,size,mood\nold,2,sad\n', "numbers in 'age', got the categories old"],
    ['has a fraction', 'age,size,mood\n1.5,2,sad\n', "column 'age' to be whole numbers, got 1.5 in row 0"],
  ])('%s', async (_, text, message) => {
    const flow = makeFlow();
    const table = await read(text);
    expect(() => flow.encode(table)).toThrow(DataError);
    expect(() => flow.encode(table)).toThrow(message);
    await expect(flow.fit(table, { steps: 1 })).rejects.toThrow(message);
  });

  it('to a flow without columns', async () => {
    const flow = new Flow({ bijector: new ActNorm({ inputShape: [3] }) });
    expect(() => flow.encode(people)).toThrow(/got a table\. This flow knows no columns/);
    await expect(flow.fit(people)).rejects.toThrow(/got a table\. This flow knows no columns/);
    await expect(evaluate(flow, { x: people })).rejects.toThrow(DataError);
    const model = { ...flow, asEvents: undefined, weights: [] };
    await expect(evaluate(model as never, people)).rejects.toThrow(DataError);
  });
});
