import * as tf from '@tensorflow/tfjs-core';
import { checkFields } from './check';
import type { Engine } from './types';

/** The engine of TensorFlow.js, with the fields that we use. */
export function engine(): Engine {
  return tf.engine() as unknown as Engine;
}

checkFields();
