import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';

/** Processor, Node and date: figures mean little without. */
export function describeMachine(): string {
  const { model } = cpus()[0];
  const date = new Date().toISOString().slice(0, 10);
  return [`${model}${details()}`, `${cpus().length} cores`, `Node ${process.version}`, date].join(', ');
}

/** What the name of a virtual machine's processor leaves out: its family and widest vectors. */
function details(): string {
  if (!existsSync('/proc/cpuinfo')) return '';
  const text = readFileSync('/proc/cpuinfo', 'utf8');
  const field = (name: string) => text.match(new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm'))?.[1] ?? '';
  const flags = field('flags').split(' ');
  const vectors = flags.includes('avx512f') ? ', AVX-512' : flags.includes('avx2') ? ', AVX2' : '';
  return ` (family ${field('cpu family')}, model ${field('model')}${vectors})`;
}

/** Processes that ran or waited in the last minute, those of the benchmark among them. */
export function load(): string {
  return loadavg()[0].toFixed(1);
}
