import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from './chromium';
import { type OpenPage, openPage } from './openPage';
import type { PrepareWebGpuPage } from './pages/prepareWebGpu';

declare const page: PrepareWebGpuPage;

describe.skipIf(!hasChromium)('prepareWebGpu in a page', () => {
  let open: OpenPage;

  beforeAll(async () => {
    open = await openPage('prepareWebGpu.ts');
  });

  afterAll(() => open?.close());

  it('asks for all that the adapter allows, and says what runs', async () => {
    expect(await open.tab.evaluate(() => page.prepare())).toBe(undefined);
    const { report, offered } = await open.tab.evaluate(() => page.report());
    expect(report.deviceLimits).toEqual(offered);
    // More than WebGPU gives to those who don't ask.
    expect(report.deviceLimits.maxStorageBufferBindingSize).toBeGreaterThan(2 ** 27);
    expect(report).toMatchObject({ backend: 'webgpu', adapter: { software: true } });
    expect(report.dispatches).toBeGreaterThan(0);
    expect(report.kernels).toContain('FlowActNorm');
    expect(report.limits.join()).toMatch(/^speed: /);
  });

  it('gives everything back', async () => {
    const left = await open.tab.evaluate(() => page.release());
    expect(left).toEqual(['cpu', 'GpuFailedError released', 'destroyed']);
  });

  it.each(['lost', 'program'] as const)('a GPU that fails gives no wrong number: %s', async (end) => {
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
  ])('finds no GPU for want of: %s', async (missing, before, message) => {
    const tab = await open.tab.context().browser()!.newPage();
    await tab.addInitScript(before);
    await tab.goto(open.tab.url());
    const lack = await tab.evaluate(() => page.prepare());
    expect(lack).toMatch(new RegExp(`^${missing}: `));
    expect(lack).toContain(message);
    await tab.close();
  });
});
