import * as tf from '@tensorflow/tfjs-core';
import { BackendError, ConfigError, complaint } from '../core/errors';
import { checkOptions } from '../core/options';
import { type OpenDevice, openDevice } from './device';
import { DeviceWatch } from './deviceWatch';
import { type FlowBackend, makeFlowBackend } from './flowBackend';
import { registerFlowKernels } from './flowKernels';
import { Gpu } from './gpu';
import { missingPackage } from './nodeGpu';
import { reportOf, type WebGpuReport } from './report';
import { type StockDispatches, watchedClass } from './watchedBackend';

/** Options of `prepareWebGpu`. */
export interface WebGpuOptions {
  /** Which GPU of several. Default: as the system chooses. */
  powerPreference?: 'low-power' | 'high-performance';
}

/** What `prepareWebGpu` returns. */
export interface PreparedWebGpu extends WebGpuReport {
  /**
   * Gives the GPU back: the backend is removed with all of its tensors (models too: save them before), the device destroyed, in Node
   * `navigator.gpu` and the other globals taken away, so that the process ends by itself. The backend of before, or the best
   * one that is registered, is then the active one.
   */
  release(): Promise<void>;
}

/** What is set up at present. */
interface Active {
  backend: FlowBackend;
  /** Name of the backend that was active before. */
  before: string;
  open: OpenDevice;
  watch: DeviceWatch;
  stockDispatches: StockDispatches;
  prepared: PreparedWebGpu;
}

/** The backend's own priority among backends. */
const PRIORITY = 3;

let active: Active | undefined;
/** Calls wait for each other. */
let turns: Promise<unknown> = Promise.resolve();

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = turns.then(work);
  turns = done.catch(() => {});
  return done;
}

/**
 * Prepares the webgpu backend for training and makes it the active one, in a page and, with the package `webgpu`, in Node.
 *
 * Registers the kernels that train flows in few programs each step, and asks for all that the adapter allows (buffers above 128 MB).
 * Once prepared it stays so: calling it again returns the same, whatever its options, and after a failure of the device a new one.
 * Where a device fails, running and reading throw `GpuFailedError` from then on, and no number comes out wrong in silence.
 *
 * @throws NoGpuError where there is no GPU, and what to install; ConfigError for a wrong option; BackendError where the backend
 * runs already and holds tensors
 * @example
 * const { adapter, release } = await prepareWebGpu({ powerPreference: 'high-performance' });
 * console.log(adapter.description, adapter.software);
 * await release(); // the GPU is given back
 */
export function prepareWebGpu(options: WebGpuOptions = {}): Promise<PreparedWebGpu> {
  return inTurn(() => prepare(options));
}

/** What runs at present. */
export function preparedWebGpu(): PreparedWebGpu | undefined {
  return active?.prepared;
}

async function prepare(options: WebGpuOptions): Promise<PreparedWebGpu> {
  checkOptions('prepareWebGpu', options, { powerPreference: ['power', 'preference'] });
  const { powerPreference } = options;
  if (![undefined, 'low-power', 'high-performance'].includes(powerPreference)) {
    throw new ConfigError(
      complaint('prepareWebGpu', "powerPreference 'low-power' or 'high-performance'", `'${powerPreference}'`),
    );
  }
  if (active !== undefined && active.watch.failure === undefined && isRegistered(active)) {
    await tf.setBackend('webgpu');
    return active.prepared;
  }
  if (active !== undefined) await giveBack(active);
  checkHoldsNothing();
  const before = tf.getBackend();
  const open = await openDevice(powerPreference);
  try {
    active = await start(open, before);
  } catch (error) {
    open.release();
    throw error;
  }
  return active.prepared;
}

function checkHoldsNothing(): void {
  if ((running()?.numDataIds() ?? 0) === 0) return;
  throw new BackendError(
    'prepareWebGpu: the webgpu backend holds tensors already. Call prepareWebGpu first.',
  );
}

/** The backend that runs, ours or not. (tf.findBackend would start one.) */
const running = () => tf.engine().registry.webgpu;

const isRegistered = ({ backend }: Active) => running() === backend;

async function start(open: OpenDevice, before: string): Promise<Active> {
  const { adapter, device } = open;
  const { WebGPUBackend } = await importBackend();
  registerFlowKernels();
  const watch = DeviceWatch.of(device);
  const stockDispatches: StockDispatches = new Map();
  const Watched = watchedClass(WebGPUBackend, watch, stockDispatches);
  const backend = makeFlowBackend(Watched, device, adapter.info);
  if (tf.findBackendFactory('webgpu') !== null) tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => backend, PRIORITY);
  await tf.setBackend('webgpu');
  const release = () => inTurn(() => giveBack(started));
  const prepared = { ...reportOf(adapter, device, 0, stockDispatches), release };
  const started: Active = { backend, before, open, watch, stockDispatches, prepared };
  return started;
}

/** Only here, and not before the globals are there that it asks for. */
async function importBackend(): Promise<typeof import('@tensorflow/tfjs-backend-webgpu')> {
  try {
    return await import('@tensorflow/tfjs-backend-webgpu');
  } catch (error) {
    throw missingPackage(error);
  }
}

/** Nothing, where that was done before. */
async function giveBack(started: Active): Promise<void> {
  if (active !== started) return;
  const { before, open, watch } = started;
  const registered = isRegistered(started);
  watch.release();
  active = undefined;
  if (registered) tf.removeBackend('webgpu');
  open.release();
  const others = tf.engine().backendNames();
  if (!registered || others.length === 0) return;
  if (others.includes(before)) await tf.setBackend(before);
  else await tf.ready();
}

/**
 * What is active on the webgpu backend: adapter, limits, kernels, and the programs of the stock backend that ran.
 *
 * @throws BackendError before the backend is prepared
 * @example
 * await prepareWebGpu();
 * console.log(webGpuReport().fallbacks); // {} where every program was one of ours
 */
export function webGpuReport(): WebGpuReport {
  if (active === undefined) throw new BackendError('webGpuReport: call prepareWebGpu first.');
  const { backend, open, stockDispatches } = active;
  return reportOf(open.adapter, open.device, Gpu.of(backend).dispatches, stockDispatches);
}
