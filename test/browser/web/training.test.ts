import { readFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { unzipSync } from 'fflate';
import type { Browser, Locator } from 'playwright-core';
import { type Flow, moduleFromArtifacts } from 'tfjs-flows';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { hasChromium, launchChromium } from '../chromium';
import { DemoPage } from './demoPage';

describe.skipIf(!hasChromium)('the web example, training', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser?.close());

  describe.each([
    ['wasm', 'site'],
    ['webgl', 'smallSite'],
    ['webgpu', 'smallSite'],
  ] as const)('on %s', (backend, models) => {
    let demo: DemoPage;
    let panel: Locator;
    let here = true;

    const button = (name: string) => panel.getByRole('button', { name, exact: true });
    const status = () => panel.locator('.verdict').textContent();
    const figures = async () => (await panel.locator('.figures').textContent()) ?? '';
    const set = async (values: Record<string, number>) => {
      for (const [label, value] of Object.entries(values))
        await panel.getByLabel(label, { exact: true }).fill(String(value));
    };
    const says = (text: string | RegExp) => expect.poll(status, { timeout: 50_000 }).toMatch(text);

    beforeAll(async () => {
      demo = await DemoPage.open(browser, inject(models), { backend, part: 'train' });
      await demo.settled();
      here = (await demo.tab.getByLabel('Backend').inputValue()) === backend;
      panel = demo.tab.locator('#panel-train');
    });

    afterAll(async () => {
      expect(demo?.errors).toEqual([]);
      await demo?.tab.close();
    });

    it('takes points that are drawn', async ({ skip }) => {
      skip(!here, `this browser has no ${backend}`);
      await button('Clear').click();
      await button('Train').click();
      await says('at least 20 points');
      const plane = panel.locator('.points');
      const box = (await plane.boundingBox())!;
      await demo.tab.mouse.move(box.x + 50, box.y + 150);
      await demo.tab.mouse.down();
      await demo.tab.mouse.move(box.x + 200, box.y + 90, { steps: 12 });
      await demo.tab.mouse.up();
      await plane.focus();
      for (const key of ['ArrowDown', ' ', 'ArrowLeft', ' ']) await demo.tab.keyboard.press(key);
      // Every touch leaves four points: one press, twelve moves, two by keyboard.
      expect(await panel.getByText(/^\d+ points$/).textContent()).toBe('60 points');
    });

    it('trains splines and affine couplings on them with live losses and densities; pauses, resumes, cancels', async ({
      skip,
    }) => {
      skip(!here, `this browser has no ${backend}`);
      const density = () => demo.drawing(panel.locator('.heat'));
      const affine = () => demo.drawing(panel.locator('.heat-affine'));
      const [empty, emptyAffine] = [await density(), await affine()];
      await set({ Steps: 5000, Batch: 16, Depth: 2, Width: 8 });
      await button('Train').click();
      await expect.poll(density, { timeout: 50_000 }).not.toBe(empty);
      await expect.poll(affine, { timeout: 50_000 }).not.toBe(emptyAffine);
      expect(await density()).not.toBe(await affine());
      await expect.poll(() => panel.locator('.loss-plot polyline').count(), { timeout: 50_000 }).toBe(2);
      const captions = () => panel.locator('.planes figcaption').allTextContents();
      await expect
        .poll(captions)
        .toEqual([
          expect.stringMatching(/^splines: -?\d\.\d\d nats$/),
          expect.stringMatching(/^affine couplings: -?\d\.\d\d nats$/),
        ]);
      await button('Pause').click();
      await says('Paused');
      // The step that was under way ends; then the figures stand still.
      const moves = async () => {
        const before = await figures();
        await demo.tab.waitForTimeout(500);
        return (await figures()) !== before;
      };
      await expect.poll(moves, { timeout: 30_000 }).toBe(false);
      const standing = await figures();
      await button('Resume').click();
      await expect.poll(figures, { timeout: 50_000 }).not.toBe(standing);
      await button('Cancel').click();
      await says('Cancelled');
    });

    it('keeps the flow in the browser and opens it after a reload', async ({ skip }) => {
      skip(!here, `this browser has no ${backend}`);
      await panel.getByLabel('Name', { exact: true }).fill('test');
      await button('Save in this browser').click();
      await says('is saved');
      const kept = await demo.drawing(panel.locator('.heat'));
      await demo.tab.reload();
      await demo.settled();
      const empty = await demo.drawing(panel.locator('.heat'));
      expect(empty).not.toBe(kept);
      await button('Open test').click();
      await says('is open');
      expect(await panel.locator('.planes figcaption').allTextContents()).toEqual([
        'splines',
        'affine couplings',
      ]);
      expect(await demo.drawing(panel.locator('.heat'))).not.toBe(empty);
      await button('Remove test').click();
      await says('is removed');
      expect(await panel.locator('.saved li').count()).toBe(0);
    });

    it('trains it further and offers a file that the library reads', async ({ skip }) => {
      skip(!here, `this browser has no ${backend}`);
      await set({ Steps: 3, Batch: 16 });
      await button('Train further').click();
      await says('has finished');
      expect(await figures()).toContain('step 3 of 3');
      const [download] = await Promise.all([demo.tab.waitForEvent('download'), button('Download').click()]);
      const files = unzipSync(readFileSync((await download.path())!));
      const { weightsManifest, ...rest } = JSON.parse(new TextDecoder().decode(files['model.json']));
      await tf.setBackend('cpu');
      const flow = moduleFromArtifacts<Flow>({
        ...rest,
        weightSpecs: weightsManifest[0].weights,
        weightData: files['weights.bin'].slice().buffer,
      });
      const [logProb] = flow.logProb(tf.zeros([1, 2])).dataSync();
      expect(Number.isFinite(logProb)).toBe(true);
      flow.dispose();
    });

    it('trains on pictures and shows samples', async ({ skip }) => {
      skip(!here, `this browser has no ${backend}`);
      await panel.getByLabel('Train on').selectOption('pictures');
      await set({ Steps: 2, Batch: 2, Depth: 1, Width: 4 });
      // Training may be over before anybody looks.
      const said = await panel.locator('.verdict').evaluateHandle((verdict) => {
        const texts: (string | null)[] = [];
        new MutationObserver(() => texts.push(verdict.textContent)).observe(verdict, { childList: true });
        return texts;
      });
      await button('Train').click();
      await says('has finished');
      expect((await said.jsonValue()).join()).toMatch(/on (WASM|WebGL|WebGPU)/);
      if (backend === 'webgpu')
        expect(await status()).toMatch(
          /\d % of the GPU’s programs were fused kernels .*, the others \(.*transpose.*\) of TensorFlow/,
        );
      expect(await panel.locator('.grid canvas').count()).toBe(12);
      expect(await figures()).toContain('step 2 of 2');
    });
  });
});
