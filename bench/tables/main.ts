/**
 * Densities of tables by our recipes beside those of nflows, zuko and normflows: the same rows, the same budget, compared row by row.
 *
 *     npm run bench:tables [-- --tables wine_red,two_moons --kinds splineCoupling,affineAutoregressive --seeds 0,1 --ionosphere PATH/ionosphere_32.npy]
 *
 * Prints a table; what was run with both seeds is also kept, in bench/results/tables.json and docs/vectors.md. The exit code counts the bars
 * that were missed.
 */
import { parseArgs } from 'node:util';
import { prepareWasm } from 'tfjs-flows/wasm';
import { judge } from './compare';
import { KINDS, kinds } from './kinds';
import { trainAndJudge } from './protocol';
import { keep, missed, type Result, row, TITLES } from './report';
import { splitsOf, TABLES } from './splits';

/** Those of the PyTorch figures. */
const SEEDS = '0,1';

const { values } = parseArgs({
  options: {
    tables: { type: 'string', default: TABLES.join() },
    kinds: { type: 'string', default: KINDS.join() },
    seeds: { type: 'string', default: SEEDS },
    ionosphere: { type: 'string' },
  },
});

await prepareWasm({ threads: 1 });
const results: Result[] = [];
console.log(TITLES);
for (const table of chosen(values.tables, TABLES)) {
  for (const kind of chosen(values.kinds, KINDS)) {
    const splits = splitsOf(table, values.ionosphere);
    const judged = splits.reduce((sum, { places }) => sum + places.length, 0);
    const points: Float32Array[] = [];
    const runs: Result['runs'] = [];
    for (const seed of values.seeds.split(',').map(Number)) {
      const ofSeed = new Float32Array(judged);
      for (const split of splits) {
        const flow = kinds[kind](split.train, seed);
        const { points: found, ...run } = await trainAndJudge(flow, split, seed);
        flow.dispose();
        found.forEach((value, i) => {
          ofSeed[split.places[i]] = value;
        });
        runs.push({ seed, ...run });
      }
      points.push(ofSeed);
    }
    const result = { ...judge(table, kind, points), runs };
    results.push(result);
    console.log(row(result));
    if (values.seeds === SEEDS) keep(result);
  }
}
process.exitCode = missed(results);

function chosen<T extends string>(text: string, all: readonly T[]): T[] {
  return text.split(',').map((name) => {
    const found = all.find((known) => known === name);
    if (found === undefined) throw new Error(`${name} is none of ${all.join(', ')}`);
    return found;
  });
}
