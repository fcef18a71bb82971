import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Writes Markdown between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->` of a page in docs. */
export function writeBlock(page: string, name: string, markdown: string): void {
  const path = fileURLToPath(new URL(`../docs/${page}`, import.meta.url));
  const [start, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const text = readFileSync(path, 'utf8');
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/${page}: expected ${start} and ${end}, in this order.`);
  writeFileSync(path, `${text.slice(0, from)}${start}\n${markdown.trimEnd()}\n${text.slice(to)}`);
}

/** Writes figures to bench/results/NAME.json. */
export function writeResults(name: string, figures: object): void {
  writeFileSync(resultsFile(name), `${JSON.stringify(figures, null, 2)}\n`);
}

/** What `writeResults` wrote; undefined where there is nothing yet. */
export function readResults<T>(name: string): T | undefined {
  const file = resultsFile(name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}

function resultsFile(name: string): string {
  return fileURLToPath(new URL(`./results/${name}.json`, import.meta.url));
}
