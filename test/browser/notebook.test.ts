import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium } from './chromium';
import { type OpenPage, openPage } from './openPage';
import type { NotebookPage } from './pages/notebook';

declare const page: NotebookPage;

describe.skipIf(!hasChromium)('figures in a page', () => {
  let open: OpenPage;

  beforeAll(async () => {
    open = await openPage('notebook.ts');
    await open.tab.evaluate(() => page.run());
  });

  afterAll(() => open?.close());

  it('are elements that can be seen, with words for those who cannot', async () => {
    const { tab } = open;
    expect(await tab.locator('img[alt="2 images"]').boundingBox()).toMatchObject({ width: 134, height: 68 });
    expect(await tab.locator('[role=img][aria-label=Density] svg').boundingBox()).toMatchObject({
      width: 420,
      height: 320,
    });
    expect(await tab.locator('table td').allTextContents()).toEqual(['actnorm', '0.12']);
  });

  it('show how training ended', async () => {
    expect(await open.tab.locator('progress').evaluate((bar: HTMLProgressElement) => bar.value)).toBe(1);
  });
});
