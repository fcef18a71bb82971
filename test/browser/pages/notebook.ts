import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { realNvp } from 'tfjs-flows';
import { densityPlot, imageSheet, show, table, trainingProgress } from 'tfjs-flows/notebook';

/** What the test in Node calls in the page. */
export interface NotebookPage {
  /** Shows a sheet, a density and a table, and trains; the page then holds all of them. */
  run(): Promise<void>;
}

declare global {
  var page: NotebookPage;
}

globalThis.page = {
  async run() {
    await tf.setBackend('cpu');
    const training = trainingProgress();
    const flow = realNvp({ dimensions: 2, hiddenUnits: [8], seed: 1 });
    await flow.fit(
      tf.tensor2d([
        [0, 1],
        [1, 0],
        [1, 1],
        [0, 0],
      ]),
      { steps: 3, seed: 1, ...training },
    );
    const shown = await Promise.all([
      show(imageSheet({ shape: [2, 8, 8, 3], data: new Uint8Array(384).fill(128) })),
      show(densityPlot(flow, { cells: 20 })),
      show(table([{ layer: 'actnorm', bits: 0.12 }])),
    ]);
    for (const element of [training.element, ...shown]) document.body.append(element as HTMLElement);
  },
};
