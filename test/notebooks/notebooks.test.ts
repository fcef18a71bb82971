import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  codeOf,
  executeNotebook,
  folder,
  hasJupyter,
  hasKernel,
  type Kernel,
  type Notebook,
  notebooks,
} from '../../examples/notebooks/jupyter';

const root = join(folder, '../..');
const read = (file: string): Notebook => JSON.parse(readFileSync(file, 'utf8'));

/** Media types of everything that a notebook shows, in order. */
const shownIn = (notebook: Notebook) =>
  codeOf(notebook)
    .flatMap(({ outputs = [] }) => outputs)
    .flatMap(({ data = {} }) => Object.keys(data).filter((type) => type !== 'text/plain'));

describe.each(['tslab', 'deno'] as Kernel[])('the notebooks on %s', (kernel) => {
  beforeAll(() => {
    expect(existsSync(join(root, 'dist/notebook.cjs')), 'dist, by npm run build').toBe(true);
  });

  it.skipIf(!hasJupyter() || !hasKernel(kernel)).each(notebooks)(
    '%s runs, and shows what the committed one shows',
    // Kernels now and then lose a message on a busy machine; Deno's, which calls itself unstable, in up to two of five runs.
    { timeout: 180_000, retry: kernel === 'deno' ? 6 : 1 },
    async (name) => {
      const file = await executeNotebook(name, kernel, join(root, 'output/notebooks', kernel), {
        ...process.env,
        TFJS_FLOWS_QUICK: '1',
      });
      expect(shownIn(read(file))).toEqual(shownIn(read(join(folder, `${name}.ipynb`))));
    },
  );
});

describe('the committed notebooks', () => {
  it.each(notebooks)('%s has its outputs, no errors, and is small', (name) => {
    const file = join(folder, `${name}.ipynb`);
    const text = readFileSync(file, 'utf8');
    const shown = shownIn(read(file));
    expect(shown.filter((type) => type.startsWith('image/')).length).toBeGreaterThanOrEqual(4);
    expect(text).not.toContain('"output_type": "error"');
    expect(text).not.toContain('"name": "stderr"');
    expect(text.length).toBeLessThan(600_000);
  });
});
