import * as tf from '@tensorflow/tfjs-core';
import { contextTensors } from '../core/context';
import { complaint, DataError } from '../core/errors';
import type { RandomStream, RandomStreamState } from '../core/random';
import { upload } from '../engine/uploads';
import type { Batch } from './trainable';

/** What gives the batches of one pass. */
export type BatchIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** Where a stream of batches stands; plain JSON. */
export interface StreamPosition {
  /** How many passes over the data are complete. */
  pass: number;
  /** Batches taken in the present pass. */
  batch: number;
  /** Order stream as it was before the present pass. */
  order: RandomStreamState;
}

/** Batches of one source, pass after pass, with a position that can be left and found again. */
export class BatchStream {
  private iterator: BatchIterator | undefined;
  /** What `next` will give, and where the stream stood before it. */
  private ahead: { batch: Promise<Batch | undefined>; position: StreamPosition } | undefined;
  private pass = 0;
  private batch = 0;
  private orderBefore: RandomStreamState;

  /**
   * @param where who asks, for messages
   * @param open starts a pass; its tensors belong to this stream's reader
   * @param order where `open` may draw the order of the examples from
   */
  constructor(
    private readonly where: string,
    private readonly open: (pass: number) => BatchIterator | Promise<BatchIterator>,
    private readonly order: RandomStream,
  ) {
    this.orderBefore = order.state();
  }

  /**
   * The next batch, owned by the caller; undefined once at the end of each pass.
   *
   * @throws DataError where a pass has no batch at all
   */
  async next(): Promise<Batch | undefined> {
    const { ahead } = this;
    this.ahead = undefined;
    return ahead === undefined ? this.read() : ahead.batch;
  }

  /** Begins to read what `next` will give, errors included, and to upload it. Until then the position stays as it is. */
  readAhead(): void {
    if (this.ahead !== undefined) return;
    const { position } = this;
    const batch = this.readAndUpload();
    batch.catch(() => {});
    this.ahead = { batch, position };
  }

  private async readAndUpload(): Promise<Batch | undefined> {
    const batch = await this.read();
    if (batch !== undefined) upload([batch.x, ...contextTensors(batch.context)]);
    return batch;
  }

  private async read(): Promise<Batch | undefined> {
    if (this.iterator === undefined) {
      this.orderBefore = this.order.state();
      this.iterator = await this.open(this.pass);
      this.batch = 0;
    }
    const { value, done } = await this.iterator.next();
    if (done === true) {
      if (this.batch === 0) throw this.emptyPass();
      this.nextPass();
      return undefined;
    }
    this.batch++;
    return value as Batch;
  }

  get position(): StreamPosition {
    return this.ahead?.position ?? { pass: this.pass, batch: this.batch, order: this.orderBefore };
  }

  /** Moves to a position that `position` gave, by reading past the batches before it. */
  async seek(position: StreamPosition): Promise<void> {
    await this.close();
    this.order.restore(position.order);
    this.orderBefore = position.order;
    this.pass = position.pass;
    for (let i = 0; i < position.batch; i++) {
      const batch = await this.next();
      if (batch === undefined) {
        throw new DataError(
          complaint(
            this.where,
            `at least ${position.batch} batches a pass, as when the checkpoint was made`,
            `${i}`,
          ),
        );
      }
      tf.dispose([batch.x, batch.context ?? []]);
    }
  }

  /** Leaves the rest of the present pass, if one is under way: what comes next is the first batch of another. */
  async endPass(): Promise<void> {
    if (this.iterator === undefined) return;
    await this.close();
    this.nextPass();
  }

  /** Stops reading, so that a generator can clean up behind itself. */
  async close(): Promise<void> {
    await this.dropAhead();
    const { iterator } = this;
    this.iterator = undefined;
    await iterator?.return?.();
  }

  /** Forgets what was read ahead; nobody asked for it, nor for its errors. */
  private async dropAhead(): Promise<void> {
    const batch = await this.ahead?.batch.catch(() => undefined);
    this.ahead = undefined;
    if (batch !== undefined) tf.dispose([batch.x, batch.context ?? []]);
  }

  private nextPass(): void {
    this.iterator = undefined;
    this.pass++;
    this.batch = 0;
    this.orderBefore = this.order.state();
  }

  private emptyPass(): DataError {
    return this.pass === 0
      ? new DataError(complaint(this.where, 'at least one batch', 'an empty data set'))
      : new DataError(
          complaint(
            this.where,
            'batches for every epoch',
            `none in pass ${this.pass}`,
            'An iterator can be read once; give a function that returns a new one.',
          ),
        );
  }
}
