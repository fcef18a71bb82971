import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from './chromium';
import { type OpenPage, openPage } from './openPage';
import type { ReversiblePage } from './pages/reversible';

declare const page: ReversiblePage;

describe.skipIf(!hasChromium).each(['webgl', 'webgpu'])('reversible gradients on %s', (backend) => {
  let open: OpenPage;
  let started: boolean;

  beforeAll(async () => {
    open = await openPage('reversible.ts');
    started = await open.tab.evaluate((name) => page.useBackend(name), backend);
    if (backend === 'webgl') expect(started).toBe(true);
  });

  afterAll(() => open?.close());

  it('are the stored ones, without anchors', async ({ skip }) => {
    skip(!started, 'this browser has no WebGPU');
    const distance = await open.tab.evaluate(() => page.distance());
    console.log(`${backend}: ${distance.toExponential(1)}`);
    // The promise of the documentation.
    expect(distance).toBeLessThan(1e-3);
  });

  it('train to the same losses, and leave no tensor', async ({ skip }) => {
    skip(!started, 'this browser has no WebGPU');
    const stored = await open.tab.evaluate(() => page.losses('stored'));
    const reversible = await open.tab.evaluate(() => page.losses('reversible'));
    expect(reversible.losses).toHaveLength(2);
    // 1e-3 bits: float32 inverses, through a step of Adam.
    reversible.losses.forEach((loss, step) => {
      expect(Math.abs(loss - stored.losses[step])).toBeLessThan(1e-3);
    });
    expect(reversible.tensors).toBe(0);
    expect(stored.tensors).toBe(0);
  });

  it('samples by the same inverses', async ({ skip }) => {
    skip(!started, 'this browser has no WebGPU');
    expect(await open.tab.evaluate(() => page.samples())).toBe(true);
  });
});
