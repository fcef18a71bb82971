import '@tensorflow/tfjs-backend-cpu';
import { serializeModule } from 'tfjs-flows';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../conformance/registry';
import { hasChromium } from './chromium';
import { type OpenPage, openPage } from './openPage';
import type { AgreementPage } from './pages/agreement';

declare const page: AgreementPage;

// The conformance sweep reads results synchronously, which WebGPU does through a canvas that software rendering cannot provide.
// So here webgpu is held against cpu by asynchronous reads, and a full matrix, which is decomposed on the host, is left out.
const names = Object.keys(registry).filter((name) => {
  const bijector = registry[name].create();
  const description = JSON.stringify(serializeModule(bijector));
  bijector.dispose();
  return !description.includes('"parameterization":"full"');
});

describe.skipIf(!hasChromium)('webgpu agrees with cpu', () => {
  let open: OpenPage;
  let here: boolean;

  beforeAll(async () => {
    open = await openPage('agreement.ts');
    here = await open.tab.evaluate(() => page.hasWebgpu());
  });

  // A lost device stays lost, and would fail the rest.
  afterEach(({ task }) => (task.result?.state === 'fail' ? open.tab.reload().then(() => {}) : undefined));

  afterAll(() => open?.close());

  it.for(names)('%s', async (bijector, { skip }) => {
    skip(!here, 'this browser has no WebGPU');
    // float32 on both, summed in different orders; a multi-scale flow sends that through a dozen layers there and back, and an
    // autoregressive one hands on from value to value what sine and cosine of an angle differ by.
    const long = ['MultiScale', 'MaskedAutoregressive, circle, periodic network, context that shifts'];
    const tolerance = long.includes(bijector) ? 1e-3 : 1e-4;
    expect(await open.tab.evaluate((name) => page.difference(name), bijector)).toBeLessThan(tolerance);
  });

  it('trains a Glow to the same losses (1e-3: differences grow from step to step)', async ({ skip }) => {
    skip(!here, 'this browser has no WebGPU');
    const [cpu, gpu] = [
      await open.tab.evaluate(() => page.losses('cpu')),
      await open.tab.evaluate(() => page.losses('webgpu')),
    ];
    expect(gpu).toHaveLength(3);
    gpu.forEach((loss, step) => {
      expect(Math.abs(loss - cpu[step])).toBeLessThan(1e-3 * Math.abs(cpu[step]));
    });
  });
});
