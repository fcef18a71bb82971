/**
 * Kernels that make the WebAssembly backend of TensorFlow.js train, on all cores.
 *
 * @module tfjs-flows/wasm
 */
export { prepareWasm, type WasmOptions, type WasmReport, wasmReport } from './prepare';
