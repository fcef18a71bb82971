import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from './chromium';
import { type OpenPage, openPage } from './openPage';
import type { TrainingPage } from './pages/training';

declare const page: TrainingPage;

describe.skipIf(!hasChromium)('training in a page, on webgl', () => {
  let open: OpenPage;

  beforeAll(async () => {
    open = await openPage('training.ts');
  });

  afterAll(() => open?.close());

  it.each(['indexeddb://toy', 'localstorage://toy'])('keeps a module bit for bit in %s', async (url) => {
    const [saved, loaded] = await open.tab.evaluate((location) => page.roundTrip(location), url);
    expect(loaded).toEqual(saved);
  });

  it('resumes a Glow from IndexedDB to the same numbers', async () => {
    const { whole, resumed, difference } = await open.tab.evaluate(() => page.resume());
    expect(whole.losses).toHaveLength(6);
    expect(resumed).toEqual(whole);
    expect(difference).toBe(0);
  });

  it('lets the page live and keeps its tensors flat', async () => {
    const { counts, ticks } = await open.tab.evaluate(() => page.live());
    expect(new Set(counts.slice(2)).size).toBe(1);
    expect(ticks).toBeGreaterThan(0);
  });
});
