import type { Browser, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** What a test may set before the page opens. */
export interface DemoOptions {
  backend?: string;
  model?: string;
  part?: string;
  width?: number;
  /** Runs in the page before its own scripts. */
  before?: () => void;
}

/** The open web example, with what its tests do again and again. */
export class DemoPage {
  /** Errors that the page did not catch. */
  readonly errors: string[] = [];

  private constructor(readonly tab: Page) {
    tab.on('pageerror', (error) => this.errors.push(error.message));
  }

  static async open(browser: Browser, url: string, options: DemoOptions = {}): Promise<DemoPage> {
    const { backend = '', model = 'garments', part = 'attributes', width = 1000, before } = options;
    const tab = await browser.newPage({ viewport: { width, height: 900 } });
    tab.setDefaultTimeout(30_000);
    if (before !== undefined) await tab.addInitScript(before);
    const demo = new DemoPage(tab);
    await tab.goto(`${url}?backend=${backend}&model=${model}#${part}`);
    return demo;
  }

  /** Waits until the worker has nothing to do, and nothing has gone wrong. */
  async settled(): Promise<void> {
    await this.tab.waitForSelector('main[aria-busy=false]', { timeout: 50_000 });
    expect(await this.tab.textContent('.failure')).toBe('');
  }

  /** Opens a part of the page. */
  async part(id: string): Promise<void> {
    await this.tab.click(`#tab-${id}`);
    await this.settled();
  }

  /** What is drawn on a canvas, as text that differs where the pictures do. */
  drawing(canvas: Locator): Promise<string> {
    return canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL());
  }

  /** Moves a slider as a hand does, and waits for what follows. */
  async slide(slider: Locator, value: number): Promise<void> {
    await slider.evaluate((element: HTMLInputElement, to) => {
      element.value = String(to);
      element.dispatchEvent(new Event('input', { bubbles: true }));
    }, value);
    await this.settled();
  }
}
