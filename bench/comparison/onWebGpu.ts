import { spawnSync } from 'node:child_process';
import { type CaseName, cases } from './cases';
import { ours, pytorch } from './contenders';
import type { Contender } from './peer';
import { type Lap, race } from './race';
import { type Findings, milliseconds, ratio, Table } from './report';
import type { Settings } from './settings';

/** Where a step takes seconds on ordinary ops, as it does without a GPU, it is run this often. */
const SLOW: CaseName[] = ['G1'];

/** What a software adapter computes in minutes. */
const ON_SOFTWARE: CaseName[] = ['G4', 'G1'];

/** Training on WebGPU: what a step costs the device and the host, beside ordinary ops, and beside PyTorch where that has a GPU. */
export async function onWebGpu(settings: Settings): Promise<Findings> {
  const cuda = pytorchOnCuda();
  const names = settings.cases.filter((name) => cuda.length > 0 || ON_SOFTWARE.includes(name));
  const columns = [
    'dispatches',
    'of ordinary ops',
    'host, ms',
    'step, ms',
    'ordinary, ms',
    'ordinary / ours',
  ];
  const table = new Table(['case', ...columns, ...cuda.map(({ name }) => `${name} / ours`)]);
  const results: object[] = [];
  for (const name of names) {
    const what = cases[name];
    const rounds = SLOW.includes(name) && cuda.length === 0 ? 2 : settings.rounds;
    const host = await race([ours('host', { backend: 'webgpu without a device' })], what, 2, ['run'], 3, 1);
    const contenders = [
      ours('ours', { backend: 'webgpu' }),
      ...cuda,
      ours('ordinary', { backend: 'ordinary webgpu' }),
    ];
    const commands = cuda.length > 0 ? (['encode', 'sample'] as const) : [];
    const laps = await race(contenders, what, 2, commands, rounds, 1);
    const [mine, ordinary] = [laps[0], laps[laps.length - 1]];
    const count = (lap: Lap) => String(Math.round(lap.dispatches ?? 0));
    table.add(
      name,
      count(mine),
      count(ordinary),
      milliseconds(host[0].times.run),
      milliseconds(mine.times.train),
      milliseconds(ordinary.times.train),
      ratio(ordinary.times.train?.median, mine.times.train?.median),
      ...laps.slice(1, -1).map((lap) => ratio(lap.times.train?.median, mine.times.train?.median)),
    );
    results.push({ case: name, host: host[0], laps });
  }
  const note =
    "A training step of `fit`, ours in turns with ordinary ops on the same adapter; the host's time in runs of a hundred steps on an adapter that computes nothing (Dawn's null backend), where a step is the work of JavaScript and of encoding alone.";
  return { table, note, results };
}

/** PyTorch on a GPU of NVIDIA, with plain float32 and with products in 19 bits; nothing where there is none. */
function pytorchOnCuda(): Contender[] {
  const found = pytorch();
  const probe = 'import torch; raise SystemExit(not torch.cuda.is_available())';
  if (found === undefined || spawnSync(found.command, ['-c', probe]).status !== 0) {
    console.log('NOTICE: no PyTorch with CUDA here, so ours is measured beside ordinary ops alone.');
    return [];
  }
  const options = { device: 'cuda' };
  return [
    { ...found, name: 'CUDA', options },
    { ...found, name: 'CUDA with TF32', options: { ...options, tf32: true } },
  ];
}
