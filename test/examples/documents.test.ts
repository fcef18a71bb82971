import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../support/bundle';
import { withChecks } from './shownValues';

const root = fileURLToPath(new URL('../..', import.meta.url));
const texts = new Map(
  await Promise.all(
    ['README.md', ...(await readdir(join(root, 'docs'), { recursive: true })).map((path) => `docs/${path}`)]
      .filter((path) => path.endsWith('.md'))
      .map(async (path) => [path, await readFile(join(root, path), 'utf8')] as const),
  ),
);
const documents = [...texts.keys()].filter((path) => texts.get(path)!.includes('```ts run'));

/** Ignored by git, and inside the repository, so that its packages and path aliases are found. */
const programs = join(root, 'output/documents');

const nameOf = (document: string) => document.replaceAll('/', '-').replace(/\.md$/, '');
const programOf = (document: string) => join(programs, `${nameOf(document)}.ts`);

/** All blocks of a document that are marked as running, as one program. */
function extract(document: string): string {
  const blocks = [...texts.get(document)!.matchAll(/^```ts run\n(.*?)^```$/gms)].map((match) => match[1]);
  // Readers train longer than a test can.
  return blocks.join('\n').replace(/\bsteps: 1000\b/g, 'steps: 2');
}

describe('the blocks of the documents', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tfjs-flows-documents-'));
    await symlink(join(root, 'examples'), join(folder, 'examples'));
    await copyFile(
      join(root, 'test/fixtures/glow/chaiyujin_affine_lu_top/checkpoint.pt'),
      join(folder, 'trained.pkg'),
    );
    await mkdir(programs, { recursive: true });
    for (const document of documents) await writeFile(programOf(document), extract(document));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
    await rm(programs, { recursive: true });
  });

  it('are accepted by the compiler', () => {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
    const program = ts.createProgram(documents.map(programOf), { ...options, noUnusedLocals: false });
    const complaints = documents
      .flatMap((document) => program.getSemanticDiagnostics(program.getSourceFile(programOf(document))))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
    expect(complaints).toEqual([]);
  }, 180_000);

  describe('as programs', () => {
    beforeAll(async () => {
      const checked = join(programs, 'checked');
      const checks = JSON.stringify(join(root, 'test/examples/shownValues.ts'));
      await mkdir(checked, { recursive: true });
      for (const document of documents) {
        const text = withChecks(extract(document));
        await writeFile(
          join(checked, `${nameOf(document)}.ts`),
          `import { expectShown } from ${checks};\n${text}`,
        );
      }
      await bundle(
        documents.map((document) => join(checked, `${nameOf(document)}.ts`)),
        join(programs, 'bundled'),
      );
    });

    it.each(documents)('%s runs, and gives the values that it shows', async (document) => {
      const file = join(programs, 'bundled', `${nameOf(document)}.mjs`);
      await promisify(execFile)(process.execPath, [file], { cwd: folder });
    });
  });

  it('show quick starts of at most 20 lines', () => {
    const blocks = [...texts.get('README.md')!.matchAll(/^```ts run\n(.*?)^```$/gms)];
    for (const [, block] of blocks) expect(block.trim().split('\n').length).toBeLessThanOrEqual(20);
  });
});
