import { bijectorChecks } from 'tfjs-flows/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../conformance/registry';
import { hasChromium } from './chromium';
import { type OpenPage, openPage } from './openPage';
import type { ConformancePage } from './pages/conformance';

declare const page: ConformancePage;

describe.skipIf(!hasChromium)('conformance on webgl', () => {
  let open: OpenPage;

  beforeAll(async () => {
    open = await openPage('conformance.ts');
    expect(await open.tab.evaluate(() => page.useBackend('webgl'))).toBe(true);
  });

  afterAll(() => open?.close());

  describe.each(Object.keys(registry))('%s', (bijector) => {
    it.each(bijectorChecks)('%s', async (check) => {
      const complaint = await open.tab.evaluate(([name, what]) => page.check(name, what), [bijector, check]);
      expect(complaint).toBeUndefined();
    });
  });
});
