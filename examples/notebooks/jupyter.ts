import { execFile, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The folder of the notebooks. */
export const folder = fileURLToPath(new URL('.', import.meta.url));

/** Names of the notebooks, in order. */
export const notebooks: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.ipynb'))
  .map((file) => file.slice(0, -'.ipynb'.length))
  .sort();

const packages = join(folder, 'node_modules');

const kernels = {
  tslab: {
    display_name: 'TypeScript',
    language: 'typescript',
    argv: [join(packages, '.bin/tslab'), 'kernel', '--config-path', '{connection_file}'],
  },
  deno: {
    display_name: 'Deno',
    language: 'typescript',
    argv: [join(packages, '.bin/deno'), 'jupyter', '--kernel', '--conn', '{connection_file}'],
  },
} as const;

/** A kernel that runs the notebooks. */
export type Kernel = keyof typeof kernels;

/** Whether a kernel can be started here. */
export function hasKernel(kernel: Kernel): boolean {
  // Deno's program is a package per platform, which npm leaves out where there is none.
  const program = kernel === 'deno' ? join(packages, '@deno') : kernels.tslab.argv[0];
  return existsSync(program) && existsSync(kernels[kernel].argv[0]);
}

/** Jupyter as the system has it: one of another Python that comes first in the path may lack nbconvert. */
const jupyter = process.env.JUPYTER_COMMAND ?? '/usr/bin/jupyter';

/** Whether Jupyter can execute notebooks here. */
export function hasJupyter(): boolean {
  return spawnSync(jupyter, ['nbconvert', '--version']).status === 0;
}

/**
 * Executes a notebook in its own folder, where it finds the data of the examples and this package as built.
 *
 * @returns the executed notebook's file
 * @throws an error with what a cell said that failed, or wrote to standard error
 */
export async function executeNotebook(
  name: string,
  kernel: Kernel,
  target: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  linkPackage();
  const data = resolve('output/notebooks/jupyter');
  const specification = join(data, 'kernels', kernel);
  mkdirSync(specification, { recursive: true });
  writeFileSync(join(specification, 'kernel.json'), JSON.stringify(kernels[kernel]));
  await promisify(execFile)(
    jupyter,
    [
      ...['nbconvert', '--to', 'notebook', '--execute', join(folder, `${name}.ipynb`)],
      `--ExecutePreprocessor.kernel_name=${kernel}`,
      '--ExecutePreprocessor.timeout=1800',
      // tslab tells of errors on standard error alone, which Jupyter's own message leaves out.
      '--ExecutePreprocessor.allow_errors=True',
      '--ExecutePreprocessor.record_timing=False',
      ...['--output-dir', resolve(target)],
    ],
    { env: { ...env, JUPYTER_DATA_DIR: data }, maxBuffer: 2 ** 26 },
  );
  const executed = join(resolve(target), `${name}.ipynb`);
  const complaints = complaintsIn(JSON.parse(readFileSync(executed, 'utf8')));
  if (complaints.length > 0) throw new Error(`${name} on ${kernel}:\n${complaints.join('\n')}`);
  return executed;
}

/** The part of a notebook that is looked at here. */
export interface Notebook {
  cells: Cell[];
}

interface Cell {
  cell_type: string;
  execution_count?: number | null;
  outputs?: Output[];
}

interface Output {
  output_type: string;
  name?: string;
  text?: string[];
  traceback?: string[];
  data?: Record<string, string | string[]>;
}

/** The cells that are executed. */
export function codeOf({ cells }: Notebook): Cell[] {
  return cells.filter(({ cell_type: type }) => type === 'code');
}

function complaintsIn(notebook: Notebook): string[] {
  return codeOf(notebook)
    .flatMap(({ outputs = [] }) => outputs)
    .filter(({ output_type: type, name }) => type === 'error' || name === 'stderr')
    .map(({ text, traceback }) => (text ?? traceback ?? []).join(''));
}

/** Puts this package where an installed one would be. npm removes the link whenever it installs. */
function linkPackage(): void {
  const link = join(packages, 'tfjs-flows');
  if (!existsSync(packages)) throw new Error('No kernels: npm ci --prefix examples/notebooks');
  rmSync(link, { force: true });
  symlinkSync('../../..', link);
}

/** A notebook without what differs from machine to machine, and with the numbers of the cells, which tslab leaves out. */
export function withoutTraces(text: string): string {
  const notebook = JSON.parse(text);
  const { kernelspec } = notebook.metadata;
  notebook.metadata = { kernelspec, language_info: { name: 'typescript' } };
  codeOf(notebook).forEach((cell, i) => {
    cell.execution_count = i + 1;
  });
  return `${JSON.stringify(notebook, null, 1)}\n`;
}
