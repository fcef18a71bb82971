import type { Flow } from 'tfjs-flows';

let flow: Flow | undefined;

/** The flow that was trained here or opened last. */
export function currentFlow(): Flow {
  if (flow === undefined) throw new Error('There is no flow yet: train or open one.');
  return flow;
}

export function setCurrentFlow(next: Flow): Flow {
  flow?.dispose();
  flow = next;
  return next;
}
