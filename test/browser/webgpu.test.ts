import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../conformance/registry';
import { expectPublishedResults, expectSameResults } from '../support/agreementBounds';
import { publishedFlows } from '../support/publishedAgreement';
import { hasChromium } from './chromium';
import { type OpenPage, openPage } from './openPage';
import type { AgreementPage } from './pages/agreement';

declare const page: AgreementPage;

// The conformance sweep reads results synchronously, which WebGPU does through a canvas that software rendering cannot provide.
// So here webgpu is held against cpu by asynchronous reads.
describe.skipIf(!hasChromium)('webgpu agrees with cpu', () => {
  let open: OpenPage;
  let here: boolean;

  beforeAll(async () => {
    open = await openPage('agreement.ts');
    here = await open.tab.evaluate(() => page.hasWebgpu());
  });

  // A lost device stays lost, and would fail the rest.
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    await open.tab.reload();
    await open.tab.evaluate(() => page.hasWebgpu());
  });

  afterAll(() => open?.close());

  it.for(Object.keys(registry))('%s', async (bijector, { skip }) => {
    skip(!here, 'this browser has no WebGPU');
    expectSameResults(bijector, await open.tab.evaluate((name) => page.differences(name), bijector));
  });

  it.for(Object.keys(publishedFlows))('%s, published', async (flow, { skip }) => {
    skip(!here, 'this browser has no WebGPU');
    expectPublishedResults(await open.tab.evaluate((name) => page.publishedDifferences(name), flow));
  });

  it('trains a Glow to the same losses in 50 steps (1e-3: differences grow from step to step)', async ({
    skip,
  }) => {
    skip(!here, 'this browser has no WebGPU');
    const [cpu, gpu] = [
      await open.tab.evaluate(() => page.losses('cpu', 50)),
      await open.tab.evaluate(() => page.losses('webgpu', 50)),
    ];
    expect(gpu).toHaveLength(50);
    gpu.forEach((loss, step) => {
      expect(Math.abs(loss - cpu[step])).toBeLessThan(1e-3 * Math.abs(cpu[step]));
    });
  });
});
