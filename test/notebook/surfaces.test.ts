import { parseHTML } from 'linkedom';
import { decodePng, type Progress } from 'tfjs-flows';
import { imageSheet, show, table, trainingProgress } from 'tfjs-flows/notebook';
import { afterEach, describe, expect, it } from 'vitest';
import { leaveTslab, pretendTslab } from '../support/tslab';

const rows = [{ layer: 'a < b', bits: 1.23456789 }];
const images = { shape: [2, 2, 2, 1], data: [0, 255, 0, 255, 255, 0, 255, 0] };

const report = (step: number, steps: number, epochEnd = false): Progress => ({
  epoch: 0,
  step,
  steps,
  stepInEpoch: step,
  loss: 2.5,
  lossUnit: 'nats',
  exampleKind: 'examples',
  examplesPerSecond: 10,
  epochEnd,
});

/** Makes a name of another kernel or of a page exist. */
function pretend(names: object): void {
  Object.assign(globalThis, names);
}

afterEach(() => {
  leaveTslab();
  pretend({ Deno: undefined, document: undefined });
});

describe('show', () => {
  it('displays once in tslab and returns nothing that it would print', async () => {
    const outputs = pretendTslab();
    expect(await show(table(rows))).toBeUndefined();
    expect(await show(imageSheet(images))).toBeUndefined();
    const [html, png] = [...outputs.values()];
    expect([html.type, png.type]).toEqual(['text/html', 'image/png']);
    expect(decodePng(png.content as Uint8Array).channels).toBe(1);
  });

  it("broadcasts to Deno's kernel, contents of PNG in base64", async () => {
    const messages: { type: string; content: { data: Record<string, string> } }[] = [];
    const broadcast = async (type: string, content: { data: Record<string, string> }) => {
      messages.push({ type, content });
    };
    pretend({ Deno: { jupyter: { broadcast } } });
    await show(imageSheet(images, { description: 'two images' }));
    const [{ type, content }] = messages;
    expect(type).toBe('display_data');
    expect(content.data['text/plain']).toBe('two images');
    // One row of images 2 pixels high, each pixel 32 wide, and a gap of 2 above and below.
    expect(decodePng(Buffer.from(content.data['image/png'], 'base64')).height).toBe(68);
  });

  it('makes an element of a page', async () => {
    pretend({ document: parseHTML('<html><body></body></html>').document });
    expect((await show(table(rows)))?.querySelectorAll('td')).toHaveLength(2);
    expect((await show(imageSheet(images)))?.querySelector('img')?.getAttribute('alt')).toBe('2 images');
  });

  it('says where it works when it is called elsewhere, in Deno without a kernel too', async () => {
    await expect(show(table(rows))).rejects.toThrow("show: expected tslab, Deno's Jupyter kernel or a page");
    const throwing = Object.defineProperty({}, 'jupyter', {
      get: () => {
        throw new Error('Deno.jupyter is only available in a kernel');
      },
    });
    pretend({ Deno: throwing });
    await expect(show(table(rows))).rejects.toThrow('got none of them');
  });
});

describe('trainingProgress', () => {
  it('is one output in tslab, replaced at most four times a second, and ends with the last report', async () => {
    const outputs = pretendTslab();
    const { onProgress, progress, element } = trainingProgress();
    expect([progress, element]).toEqual(['none', undefined]);
    for (let step = 1; step < 500; step++) onProgress(report(step, 500));
    onProgress(report(500, 500, true));
    await new Promise(setImmediate);
    expect(outputs.size).toBe(1);
    const [{ content, times }] = [...outputs.values()];
    expect(times).toBeLessThan(100);
    expect(content).toContain('value="1.000"');
    expect(content).toContain('2.500 nats');
  });

  it("updates the same output of Deno's kernel", async () => {
    const messages: { type: string; id: string }[] = [];
    const broadcast = async (type: string, content: { transient: { display_id: string } }) => {
      messages.push({ type, id: content.transient.display_id });
    };
    pretend({ Deno: { jupyter: { broadcast } } });
    const { onProgress } = trainingProgress();
    onProgress(report(1, 2, true));
    onProgress(report(2, 2, true));
    await new Promise(setImmediate);
    expect(messages.map(({ type }) => type)).toEqual(['display_data', 'update_display_data']);
    expect(new Set(messages.map(({ id }) => id)).size).toBe(1);
  });

  it('is an element in a page', async () => {
    pretend({ document: parseHTML('<html><body></body></html>').document });
    const { onProgress, element } = trainingProgress();
    onProgress(report(1, 2, true));
    await new Promise(setImmediate);
    expect(element?.textContent).toContain('2.500 nats');
  });
});
