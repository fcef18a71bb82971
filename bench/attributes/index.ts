/**
 * Figures of the attributes module beside the bars they have to clear, on the 8 x 8 digits and on simulations.
 *
 *     npm run bench:attributes [-- part of a file name ...]
 *
 * Every file beside this one that exports `name` and `run` is a report. The exit code counts the bars that were missed.
 */
import { readdirSync } from 'node:fs';
import type { Bar } from './bar';

const wanted = process.argv.slice(2);
const files = readdirSync(new URL('.', import.meta.url))
  .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort();

let missed = 0;
for (const file of files) {
  const report = (await import(new URL(file, import.meta.url).href)) as Partial<Bar>;
  if (report.name === undefined || report.run === undefined) continue;
  const start = performance.now();
  const figures = await report.run();
  console.log(`\n${report.name} (${((performance.now() - start) / 1000).toFixed(0)} s)`);
  for (const { figure, value, bar, met } of figures) {
    const shown = Number.isInteger(value) ? String(value) : value.toPrecision(3);
    console.log(`  ${met ? 'met   ' : 'MISSED'}  ${shown.padStart(8)}  ${bar.padEnd(14)}  ${figure}`);
    if (!met) missed++;
  }
}
process.exitCode = missed;
