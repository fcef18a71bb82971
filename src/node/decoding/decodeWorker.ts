import { parentPort } from 'node:worker_threads';
import { type ImageTask, readImageFile } from './readImageFile';

/** What a decoding thread says: first that it runs, then the answer to each task, in their order. */
export type DecodingAnswer =
  | 'ready'
  | { levels: Uint8Array<ArrayBuffer> }
  | { message: string; cause: unknown };

const port = parentPort!;
let last = Promise.resolve();
port.on('message', (task: ImageTask) => {
  last = last.then(() => answer(task));
});
port.postMessage('ready' satisfies DecodingAnswer);

async function answer(task: ImageTask): Promise<void> {
  try {
    // Levels may be a part of a decoder's memory, which cannot be handed over.
    const levels = new Uint8Array(await readImageFile(task));
    port.postMessage({ levels } satisfies DecodingAnswer, [levels.buffer]);
  } catch (error) {
    const { message, cause } = error as Error;
    port.postMessage({ message, cause } satisfies DecodingAnswer);
  }
}
