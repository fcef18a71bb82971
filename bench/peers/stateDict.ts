/**
 * Writes two Glows as state dicts for PyTorch, with images and their log-likelihoods, for stateDict.py to check.
 *
 *     npx tsx bench/peers/stateDict.ts FOLDER && python3 bench/peers/stateDict.py FOLDER --chaiyujin CLONE --rosinality CLONE
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { exportStateDict, Glow, type GlowOptions, RandomStream, writeNpz } from 'tfjs-flows';

const folder = process.argv[2] ?? 'peers';
const common: GlowOptions = {
  imageShape: [16, 16, 3],
  levels: 2,
  stepsPerLevel: 2,
  hiddenChannels: 16,
  seed: 1,
};
const models: Record<string, ['chaiyujin' | 'rosinality', GlowOptions]> = {
  chaiyujin_full: ['chaiyujin', { ...common, lu: false }],
  chaiyujin_lu: ['chaiyujin', { ...common, learnTop: false, networkActnorm: false }],
  chaiyujin_classes: ['chaiyujin', { ...common, classes: 4, permutation: 'reverse', coupling: 'additive' }],
  // The code's networks are 512 wide; clones that were changed take other widths.
  rosinality_lu: ['rosinality', { ...common, hiddenChannels: 512, lastPadding: 'one', nBits: 5 }],
  rosinality_full: [
    'rosinality',
    {
      ...common,
      hiddenChannels: 512,
      lastPadding: 'one',
      lu: false,
      learnTop: 'border',
      coupling: 'additive',
    },
  ],
};

await tf.setBackend('cpu');
mkdirSync(folder, { recursive: true });
for (const [name, [code, options]] of Object.entries(models)) {
  const glow = new Glow(options);
  const random = new RandomStream(2);
  for (const weight of glow.trainableWeights) {
    tf.tidy(() => weight.assign(tf.add(weight, random.normal(weight.shape, 0, 0.02))));
  }
  glow.markInitialized();
  writeFileSync(join(folder, `${name}.safetensors`), await exportStateDict(glow, code, { batchSize: 2 }));

  const levels = 2 ** glow.nBits;
  const labels = options.classes && tf.oneHot(tf.tensor1d([1, 3], 'int32'), options.classes);
  const context = labels ? tf.cast(labels, 'float32') : undefined;
  const images = tf.floor(random.uniform([2, ...options.imageShape], 0, levels));
  const middles = tf.add(images, 0.5);
  const { value, logDet } = glow.bijector.forward(middles, context);
  // Density over the code's own range, [0, 1] or [-0.5, 0.5], where ours is over levels.
  const scale = code === 'chaiyujin' ? levels - 1 : levels;
  const x = code === 'chaiyujin' ? tf.div(images, scale) : tf.sub(tf.div(middles, scale), 0.5);
  const logProb = tf.add(
    tf.add(glow.base.logProb(value, context), logDet),
    (images.size / 2) * Math.log(scale),
  );
  const array = (tensor: tf.Tensor) => ({ shape: tensor.shape, data: Float32Array.from(tensor.dataSync()) });
  writeFileSync(
    join(folder, `${name}.npz`),
    writeNpz({
      x: array(tf.transpose(x, [0, 3, 1, 2])),
      log_prob: array(logProb),
      labels: array(context ?? tf.zeros([2, 1])),
    }),
  );
  console.log(`${name}: ${glow.parameterCount} parameters`);
}
