import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  ActNorm,
  ConfigError,
  exportSafetensors,
  exportStateDict,
  Glow,
  importCheckpoint,
  publishedBits,
  registerModule,
} from 'tfjs-flows';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { leavesNoTensors } from '../support/leaks';

let glow: Glow;
let image: tf.Tensor;

beforeAll(async () => {
  await tf.setBackend('cpu');
  glow = new Glow({ imageShape: [4, 4, 1], levels: 1, stepsPerLevel: 1, hiddenChannels: 4, seed: 1 });
  image = tf.zeros([1, 4, 4, 1]);
});

afterAll(() => {
  glow.dispose();
  image.dispose();
});

it.each<[string, () => unknown, RegExp]>([
  [
    'importCheckpoint',
    async () => importCheckpoint(await exportSafetensors(glow), { image_shape: [4, 4, 1] } as never),
    /importCheckpoint: .* got 'image_shape'\. Did you mean 'imageShape'/,
  ],
  [
    'exportStateDict',
    () => exportStateDict(glow, 'chaiyujin', { format: 'npz' } as never),
    /exportStateDict: .*Did you mean 'container'/,
  ],
  [
    'publishedBits',
    async () => publishedBits(glow, image, { compatability: 'openai' } as never),
    /publishedBits: .*Did you mean 'compatibility'/,
  ],
  [
    'publishedBits without options',
    async () => publishedBits(glow, image, undefined as never),
    /compatibility to be one of openai, chaiyujin, rosinality, got undefined/,
  ],
])('%s names an option that it does not read', async (_, attempt, message) => {
  const error = await Promise.resolve()
    .then(attempt)
    .catch((reason: Error) => reason as unknown);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as Error).message).toMatch(message);
});

/** Two weights that a file would give one name. */
class Twice extends ActNorm {
  static override className = 'TestTwice';

  constructor() {
    super({ inputShape: [2] });
    this.addWeight('bias', tf.zeros([3]));
  }
}
registerModule(Twice);

it('a file of safetensors refuses two weights of one name', async () => {
  const model = new Twice();
  await leavesNoTensors(() =>
    expect(exportSafetensors(model)).rejects.toThrow(
      /exportSafetensors: .*got 'bias' for one of \[2\] and for one of \[3\]/,
    ),
  );
  model.dispose();
});
