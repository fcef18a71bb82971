import type { CallName, Params, Request, Response, Result } from '../protocol';
import { choosePicture, move } from './attributes';
import { startBackend } from './backend';
import { loadModel } from './model';
import { interpolate, sample } from './pictures';
import { score } from './score';
import { listFlows, openFlow, packFlow, removeFlow, saveFlow } from './storage';
import { steer, train } from './training';
import { moveTransferred, prepareTransfer } from './transfer';

const handlers: { [Name in CallName]: (params: Params<Name>) => Promise<Result<Name>> } = {
  start: startBackend,
  loadModel,
  choosePicture,
  move,
  prepareTransfer,
  moveTransferred,
  sample,
  interpolate,
  score,
  train,
  steer,
  saveFlow,
  listFlows,
  openFlow,
  removeFlow,
  packFlow,
};

/** Calls run one after another: one of them may change the backend for a moment. */
let queue: Promise<unknown> = Promise.resolve();

self.addEventListener('message', ({ data: { id, name, params } }: MessageEvent<Request>) => {
  const handle = handlers[name] as (params: unknown) => Promise<unknown>;
  queue = queue
    .then(() => handle(params))
    .then(
      (result): Response => ({ id, result }),
      (error): Response => ({ id, error: error instanceof Error ? error.message : String(error) }),
    )
    .then((response) => self.postMessage(response));
});
