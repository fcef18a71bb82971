export { prepareWasm, type WasmOptions, type WasmReport, wasmReport } from './prepare';
