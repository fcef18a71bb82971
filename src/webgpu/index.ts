/**
 * Kernels that make the WebGPU backend of TensorFlow.js train, on any GPU.
 *
 * @module tfjs-flows/webgpu
 */
export { type PrepareOptions, prepare } from './choose';
export { type PreparedWebGpu, prepareWebGpu, type WebGpuOptions, webGpuReport } from './prepare';
export type { WebGpuAdapter, WebGpuReport } from './report';
