import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { hasChromium, launchChromium } from '../chromium';
import { DemoPage } from './demoPage';

const parts = ['attributes', 'transfer', 'samples', 'between', 'picture', 'train'];

/** A task on the page's main thread in a trace: `tdur` is processor time in microseconds, free of what else the machine does. */
interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  tdur?: number;
  args: { name?: string };
}

describe.skipIf(!hasChromium)('the web example as a page', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser?.close());

  it('fits a phone, passes the accessibility rules in light and dark, and goes by keyboard', async () => {
    const demo = await DemoPage.open(browser, inject('site'), { width: 360 });
    await demo.settled();
    await demo.tab.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core') });
    await demo.tab.focus('#tab-attributes');
    for (const part of parts) {
      await demo.settled();
      expect(await demo.tab.getAttribute(`#tab-${part}`, 'aria-selected')).toBe('true');
      expect(await demo.tab.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      for (const colorScheme of ['light', 'dark'] as const) {
        await demo.tab.emulateMedia({ colorScheme });
        const { violations } = await demo.tab.evaluate(() =>
          (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
        );
        const found = violations.map(({ id, nodes }) => `${part}, ${colorScheme}: ${id} ${nodes[0].html}`);
        expect(found).toEqual([]);
      }
      await demo.tab.keyboard.press('ArrowRight');
    }
    expect(await demo.tab.getAttribute('#tab-attributes', 'aria-selected')).toBe('true');
    expect(demo.errors).toEqual([]);
    await demo.tab.close();
  });

  it('stays responsive: no task of the main thread takes 100 ms of processor time, training included', async () => {
    const demo = await DemoPage.open(browser, 'about:blank');
    await browser.startTracing(demo.tab, { categories: ['devtools.timeline', 'toplevel', '__metadata'] });
    await demo.tab.goto(`${inject('site')}?backend=wasm`);
    await demo.settled();
    for (const part of parts) await demo.part(part);
    const panel = demo.tab.locator('#panel-train');
    await panel.getByLabel('Steps', { exact: true }).fill('200');
    await panel.getByRole('button', { name: 'Train', exact: true }).click();
    const status = () => panel.locator('.verdict').textContent();
    await expect.poll(status, { timeout: 50_000 }).toContain('has finished');
    const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: TraceEvent[] };
    const threads = traceEvents.filter(
      ({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain',
    );
    const milliseconds = traceEvents
      .filter(
        ({ name, pid, tid }) =>
          name.endsWith('RunTask') && threads.some((thread) => thread.pid === pid && thread.tid === tid),
      )
      .flatMap(({ tdur }) => (tdur === undefined ? [] : [tdur / 1000]));
    expect(milliseconds.length).toBeGreaterThan(100);
    expect(Math.max(...milliseconds)).toBeLessThan(100);
    await demo.tab.close();
  });

  it('switches the backend and the model', async () => {
    const demo = await DemoPage.open(browser, inject('site'), { backend: 'wasm' });
    await demo.settled();
    expect(await demo.tab.evaluate(() => crossOriginIsolated)).toBe(true);
    await demo.tab.getByLabel('Model').selectOption('faces');
    await expect.poll(() => demo.tab.textContent('.backend-status')).toContain('Faces');
    await demo.settled();
    await demo.tab.getByLabel('Backend').selectOption('webgl');
    await expect
      .poll(() => demo.tab.textContent('.backend-status'), { timeout: 30_000 })
      .toContain('Runs on WebGL');
    expect(demo.errors).toEqual([]);
    await demo.tab.close();
  });

  it('says which backend is missing and why, and begins with one that is there', async () => {
    const demo = await DemoPage.open(browser, inject('site'), {
      backend: 'webgpu',
      before: () => {
        Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined });
        OffscreenCanvas.prototype.getContext = () => null;
      },
    });
    await demo.settled();
    const text = await demo.tab.textContent('.status-line');
    expect(text).toContain('Runs on WASM');
    expect(text).toContain('WebGL is missing: WebGL 2 is missing or switched off.');
    expect(text).toContain('WebGPU is missing: this browser does not have it');
    expect(await demo.tab.locator('option:disabled').allTextContents()).toEqual(['WebGL', 'WebGPU']);
    await demo.tab.close();
  });

  it.each([
    [
      'no adapter',
      () => {
        GPU.prototype.requestAdapter = async () => null;
      },
      'WebGPU is missing: the browser offers no GPU',
    ],
    [
      'no secure page',
      () => {
        Object.defineProperty(globalThis, 'isSecureContext', { value: false });
      },
      'WebGPU is missing: browsers give it to pages by https',
    ],
    ['no GPU behind its adapter', () => {}, 'WebGPU finds no GPU here, only a program that stands for one'],
  ])('says why WebGPU is no choice: %s', async (_, before, reason) => {
    const demo = await DemoPage.open(browser, inject('site'), { backend: 'wasm', before });
    await demo.settled();
    expect(await demo.tab.textContent('.status-line')).toContain(reason);
    await demo.tab.close();
  });

  it('says so where nothing can run', async () => {
    const demo = await DemoPage.open(browser, inject('site'), {
      before: () => {
        Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined });
        OffscreenCanvas.prototype.getContext = () => null;
        WebAssembly.validate = () => false;
      },
    });
    await expect
      .poll(() => demo.tab.textContent('.failure'))
      .toContain('neither WebAssembly with SIMD nor WebGL 2 nor WebGPU');
    await demo.tab.close();
  });
});
