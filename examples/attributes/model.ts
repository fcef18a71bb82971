import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Glow, type ImageFlow, loadFlow, type NdArray } from 'tfjs-flows';
import { abortOnInterrupt } from 'tfjs-flows/node';

/** How a Glow is trained. */
export interface TrainingPlan {
  /** Folder that the weights are kept in. */
  folder: string;
  nBits: number;
  steps: number;
  /** Longest time, in seconds. */
  seconds: number;
}

/** The Glow of an earlier run, or one that is trained now; training ends where the held-out images stop to improve. */
export async function trainedGlow(
  training: NdArray<Float32Array>,
  held: NdArray<Float32Array>,
  { folder, nBits, steps, seconds }: TrainingPlan,
): Promise<ImageFlow> {
  const place = pathToFileURL(resolve(folder, 'glow')).href;
  if (existsSync(join(folder, 'glow'))) {
    console.log(`Glow of an earlier run: ${join(folder, 'glow')} (delete it to train anew)`);
    return (await loadFlow(place)) as ImageFlow;
  }
  const glow = new Glow({
    imageShape: training.shape.slice(1),
    levels: 3,
    stepsPerLevel: 6,
    hiddenChannels: 64,
    nBits,
    seed: 1,
  });
  await glow.fit(
    { x: training.data, shape: training.shape.slice(1) },
    {
      steps,
      stepsPerEpoch: 50,
      batchSize: 32,
      learningRate: 1e-3,
      schedule: { kind: 'cosine', steps, warmupSteps: 50, floor: 0.05 },
      clipNorm: 100,
      average: 0.98,
      seed: 1,
      validationData: { x: held.data, shape: held.shape.slice(1) },
      earlyStopping: { patience: 3 },
      signal: AbortSignal.any([AbortSignal.timeout(seconds * 1000), abortOnInterrupt()]),
    },
  );
  await glow.save(place);
  return glow;
}
