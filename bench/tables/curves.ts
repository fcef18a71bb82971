/**
 * What recipe, depth, width and dropout are worth at how many rows: test log-likelihoods on white wine, of flows trained on its first rows.
 *
 *     npm run bench:curves [-- --rows 250,1000,3920 --seeds 0]
 *
 * Prints a table as it grows, and keeps it in docs/vectors.md: `recommend` goes by it.
 */
import { parseArgs } from 'node:util';
import { type Flow, gatherRows, neuralSplineFlow } from 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';
import { writeBlock } from '../page';
import { kinds } from './kinds';
import { meanOf } from './peers';
import { trainAndJudge } from './protocol';
import { type Rows, type Split, splitsOf } from './splits';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '250,1000,3920' }, seeds: { type: 'string', default: '0' } },
});
const sizes = values.rows.split(',').map(Number);
const seeds = values.seeds.split(',').map(Number);

type Build = (train: Rows, seed: number) => Flow;
const spline =
  (options: object): Build =>
  ({ shape: [, dimensions] }, seed) =>
    neuralSplineFlow({ dimensions, seed, ...options });
const flows: [string, Build][] = [
  ['spline couplings, as recommended for so many rows', kinds.splineCoupling],
  ['- [64, 64], no dropout', spline({ dropout: 0 })],
  ['- [64, 64], dropout 0.1', spline({})],
  ['- [64, 64], dropout 0.3', spline({ dropout: 0.3 })],
  ['- [32, 32], dropout 0.2', spline({ hiddenUnits: [32, 32], dropout: 0.2 })],
  ['- [128, 128], dropout 0.1', spline({ hiddenUnits: [128, 128] })],
  ['- 2 layers, dropout 0.1', spline({ layers: 2 })],
  ['- 8 layers, dropout 0.1', spline({ layers: 8 })],
  ['- residual networks, 64 wide, dropout 0.1', spline({ hiddenUnits: 64 })],
  ['autoregressive splines', kinds.splineAutoregressive],
  ['affine autoregressive', kinds.affineAutoregressive],
  ['affine couplings (10 layers)', kinds.affineCoupling],
];

await prepareWasm({ threads: 1 });
const [whole] = splitsOf('wine_white');
const lines = [
  `| nats on white wine, rows: | ${sizes.join(' | ')} |`,
  `|---|${sizes.map(() => '---|').join('')}`,
];
console.log(lines.join('\n'));
for (const [name, build] of flows) {
  const cells: string[] = [];
  for (const rows of sizes) {
    const split: Split = {
      ...whole,
      train: gatherRows(
        whole.train,
        Int32Array.from({ length: rows }, (_, i) => i),
      ),
    };
    const means: number[] = [];
    for (const seed of seeds) {
      const flow = build(split.train, seed);
      means.push(meanOf((await trainAndJudge(flow, split, seed)).points));
      flow.dispose();
    }
    cells.push(meanOf(means).toFixed(2));
  }
  lines.push(`| ${name} | ${cells.join(' | ')} |`);
  console.log(lines.at(-1));
  writeBlock('vectors.md', 'curves', lines.join('\n'));
}
