import { afterAll, describe, expect, it } from 'vitest';
import { hasChromium } from './chromium';
import { type OpenPage, openPage } from './openPage';
import type { ThreadsPage } from './pages/threads';

declare const page: ThreadsPage;

describe.skipIf(!hasChromium)('threads of the wasm kernels in a browser', () => {
  const open: OpenPage[] = [];

  afterAll(() => Promise.all(open.map((each) => each.close())));

  it('run in a worker of an isolated page, and change no number', async () => {
    open.push(await openPage('threads.ts', { isolated: true }));
    const [{ tab }] = open;
    const inPage = await tab.evaluate(() => page.inPage());
    const inWorker = await tab.evaluate(() => page.inWorker());
    const cores = await tab.evaluate(() => navigator.hardwareConcurrency);
    expect(inPage).toMatchObject({ isolated: true, threads: 1 });
    expect(inPage.limits.join()).toContain('train in a worker');
    expect(inWorker).toMatchObject({ isolated: true, threads: Math.min(8, cores) });
    expect(inWorker.losses).toEqual(inPage.losses);
  });

  it('are one in a page whatever is asked for, and the report says why', async () => {
    open.push(await openPage('threads.ts'));
    const [isolated, plain] = await Promise.all(open.map(({ tab }) => tab.evaluate(() => page.inPage(2))));
    expect([isolated.threads, plain.threads]).toEqual([1, 1]);
    expect(isolated.limits.join()).toContain('main thread may not wait');
    expect(plain.limits.join()).toContain('not cross-origin isolated');
    expect(plain.losses).toEqual(isolated.losses);
  });

  it('do not run without isolation', async () => {
    open.push(await openPage('threads.ts'));
    const inWorker = await open[open.length - 1].tab.evaluate(() => page.inWorker());
    expect(inWorker).toMatchObject({ isolated: false, threads: 1 });
    expect(inWorker.losses.every(Number.isFinite)).toBe(true);
  });
});
