import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MetricsLog } from '../../src/cli/metricsLog';

let folder: string;
const path = () => join(folder, 'metrics.jsonl');
const steps = () =>
  readFileSync(path(), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).step);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfjs-flows-log-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('the log of a run', () => {
  it('drops what came after the checkpoint, and a line that was cut short', async () => {
    const first = new MetricsLog(path());
    for (const step of [1, 2, 3, 4]) await first.write({ step, loss: 1 / step });
    writeFileSync(path(), `${readFileSync(path(), 'utf8')}{"step":5,"lo`);
    const second = new MetricsLog(path());
    await second.write({ step: 3, loss: 9 });
    expect(steps()).toEqual([1, 2, 3]);
    await second.write({ step: 4, loss: 8 });
    expect(steps()).toEqual([1, 2, 3, 4]);
    expect(readdirSync(folder)).toEqual(['metrics.jsonl']);
  });

  it('takes the place of the old one as a whole: a crash leaves the one or the other', async () => {
    const lines = '{"step":1}\n{"step":2}\n{"step":3}\n';
    writeFileSync(path(), lines);
    const old = join(folder, 'old.jsonl');
    linkSync(path(), old);
    await new MetricsLog(path()).write({ step: 2, loss: 1 });
    expect([readFileSync(old, 'utf8'), steps()]).toEqual([lines, [1, 2]]);
  });

  it('is not begun anew where the old one cannot be read', async () => {
    mkdirSync(path());
    await expect(new MetricsLog(path()).write({ step: 2, loss: 1 })).rejects.toThrow(/EISDIR/);
  });
});
