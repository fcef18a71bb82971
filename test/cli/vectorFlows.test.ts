import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importCheckpoint, readNpz, type VectorFlow } from 'tfjs-flows';
import { afterAll, expect, it } from 'vitest';
import type { Streams } from '../../src/cli/command';
import { run } from '../../src/cli/run';
import { furthest, vectorFixture } from '../published/vectors/fixture';
import { tensorOf } from '../support/publishedVectors';

const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
afterAll(() => rmSync(folder, { recursive: true }));

const checkpoint = (name: string) =>
  fileURLToPath(new URL(`../fixtures/vector/${name}/checkpoint.pt`, import.meta.url));

async function flows(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const stream = (take: (text: string) => void) => ({ write: take, isTTY: false });
  const streams = {
    stdin: process.stdin,
    stdout: stream((text) => {
      out += text;
    }),
    stderr: stream((text) => {
      err += text;
    }),
  };
  return { code: await run(words, streams as never as Streams), out, err };
}

it('inspect shows library, layers and guesses with what else they could be', async () => {
  const { out } = await flows('inspect', checkpoint('nflows_sbi_nsf'));
  expect(out).toContain('written by sbi');
  expect(out).toContain('context: 2, standardized');
  expect(out).toMatch(
    /layer 1: coupling, .*passes \[0 1 0\].*bins 10, bound 3.* at net\._transform\._transforms\.1/,
  );
  expect(out).toContain('bound (taken: 3 in layers 1, 3, 5; could be 1, 2, 4,');
  const { out: json } = await flows('inspect', checkpoint('nflows_sbi_nsf'), '--json');
  expect(JSON.parse(json).guesses.map(({ field }: { field: string }) => field)).toEqual([
    'activation',
    'bound',
    'divided',
  ]);
});

it('convert takes such files, and what they do not say from JSON', async () => {
  const config = join(folder, 'config.json');
  const converted = join(folder, 'flow.safetensors');
  writeFileSync(config, JSON.stringify({ bound: 3 }));
  const from = checkpoint('nflows_rqs_autoregressive');
  const { out, err } = await flows('inspect', from, '--config', config);
  expect([err, out]).toEqual(['', expect.not.stringContaining('bound (taken')]);
  const { code } = await flows('convert', from, converted, '--config', config, '--backend', 'cpu');
  expect(code).toBe(0);
  const flow = await importCheckpoint<VectorFlow>(readFileSync(converted));
  const { io } = vectorFixture('nflows_rqs_autoregressive');
  const x = tensorOf(io.x);
  expect(furthest(flow.logProb(x), io.log_prob64, true)).toBeLessThan(2e-5);
});

it('convert writes for another library, and shows the Python that builds the flow there', async () => {
  const to = join(folder, 'state.npz');
  const { out } = await flows(
    'convert',
    checkpoint('zuko_maf_context'),
    to,
    '--to',
    'zuko',
    '--backend',
    'cpu',
  );
  expect(out).toContain('2,976 parameters for zuko in');
  expect(out).toContain('from zuko.lazy import Flow');
  expect(out).toContain(
    'MaskedAutoregressiveTransform(4, 3, passes=4, order=[0, 1, 2, 3], hidden_features=(24, 24)',
  );
  expect(Object.keys(readNpz(readFileSync(to)))).toContain('transform.transforms.2.hyper.4.mask');
});

it('names what does not go together', async () => {
  const from = checkpoint('nflows_realnvp');
  const to = join(folder, 'other.safetensors');
  const attempt = async (...words: string[]) =>
    (await flows('convert', from, to, '--backend', 'cpu', ...words)).err;
  expect(await attempt('--library', 'zuko')).toContain('expected the parameter names of zuko');
  expect(await attempt('--library', 'pyro')).toContain('expected library');
  expect(await attempt('--n-bits', '8')).toContain('for a file of nflows');
  expect(await attempt('--to', 'chaiyujin')).toContain('a Glow for chaiyujin');
});
