import * as tf from '@tensorflow/tfjs-core';
import type { Flow } from 'tfjs-flows';
import type { Split } from './splits';

/** A trained flow's figures. */
export interface Trained {
  /** Log-density of every test row, in nats. */
  points: Float32Array;
  /** Mean log-density of the validation rows at the best step. */
  validation: number;
  bestStep: number;
  steps: number;
  parameters: number;
  seconds: number;
}

/** How a flow is trained. */
export interface Protocol {
  steps: number;
  batchSize: number;
  learningRate: number;
  clipNorm: number;
  /** Steps between two validations. */
  validateEvery: number;
  /** Validations without improvement after which training stops. */
  patience: number;
}

/** The budget that the PyTorch figures were made with. */
export const PROTOCOL: Protocol = {
  steps: 2000,
  batchSize: 256,
  learningRate: 1e-3,
  clipNorm: 5,
  validateEvery: 50,
  patience: 10,
};

/** Trains a flow on a split, keeps its best weights by validation, and judges each test row once. */
export async function trainAndJudge(
  flow: Flow,
  { train, validation, test }: Split,
  seed: number,
  protocol: Protocol = PROTOCOL,
): Promise<Trained> {
  const { steps, batchSize, learningRate, clipNorm, validateEvery, patience } = protocol;
  const start = performance.now();
  const history = await flow.fit(
    { x: train.data, shape: train.shape.slice(1) },
    {
      steps,
      stepsPerEpoch: validateEvery,
      batchSize,
      learningRate,
      clipNorm,
      validationData: { x: validation.data, shape: validation.shape.slice(1) },
      earlyStopping: { patience },
      gradients: 'stored',
      progress: 'none',
      seed,
    },
  );
  const best = history.epochs.reduce((a, b) => ((b.val_loss ?? 0) < (a.val_loss ?? 0) ? b : a));
  return {
    points: tf.tidy(() => Float32Array.from(flow.logProb(test).dataSync())),
    validation: -(best.val_loss ?? Number.NaN),
    bestStep: best.step,
    steps: history.losses.length,
    parameters: flow.trainableWeights.reduce((sum, weight) => sum + weight.size, 0),
    seconds: (performance.now() - start) / 1000,
  };
}
