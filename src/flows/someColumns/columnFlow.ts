import type * as tf from '@tensorflow/tfjs-core';
import type { ContextTensors } from '../../core/context';
import type { RandomStream } from '../../core/random';
import type { Distribution } from '../../distributions';
import type { Bijector } from '../../layers';
import type { Column } from '../../layers/supports/columns';
import type { Context } from '../context';
import type { PassOptions, SampleOptions } from '../options';

/** Rows as the bijector of a flow takes them. */
export interface PreparedRows {
  points: tf.Tensor;
  context: ContextTensors | undefined;
}

/** What densities of some columns need of a flow of all. */
export interface ColumnFlow {
  readonly label: string;
  readonly columns: readonly Column[];
  readonly bijector: Bijector;
  readonly base: Distribution;
  logProb(x: tf.Tensor, options?: PassOptions): tf.Tensor1D;
  sample(n: number, options?: SampleOptions): tf.Tensor;
  decode(z: tf.Tensor, options?: { context?: Context }): tf.Tensor;
  logProbOfPoints(x: tf.Tensor, context: Context | undefined): tf.Tensor1D;
  prepared(rows: tf.Tensor, context: Context | undefined, random?: RandomStream): PreparedRows;
}
