import type { Page } from 'playwright-core';
import { launchChromium } from './chromium';
import { type PageOptions, servePage } from './pageServer';

/** A tab that runs one of test/browser/pages. */
export interface OpenPage {
  tab: Page;
  close(): Promise<void>;
}

export async function openPage(entry: string, options: PageOptions = {}): Promise<OpenPage> {
  const served = await servePage(entry, options);
  const browser = await launchChromium();
  const tab = await browser.newPage();
  await tab.goto(served.url);
  return {
    tab,
    async close() {
      await browser.close();
      await served.close();
    },
  };
}
