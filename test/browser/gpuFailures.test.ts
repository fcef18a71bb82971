import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from './chromium';
import { type OpenPage, openPage } from './openPage';
import type { GpuFailuresPage } from './pages/gpuFailures';

declare const page: GpuFailuresPage;

describe.skipIf(!hasChromium)('a GPU that fails a page', () => {
  let open: OpenPage;

  beforeAll(async () => {
    open = await openPage('gpuFailures.ts');
  });

  afterAll(() => open?.close());

  it.each(['lost', 'program'] as const)('gives no wrong number: %s', async (end) => {
    const lack = await open.tab.evaluate(() => page.prepare());
    expect(lack).toBe(undefined);
    const failed = `GpuFailedError ${end}`;
    // What the host read before stays right.
    expect(await open.tab.evaluate((end) => page.fail(end), end)).toEqual(['2', failed, failed, failed, '2']);
    expect(await open.tab.evaluate(() => page.again())).toBe(2);
  });

  it.each([
    [
      'browser',
      () => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }),
      'browser: prepareWebGpu: this browser has no WebGPU.',
    ],
    [
      'secure page',
      () => {
        Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined });
        Object.defineProperty(globalThis, 'isSecureContext', { value: false });
      },
      'Serve this page by https, or from localhost.',
    ],
    [
      'adapter',
      () => Object.assign(GPU.prototype, { requestAdapter: async () => null }),
      'the browser offers no GPU.',
    ],
  ])('is none for want of: %s', async (missing, before, message) => {
    const tab = await open.tab.context().browser()!.newPage();
    await tab.addInitScript(before);
    await tab.goto(open.tab.url());
    const lack = await tab.evaluate(() => page.prepare());
    expect(lack).toMatch(new RegExp(`^${missing}: `));
    expect(lack).toContain(message);
    await tab.close();
  });
});
