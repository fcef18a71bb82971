/**
 * Training step, encode, sample and memory of our Glow beside the same Glow in PyTorch: the two run in turns, one step
 * each, on the same cores, so that whatever else the machine does falls on both.
 *
 *     npm run bench:models [-- rounds cases threads]      e.g. -- 15 G1,G4 1,2
 *
 * Prints a table with medians (minima) and ratios, and writes bench/results/models.json and models.md.
 * Needs taskset (Linux) for pinning; PyTorch is taken from python3, and left out with a notice where it is missing.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

interface Case {
  imageShape: [number, number, number];
  levels: number;
  stepsPerLevel: number;
  hiddenChannels: number;
  batch: number;
}

const cases: Record<string, Case> = {
  G1: { imageShape: [32, 32, 3], levels: 3, stepsPerLevel: 8, hiddenChannels: 128, batch: 16 },
  G2: { imageShape: [32, 32, 3], levels: 3, stepsPerLevel: 8, hiddenChannels: 512, batch: 4 },
  G3: { imageShape: [64, 64, 3], levels: 3, stepsPerLevel: 32, hiddenChannels: 512, batch: 2 },
  G4: { imageShape: [16, 16, 1], levels: 2, stepsPerLevel: 4, hiddenChannels: 64, batch: 32 },
};

const [roundsText = '11', casesText = 'G1,G2,G4', threadsText = '1,2'] = process.argv.slice(2);
const rounds = Number(roundsText);
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A process that answers one line of JSON per command. */
class Peer {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(command: string, args: string[], threads: number, options: object) {
    const cores = Array.from({ length: threads }, (_, i) => i).join(',');
    const pinned = ['-c', cores, command, ...args, JSON.stringify({ ...options, threads })];
    this.child = spawn('taskset', pinned, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })[
      Symbol.asyncIterator
    ]();
  }

  async answer(): Promise<Record<string, number>> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.child.spawnargs.join(' ')}: ended early`);
    return JSON.parse(value);
  }

  ask(command: string): Promise<Record<string, number>> {
    this.child.stdin?.write(`${command}\n`);
    return this.answer();
  }

  end(): void {
    this.child.stdin?.end();
    this.child.kill();
  }
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

const pythons = [process.env.PYTHON ?? 'python3', '/usr/bin/python3'];
const python = pythons.find((command) => spawnSync(command, ['-c', 'import torch']).status === 0);
if (python === undefined) {
  console.log(`No PyTorch in ${pythons.join(' or ')} (set PYTHON for another): our side alone is measured.`);
}

const results: Record<string, unknown>[] = [];
const header = ['case', 'threads', 'what', 'ours ms', 'PyTorch ms', 'ratio'];
const table = [header, header.map(() => '---')];
console.log(header.join('\t'));

for (const name of casesText.split(',')) {
  for (const threads of threadsText.split(',').map(Number)) {
    const peers = [
      new Peer(process.execPath, ['--import', 'tsx', here('peers/glow.ts')], threads, cases[name]),
    ];
    if (python !== undefined) peers.push(new Peer(python, [here('peers/glow.py')], threads, cases[name]));
    for (const peer of peers) await peer.answer();
    for (const what of ['train', 'encode', 'sample']) {
      const times: number[][] = peers.map(() => []);
      for (let round = -2; round < rounds; round++) {
        for (const [i, peer] of peers.entries()) {
          const { ms } = await peer.ask(what);
          if (round >= 0) times[i].push(ms);
        }
      }
      const [ours, theirs] = times.map((values) => ({ median: median(values), min: Math.min(...values) }));
      const show = (value?: { median: number; min: number }) =>
        value === undefined ? '-' : `${value.median.toFixed(1)} (${value.min.toFixed(1)})`;
      const ratio = theirs === undefined ? '-' : (theirs.median / ours.median).toFixed(2);
      const row = [name, String(threads), what, show(ours), show(theirs), ratio];
      table.push(row);
      results.push({ case: name, threads, what, ours, theirs });
      console.log(row.join('\t'));
    }
    const memory = await Promise.all(peers.map((peer) => peer.ask('memory')));
    const megabytes = memory.map(({ rss }) => `${(rss / 1e6).toFixed(0)} MB`);
    const row = [name, String(threads), 'peak RSS', megabytes[0], megabytes[1] ?? '-', ''];
    table.push(row);
    results.push({ case: name, threads, what: 'peak RSS', memory });
    console.log(row.join('\t'));
    for (const peer of peers) peer.end();
  }
}

const machine = `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}`;
mkdirSync(here('results'), { recursive: true });
writeFileSync(here('results/models.json'), `${JSON.stringify({ machine, rounds, results }, null, 2)}\n`);
const lines = table.map((row) => `| ${row.join(' | ')} |`).join('\n');
writeFileSync(
  here('results/models.md'),
  `${machine}; medians (minima) of ${rounds} interleaved rounds.\n\n${lines}\n`,
);
