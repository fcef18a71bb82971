import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * What becomes of a block of code: all that `run` are one program of their document; `example` is run with data that stand for the reader's;
 * `page` runs in a browser; `shown` is not run, since it is no whole program or needs what no test has.
 */
export const marks = ['run', 'example', 'page', 'shown'] as const;

/** A fenced block of a guide. */
export interface Block {
  /** Path of the guide from the root. */
  guide: string;
  line: number;
  language: string;
  mark: string | undefined;
  code: string;
}

/** Every guide: the README, what lies in docs, and the notes beside the examples. */
async function guides(): Promise<string[]> {
  const docs = (await readdir(join(root, 'docs'), { recursive: true })).map((path) => `docs/${path}`);
  const examples = (await readdir(join(root, 'examples'))).map((path) => `examples/${path}/README.md`);
  const all = ['README.md', 'CONTRIBUTING.md', ...docs.sort(), ...examples];
  return all.filter((path) => path.endsWith('.md') && existsSync(join(root, path)));
}

/** All blocks that have a language, in the order of the guides. */
export async function readBlocks(): Promise<Block[]> {
  const blocks: Block[] = [];
  for (const guide of await guides()) {
    const text = await readFile(join(root, guide), 'utf8');
    for (const match of text.matchAll(/^```(\w+) ?([^\n]*)\n(.*?)^```$/gms)) {
      const [, language, mark, code] = match;
      const line = text.slice(0, match.index).split('\n').length;
      blocks.push({ guide, line, language, mark: mark === '' ? undefined : mark, code });
    }
  }
  return blocks;
}
