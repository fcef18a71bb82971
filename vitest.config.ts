import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const needBrowser = ['test/browser/**/*.test.ts'];
const needBuild = ['test/packaging/**/*.test.ts'];
const needJupyter = ['test/notebooks/**/*.test.ts'];
const onWebGpu = ['test/webgpu/**/*.test.ts'];
/** Those that start or end the backend, or processes of their own. */
const ofBackend = ['adapter', 'bufferPool', 'choose', 'commandLine', 'failures', 'prepare', 'processes'].map(
  (name) => `test/webgpu/${name}.test.ts`,
);

/** Files that take as long as many others. */
const LONGEST = ['/wasm/binaries.test.ts', '/browser/webgl.test.ts', '/webgpu/agreement.test.ts'];

/** Where nothing tells how long files took, vitest starts with the largest: small ones that take long would end alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      Number(!LONGEST.some((path) => moduleId.endsWith(path)));
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^tfjs-flows$/, replacement: here('./src/index.ts') },
      { find: /^tfjs-flows\/(.+)$/, replacement: here('./src/$1/index.ts') },
    ],
  },
  test: {
    testTimeout: 60_000,
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'test/!(browser|packaging|notebooks|webgpu)/**/*.test.ts',
            'test/*.test.ts',
            ...ofBackend,
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'webgpu',
          include: onWebGpu,
          exclude: ofBackend,
          // One process for all files: what takes a software adapter longest is to compile programs, which all files share so.
          isolate: false,
          fileParallelism: false,
          // Projects with other numbers of workers run one after the other.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: needBrowser,
          globalSetup: 'test/browser/web/site.ts',
          hookTimeout: 120_000,
        },
      },
      { extends: true, test: { name: 'packaging', include: needBuild, hookTimeout: 300_000 } },
      { extends: true, test: { name: 'notebooks', include: needJupyter } },
    ],
  },
});
