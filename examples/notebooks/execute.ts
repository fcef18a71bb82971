/**
 * Executes the notebooks with the built package and keeps their outputs.
 *
 *     npm run build && npm run notebooks [-- 3-attributes-and-transfer ...]
 *
 * Needs jupyter nbconvert and, once, `npm ci --prefix examples/notebooks`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executeNotebook, folder, notebooks, withoutTraces } from './jupyter';

const chosen = process.argv.slice(2);
for (const name of notebooks.filter((notebook) => chosen.length === 0 || chosen.includes(notebook))) {
  console.log(name);
  const executed = await executeNotebook(name, 'tslab', 'output/notebooks/executed', process.env);
  writeFileSync(join(folder, `${name}.ipynb`), withoutTraces(readFileSync(executed, 'utf8')));
}
