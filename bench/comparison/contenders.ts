import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import type { Contender } from './peer';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The Node beside that which runs the bench: the oldest where our kernels have vectors of 256 bits. */
export const NEWER_NODE = 24;

/** Our side as users run it: bundled, without a loader of TypeScript in the process. */
const bundle = here('../../build/bench/ours.mjs');

/** Bundles our side; call it before one is started. */
export function bundleOurs(): void {
  buildSync({
    entryPoints: [here('../peers/ours.ts')],
    outfile: bundle,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
}

/** Our side, on this Node or the one given. */
export function ours(name = 'ours', options: object = {}, node = process.execPath): Contender {
  return { name, command: node, arguments: [bundle], options };
}

/** Our side on this Node, and on a newer one where that can be had. */
export function ourSides(): Contender[] {
  const running = Number.parseInt(process.versions.node, 10);
  const here = ours(`Node ${running}`);
  const newer = running < NEWER_NODE ? nodeBinary(NEWER_NODE) : undefined;
  return newer === undefined ? [here] : [here, ours(`Node ${NEWER_NODE}`, {}, newer)];
}

/** PyTorch: the first interpreter that has it; undefined, with a notice, where none has. */
export function pytorch(): Contender | undefined {
  const pythons = [process.env.PYTHON ?? 'python3', '/usr/bin/python3'];
  const python = pythons.find((command) => spawnSync(command, ['-c', 'import torch']).status === 0);
  if (python !== undefined) {
    return { name: 'PyTorch', command: python, arguments: [here('../peers/serve.py')] };
  }
  const hint = 'Debian: apt-get install python3-torch libopenblas0-pthread; PYTHON names another interpreter';
  console.log(`NOTICE: no PyTorch in ${pythons.join(' or ')}, so our side alone is measured (${hint}).`);
  return undefined;
}

/** Below this many GFLOP/s on a core PyTorch multiplies with the reference BLAS; OpenBLAS reaches ten times that. */
const SLOWEST_PRODUCT = 15;

/** A notice where PyTorch's matrix products are so slow that a comparison would flatter us. */
export function checkProducts(speed = Number.POSITIVE_INFINITY): void {
  if (speed >= SLOWEST_PRODUCT) return;
  console.log(
    `NOTICE: PyTorch multiplies matrices at ${speed.toFixed(1)} GFLOP/s: its BLAS is the slow reference one, and its ` +
      'figures are not fair. Debian: apt-get install libopenblas0-pthread.',
  );
}

/** Path of a Node of that major version from npm's package of binaries; undefined, with a notice, where it cannot be had. */
export function nodeBinary(major: number): string | undefined {
  const source = `node-${process.platform}-${process.arch}@${major}`;
  const words = ['--yes', `--package=${source}`, 'node', '-p', 'process.execPath'];
  const { status, stdout } = spawnSync('npx', words, { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  console.log(`NOTICE: ${source} cannot be had from npm here, so Node ${major} is not measured.`);
  return undefined;
}
