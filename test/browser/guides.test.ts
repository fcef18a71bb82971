import { readdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Block, readBlocks } from '../examples/guides';
import { hasChromium, launchChromium } from './chromium';
import { type ModulePage, serveModules } from './pageServer';

const inPages = (await readBlocks()).filter(({ language, mark }) => language === 'ts' && mark === 'page');
const [bundler, wasm, worker, page, ...others] = inPages.filter(
  ({ guide }) => guide === 'docs/quick-start-page.md',
);
const [phones, ...further] = inPages.filter(({ guide }) => guide === 'docs/how-to/phones.md');

const garments = 'examples/web/public/models/garments';

describe.skipIf(!hasChromium)('blocks of guides that run in a page', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser?.close());

  /** Runs a page until it says that it has ended; what fails in it fails here. */
  async function run<T>(parts: ModulePage, ended: (tab: Page) => Promise<T>): Promise<T> {
    const served = await serveModules(parts);
    const tab = await browser.newPage();
    const errors: string[] = [];
    tab.on('pageerror', (error) => errors.push(String(error)));
    try {
      await tab.goto(served.url);
      const result = await ended(tab).catch((error) => {
        throw new Error(`${errors.join()} ${error}`);
      });
      expect(errors).toEqual([]);
      return result;
    } finally {
      await tab.close();
      await served.close();
    }
  }

  const end = ';\n(globalThis as Record<string, unknown>).ended = true;';
  const endOf = (tab: Page) => tab.waitForFunction('globalThis.ended', undefined, { timeout: 50_000 });
  const whole = ({ code }: Block, given = '') => ({ '/page.js': given + code + end });

  it('are all here', () => {
    expect([...others, ...further]).toEqual([]);
    expect(inPages).toHaveLength(5);
  });

  it('a bundle with tfjs-core and WebGL alone draws a sample', async () => {
    const files = Object.fromEntries(
      readdirSync(garments).map((name) => [`/models/garments/${name}`, `${garments}/${name}`]),
    );
    // One garment in ten is all but black.
    const code = bundler.code.replace('temperature: 0.7', 'temperature: 0.7, seed: 1');
    const modules = whole({ ...bundler, code });
    await run({ body: '<canvas></canvas>', modules, files }, async (tab) => {
      await endOf(tab);
      const seen = await tab.evaluate(() => {
        const canvas = document.querySelector('canvas')!;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        return [canvas.width, canvas.height, new Set(data).size > 10];
      });
      expect(seen).toEqual([28, 28, true]);
    });
  });

  it.each([
    ['the wasm backend', wasm],
    ['phones', phones],
  ])('%s', async (_, block) => {
    await run({ modules: whole(block) }, endOf);
  });

  it('a worker trains, and tells how far it is', async () => {
    const points = `(globalThis as Record<string, unknown>).points = [${'[0, 1], [1, 0], [.5, .2],'.repeat(40)}];\n`;
    const modules = {
      // Readers train longer than a test can.
      '/worker.ts': worker.code.replace('steps: 2000', 'steps: 3'),
      '/page.js': `${points}${page.code}`,
    };
    const said: unknown[] = [];
    await run({ modules }, async (tab) => {
      tab.on('console', async (message) => said.push(await message.args()[0]?.jsonValue()));
      await tab.reload();
      await expect.poll(() => said, { timeout: 50_000 }).toContainEqual({ stopped: 'finished' });
    });
    expect(said).toContainEqual({ step: 3, loss: expect.any(Number) });
  });
});
