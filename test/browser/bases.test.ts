import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { variants } from '../distributions/variants';
import { hasChromium } from './chromium';
import { type OpenPage, openPage } from './openPage';
import type { BasesPage } from './pages/bases';

declare const page: BasesPage;

describe.skipIf(!hasChromium).each(['webgl', 'webgpu'])('bases on %s', (backend) => {
  let open: OpenPage;
  let started: boolean;

  beforeAll(async () => {
    open = await openPage('bases.ts');
    started = await open.tab.evaluate((name) => page.useBackend(name), backend);
    if (backend === 'webgl') expect(started).toBe(true);
  });

  afterAll(() => open?.close());

  // They differ by rounding: less than 1e-6 with software rendering.
  it.for(Object.keys(variants))(
    '%s: densities, samples and gradients are those of cpu (1e-5)',
    async (name, { skip }) => {
      skip(!started, 'this browser has no WebGPU');
      const difference = await open.tab.evaluate(
        ([where, base]) => page.difference(where, base),
        [backend, name],
      );
      console.log(`${backend}, ${name}: ${difference.toExponential(1)}`);
      expect(difference).toBeLessThan(1e-5);
    },
  );
});
