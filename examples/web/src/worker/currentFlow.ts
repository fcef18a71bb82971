import type { Flow } from 'tfjs-flows';
import type { FlowRole } from '../protocol';

const flows: Partial<Record<FlowRole, Flow>> = {};

/** The flow that was trained here or opened last. */
export function currentFlow(): Flow {
  if (flows.kept === undefined) throw new Error('There is no flow yet: train or open one.');
  return flows.kept;
}

/** The flows that are trained together. */
export function currentFlows(): readonly [FlowRole, Flow][] {
  return Object.entries(flows) as [FlowRole, Flow][];
}

/** Takes a flow, and an affine one to compare, in place of those before. */
export function setCurrentFlow(kept: Flow, affine?: Flow): Flow {
  for (const role of ['kept', 'affine'] as const) {
    flows[role]?.dispose();
    delete flows[role];
  }
  Object.assign(flows, affine === undefined ? { kept } : { kept, affine });
  return kept;
}
