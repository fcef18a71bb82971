import type { Browser } from 'playwright-core';
import { encodePng, RandomStream } from 'tfjs-flows';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { hasChromium, launchChromium } from '../chromium';
import { DemoPage } from './demoPage';

describe.skipIf(!hasChromium)('the web example, a model to look at', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser?.close());

  describe.each([
    { backend: 'wasm', models: 'site', model: 'faces', runs: /WASM, \d+ threads?, SIMD/ },
    { backend: 'webgl', models: 'smallSite', model: 'garments', runs: /WebGL 2/ },
    { backend: 'webgpu', models: 'smallSite', model: 'garments', runs: /WebGPU/ },
  ] as const)('on $backend', ({ backend, models, model, runs }) => {
    let demo: DemoPage;
    let here = true;

    beforeAll(async () => {
      demo = await DemoPage.open(browser, inject(models), { backend, model });
      await demo.settled();
      here = (await demo.tab.getByLabel('Backend').inputValue()) === backend;
    });

    afterAll(async () => {
      expect(demo?.errors).toEqual([]);
      await demo?.tab.close();
    });

    it('says which backend runs', async ({ skip }) => {
      skip(!here, `this browser has no ${backend}`);
      expect(await demo.tab.textContent('.backend-status')).toMatch(runs);
    });

    it('moves a picture along an attribute, shows the learnable range and marks what lies outside', async ({
      skip,
    }) => {
      skip(!here, `this browser has no ${backend}`);
      const strength = demo.tab.locator('#panel-attributes .strength').first();
      const [picture, moved] = [0, 1].map((i) => demo.tab.locator('#panel-attributes .frame canvas').nth(i));
      // Decoding gives the very picture that was encoded.
      expect(await demo.drawing(moved)).toBe(await demo.drawing(picture));
      expect(await strength.locator('.zone.own').count()).toBe(1);
      expect(await strength.locator('.zone.unvouched').count()).toBe(1);
      // The picture is one of the samples, so it lies between them, the outermost included.
      const zones = demo.tab.locator('#panel-attributes .strength > .zone-name');
      expect(new Set(await zones.allTextContents())).toEqual(new Set(['shown by its own samples']));

      const slider = strength.getByRole('slider');
      const end = Number(await slider.getAttribute('max'));
      await demo.slide(slider, end);
      expect(await demo.drawing(moved)).not.toBe(await demo.drawing(picture));
      expect(await strength.textContent()).toContain('outside the learnable range');
      expect(await slider.getAttribute('aria-valuetext')).toContain('outside the learnable range');
      expect(await demo.tab.locator('#panel-attributes .frame[data-zone=outside]').count()).toBe(1);

      await demo.tab.getByRole('button', { name: 'Back to the picture' }).click();
      await demo.settled();
      expect(await demo.drawing(moved)).toBe(await demo.drawing(picture));
    });

    it('moves a subclass with five samples along a transferred attribute, beside its source', async ({
      skip,
    }) => {
      skip(!here, `this browser has no ${backend}`);
      await demo.part('transfer');
      const panel = demo.tab.locator('#panel-transfer');
      expect(await panel.locator('.grid canvas').count()).toBe(5);
      expect(await panel.locator('.verdict').textContent()).toMatch(
        /Consistency .* near normal: .* subclasses (do not )?back the transfer/,
      );
      const canvases = [0, 1].map((i) => panel.locator('.frame canvas').nth(i));
      const before = await Promise.all(canvases.map((canvas) => demo.drawing(canvas)));
      await demo.slide(panel.getByRole('slider'), 1);
      const after = await Promise.all(canvases.map((canvas) => demo.drawing(canvas)));
      after.forEach((drawing, i) => {
        expect(drawing).not.toBe(before[i]);
      });
    });

    it('samples at a temperature, overall and per level', async ({ skip }) => {
      skip(!here, `this browser has no ${backend}`);
      await demo.part('samples');
      const panel = demo.tab.locator('#panel-samples');
      const [overall, finest] = [0, 1].map((i) => panel.getByRole('slider').nth(i));
      const drawings = () =>
        panel
          .locator('.grid canvas')
          .evaluateAll((canvases) => canvases.map((canvas) => (canvas as HTMLCanvasElement).toDataURL()));
      const usual = await drawings();
      expect(new Set(usual).size).toBe(usual.length);
      await demo.slide(finest, 0);
      expect(await drawings()).not.toEqual(usual);
      await demo.slide(overall, 0);
      expect(new Set(await drawings()).size).toBe(1);
    });

    it('walks from one picture to another', async ({ skip }) => {
      skip(!here, `this browser has no ${backend}`);
      await demo.part('between');
      const panel = demo.tab.locator('#panel-between');
      const frames = panel.locator('.grid canvas');
      const ends = panel.locator('.pick:has(input:checked) canvas');
      expect(await demo.drawing(frames.first())).toBe(await demo.drawing(ends.first()));
      expect(await demo.drawing(frames.last())).toBe(await demo.drawing(ends.last()));
      await demo.slide(panel.getByRole('slider'), 2);
      expect(await demo.drawing(panel.locator('.frame canvas'))).toBe(await demo.drawing(frames.nth(2)));
    });

    it('tells the bits per dimension of a picture that is drawn or chosen, layer by layer', async ({
      skip,
    }) => {
      skip(!here, `this browser has no ${backend}`);
      await demo.part('picture');
      const panel = demo.tab.locator('#panel-picture');
      const score = async () => Number.parseFloat((await panel.locator('.score').textContent()) ?? '');
      const known = await score();
      // A picture of the data costs about what held-out pictures cost; 5 bits is storage without a model.
      expect(known).toBeGreaterThan(0);
      expect(known).toBeLessThan(5);
      const bits = await panel.locator('tbody tr td:nth-child(2)').allTextContents();
      const values = bits.map(Number);
      const total = values.pop() as number;
      // Every line is rounded to four digits.
      expect(Math.abs(values.reduce((sum, value) => sum + value, 0) - total)).toBeLessThan(0.01);
      expect(Math.abs(total - known)).toBeLessThan(0.001);

      const pad = panel.locator('.pad');
      await pad.focus();
      await demo.tab.keyboard.press('Shift+ArrowRight');
      await demo.settled();
      const drawn = await score();
      expect(drawn).not.toBe(known);

      const random = new RandomStream(1);
      const raster = {
        width: 12,
        height: 18,
        channels: 1,
        data: Uint8Array.from({ length: 216 }, () => 255 * random.integer(2)),
      };
      await panel.locator('input[type=file]').setInputFiles({
        name: 'noise.png',
        mimeType: 'image/png',
        buffer: Buffer.from(encodePng(raster)),
      });
      await expect.poll(score, { timeout: 30_000 }).not.toBe(drawn);
      await demo.settled();
      // Noise is nothing like the data.
      expect(await score()).toBeGreaterThan(known);
    });
  });
});
