/**
 * Kernels that make the WebGPU backend of TensorFlow.js train, on any GPU.
 *
 * @module tfjs-flows/webgpu
 */
export { prepareWebGpu, type WebGpuOptions, type WebGpuReport } from './prepare';
