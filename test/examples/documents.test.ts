import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodePng, RandomStream } from 'tfjs-flows';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { studyConfigOf } from '../../src/cli/study/config';
import { bundle } from '../support/bundle';
import { marks, readBlocks, root } from './guides';
import { withChecks } from './shownValues';

const blocks = await readBlocks();
const runs = blocks.filter(({ language, mark }) => language === 'ts' && mark === 'run');
const inPages = blocks.filter(({ language, mark }) => language === 'ts' && mark === 'page');
const documents = [...new Set(runs.map(({ guide }) => guide))];

/** Ignored by git, and inside the repository, so that its packages and path aliases are found. */
const programs = join(root, 'output/documents');

const nameOf = (document: string) => document.replaceAll('/', '-').replace(/\.md$/, '');
const pageOf = (i: number) => join(programs, `page-${i}.ts`);
const programOf = (document: string) => join(programs, `${nameOf(document)}.ts`);

/** All blocks of a document that are marked as running, as one program. */
function extract(document: string): string {
  const program = runs.filter(({ guide }) => guide === document).map(({ code }) => code);
  // Readers train longer than a test can.
  return program.join('\n').replace(/\bsteps: 1000\b/g, 'steps: 2');
}

/** Pictures of noise, as somebody's own. */
async function writePictures(folder: string): Promise<void> {
  await mkdir(folder);
  const random = new RandomStream(1);
  for (let i = 0; i < 16; i++) {
    const data = Uint8Array.from({ length: 36 * 36 * 3 }, () => random.integer(256));
    await writeFile(join(folder, `${i}.png`), encodePng({ width: 36, height: 36, channels: 3, data }));
  }
}

describe('the blocks of the documents', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tfjs-flows-documents-'));
    await symlink(join(root, 'examples'), join(folder, 'examples'));
    const fixtures = join(root, 'test/fixtures');
    await copyFile(join(fixtures, 'glow/chaiyujin_affine_lu_top/checkpoint.pt'), join(folder, 'trained.pkg'));
    await copyFile(join(fixtures, 'vector/nflows_sbi_maf/checkpoint.pt'), join(folder, 'posterior.pt'));
    await mkdir(programs, { recursive: true });
    for (const document of documents) await writeFile(programOf(document), extract(document));
    // What a page gets from its user.
    const given = 'declare const points: number[][];\nexport {};\n';
    for (const [i, { code }] of inPages.entries()) await writeFile(pageOf(i), given + code);
    await writePictures(join(folder, 'pictures'));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
    await rm(programs, { recursive: true });
  });

  it('all say what becomes of them', () => {
    const unmarked = blocks.filter(({ mark }) => !(marks as readonly unknown[]).includes(mark));
    expect(unmarked.map(({ guide, line, language }) => `${guide}:${line} (${language})`)).toEqual([]);
    // What is marked so is found by the test that runs it: programs here, examples beside the docstrings, pages in browsers.
    const kinds = blocks
      .filter(({ mark }) => mark !== 'shown')
      .map(({ language, mark }) => `${language} ${mark}`);
    expect([...new Set(kinds)].sort()).toEqual(['html page', 'json run', 'ts example', 'ts page', 'ts run']);
  });

  it('of JSON are configs of a study', () => {
    const configs = blocks.filter(({ language, mark }) => language === 'json' && mark === 'run');
    for (const { code } of configs) expect(studyConfigOf(JSON.parse(code)).data.folder).toBe('my-images');
  });

  it('are accepted by the compiler', () => {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
    const files = [...documents.map(programOf), ...inPages.map((_, i) => pageOf(i))];
    const program = ts.createProgram(files, { ...options, noUnusedLocals: false });
    const complaints = files
      .flatMap((file) => program.getSemanticDiagnostics(program.getSourceFile(file)))
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
    const quickStarts = runs.filter(({ guide }) => guide === 'README.md');
    expect(quickStarts.length).toBeGreaterThan(0);
    for (const { code } of quickStarts) expect(code.trim().split('\n').length).toBeLessThanOrEqual(20);
  });
});
