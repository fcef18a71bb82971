import '@tensorflow/tfjs-backend-cpu';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { encodePng, loadFlow, loadModule, realNvp, StandardNormal, saveModule } from 'tfjs-flows';
import { checkpointDirectory, fileSystem, openImages, readTableFile } from 'tfjs-flows/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathOf } from '../../src/node/paths';

let root: string;

beforeAll(async () => {
  await tf.setBackend('cpu');
  root = mkdtempSync(join(tmpdir(), 'tfjs-flows-addresses-'));
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

/** Names with signs that mean something in addresses of the web; here they are characters. */
const names = ['run #1', 'run #2', '50% noise', 'what?', 'a%20b', 'a b', 'été', 'x;y&z=1'];

describe.each([
  ['absolute', (name: string) => `file://${join(root, name)}`],
  ['relative', (name: string) => `file://${relative(process.cwd(), join(root, name))}`],
])('%s addresses', (kind, addressOf) => {
  it('are plain paths for saving and loading: no two names become one', async () => {
    const folder = `${kind} models`;
    for (const [i, name] of names.entries()) {
      const flow = realNvp({ dimensions: i + 2, layers: 2, hiddenUnits: [2], seed: 1 });
      await flow.save(addressOf(join(folder, name)));
      flow.dispose();
    }
    expect(readdirSync(join(root, folder)).sort()).toEqual([...names].sort());
    for (const [i, name] of names.entries()) {
      for (const location of [addressOf(join(folder, name)), fileSystem(addressOf(join(folder, name)))]) {
        const flow = await loadFlow(location as string);
        expect(flow.eventShape).toEqual([i + 2]);
        flow.dispose();
      }
    }
  });

  it('are plain paths for checkpoints, tables and images too', async () => {
    const address = addressOf(`${kind} #2?`);
    const path = join(root, `${kind} #2?`);
    const series = checkpointDirectory(address);
    const model = new StandardNormal({ eventShape: [2] });
    await saveModule(model, series);
    await saveModule(model, series);
    const listed = await series.list();
    expect(listed.map((entry) => existsSync(join(entry, 'model.json')))).toEqual([true, true]);
    expect(readdirSync(path)).toEqual(['checkpoint-000001', 'checkpoint-000002']);
    (await loadModule(checkpointDirectory(path))).dispose();

    writeFileSync(join(path, 'table %.csv'), 'a,b\n1,2\n3,4\n');
    expect((await readTableFile(addressOf(`${kind} #2?/table %.csv`))).rows).toBe(2);
    mkdirSync(join(path, 'cats #'));
    const png = encodePng({ width: 1, height: 1, channels: 1, data: Uint8Array.of(7) });
    for (const name of ['a #1.png', 'a #2.png']) writeFileSync(join(path, 'cats #', name), png);
    const images = await openImages('folder', address, { imageShape: [1, 1, 1] });
    expect(images.names).toEqual([join('cats #', 'a #1.png'), join('cats #', 'a #2.png')]);
    model.dispose();
  });
});

it('paths of Windows keep their letter', () => {
  expect(pathOf('x', 'file:///C:/models/a')).toBe('C:/models/a');
  expect(pathOf('x', 'file://C:\\models')).toBe('C:\\models');
  expect(pathOf('x', 'file:///srv/a')).toBe('/srv/a');
  expect(pathOf('x', 'models/file://a')).toBe('models/file://a');
});
