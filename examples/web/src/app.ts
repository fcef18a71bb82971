import type { FlowWorker } from './client';
import type { BackendName, ModelSummary, Pictures } from './protocol';

/** What every panel works with. */
export interface App {
  worker: FlowWorker;
  backend: BackendName;
  /** The backend for people, with what it runs on. */
  runsOn: string;
  model: ModelSummary;
  /** The visitor's own picture, drawn or dropped in. */
  ownPicture: Pictures | undefined;
  /** Says something to screen readers, without showing it. */
  announce(text: string): void;
  /** Shows what went wrong. */
  fail(error: unknown): void;
}

/** Runs work and shows what goes wrong. */
export async function guarded(app: App, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    app.fail(error);
  }
}

/** How strengths of an attribute are counted. */
export function unitOf(unit: 'with' | 'deviation'): string {
  return unit === 'deviation' ? 'sd' : '';
}
