import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guides = (await readdir(join(root, 'docs'), { recursive: true })).filter((path) =>
  path.endsWith('.md'),
);

it.each(['README.md', 'CONTRIBUTING.md', ...guides.map((path) => `docs/${path}`)])(
  'links of %s lead to files',
  async (document) => {
    const text = await readFile(join(root, document), 'utf8');
    const targets = [...text.matchAll(/(?:\]\(|href="|src=")(?!https?:|#)([^)#\s"]+)/g)].map(
      (match) => match[1],
    );
    const missing = targets.filter((target) => !existsSync(join(root, dirname(document), target)));
    expect(missing).toEqual([]);
  },
);
