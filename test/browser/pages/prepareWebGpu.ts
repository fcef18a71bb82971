import '@tensorflow/tfjs-backend-cpu';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { ActNorm, NoGpuError } from 'tfjs-flows';
import { prepareWebGpu, type WebGpuReport, webGpuReport } from 'tfjs-flows/webgpu';

/** How a device is made to fail. */
export type End = 'lost' | 'program';

/** What the test in Node calls in the page. */
export interface PrepareWebGpuPage {
  /** What `prepareWebGpu` says where the page has nothing of its own; undefined where it prepares. */
  prepare(): Promise<string | undefined>;
  /** What is active after one program of ours, and the limits that the adapter offers. */
  report(): Promise<{ report: WebGpuReport; offered: Record<string, number> }>;
  /** The backend once the GPU is given back, what a value on it came to, and why its device is gone. */
  release(): Promise<string[]>;
  /** What a value read before the device failed, one that waits meanwhile, one that is read after, and a further program come to. */
  fail(end: End): Promise<string[]>;
  /** A value of the device that the next call prepares. */
  again(): Promise<number>;
}

/** 2000 twos: too many for the backend to compute on the host. */
const twos = () => tf.tidy(() => tf.add(tf.ones([2000]), 1));

const come = (work: () => Promise<ArrayLike<number>>) =>
  work().then(
    (values) => String(values[0]),
    (error) => `${error.name} ${error.failure}`,
  );

const page: PrepareWebGpuPage = {
  async prepare() {
    try {
      await prepareWebGpu();
    } catch (error) {
      if (!(error instanceof NoGpuError)) throw error;
      return `${error.missing}: ${error.message}`;
    }
  },
  async report() {
    const layer = new ActNorm({ inputShape: [2] });
    layer.markInitialized();
    const result = tf.tidy(() => layer.forward(tf.ones([1000, 2])).value);
    await result.data();
    result.dispose();
    layer.dispose();
    const report = webGpuReport();
    const { limits } = (await navigator.gpu.requestAdapter())!;
    const names = Object.keys(report.deviceLimits) as (keyof GPUSupportedLimits)[];
    return { report, offered: Object.fromEntries(names.map((name) => [name, limits[name] as number])) };
  },
  async release() {
    const { release } = await prepareWebGpu();
    const { device } = tf.backend() as WebGPUBackend;
    const held = twos();
    await release();
    return [tf.getBackend(), await come(() => held.data()), (await device.lost).reason];
  },
  async fail(end) {
    const { device } = tf.backend() as WebGPUBackend;
    const [before, meanwhile] = [twos(), twos()];
    const read = await come(() => before.data());
    if (end === 'lost') device.destroy();
    else device.createShaderModule({ code: 'no program' });
    const waits = await come(() => meanwhile.data());
    return [
      read,
      waits,
      await come(() => meanwhile.data()),
      await come(async () => twos().data()),
      await come(() => before.data()),
    ];
  },
  async again() {
    await prepareWebGpu();
    return (await twos().data())[0];
  },
};

Object.assign(globalThis, { page });
