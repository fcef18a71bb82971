import type {
  BackendName,
  BackendReport,
  CallName,
  Params,
  Request,
  Response,
  Result,
  WorkerEvent,
} from './protocol';

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/** A worker that holds a backend and flows, called by promises. */
export class FlowWorker {
  /** What the worker tells without being asked. */
  onEvent: (event: WorkerEvent) => void = () => {};
  /** Told whenever the worker begins or ends to have something to do. */
  onBusy: (busy: boolean) => void = () => {};
  private readonly worker = new Worker(new URL('./worker/main.ts', import.meta.url), { type: 'module' });
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Response | WorkerEvent>) => {
      if ('event' in data) this.onEvent(data);
      else this.settle(data);
    };
    this.worker.onerror = ({ message }) => this.failAll(message || 'The worker could not be loaded.');
  }

  /** A worker with its backend running. */
  static async start(backend: BackendName): Promise<{ worker: FlowWorker; report: BackendReport }> {
    const worker = new FlowWorker();
    try {
      const wasmFolder = new URL('wasm/', document.baseURI).href;
      return { worker, report: await worker.call('start', { backend, wasmFolder }) };
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  call<Name extends CallName>(name: Name, params: Params<Name>): Promise<Result<Name>> {
    const id = this.nextId++;
    const request: Request = { id, name, params };
    this.worker.postMessage(request);
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      if (this.waiting.size === 1) this.onBusy(true);
    });
  }

  terminate(): void {
    this.worker.terminate();
    this.waiting.clear();
  }

  private settle(response: Response): void {
    const waiting = this.waiting.get(response.id);
    this.waiting.delete(response.id);
    if ('error' in response) waiting?.reject(new Error(response.error));
    else waiting?.resolve(response.result);
    if (this.waiting.size === 0) this.onBusy(false);
  }

  private failAll(message: string): void {
    for (const { reject } of this.waiting.values()) reject(new Error(message));
    this.waiting.clear();
    this.onBusy(false);
  }
}

/** Runs `work` for the latest value only: values that come while it runs replace each other. */
export function latest<Value>(work: (value: Value) => Promise<void>): (value: Value) => void {
  let running = false;
  let next: { value: Value } | undefined;
  const run = async () => {
    running = true;
    while (next !== undefined) {
      const { value } = next;
      next = undefined;
      await work(value);
    }
    running = false;
  };
  return (value) => {
    next = { value };
    if (!running) void run();
  };
}
