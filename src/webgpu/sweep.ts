import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { SweepAttributes } from '../layers/fusedSweep';
import { type KernelCall, registerGpuKernel } from './register';
import { mapOf, sweepProgram, TILE_ROWS } from './sweepProgram';
import { rangeOfTables, tablesOf } from './sweepTables';

/** Workgroups that keep a GPU busy; each takes one tile of rows after another. */
const BUSY = 1024;

/** [y, ...kernel, offset and gate of each layer] -> value, logDet. */
function sweep({ inputs, attrs, gpu }: KernelCall<TensorInfo[], SweepAttributes>): TensorInfo[] {
  const [y, ...tensors] = inputs;
  const [rows, columns] = y.shape;
  const { transformer, layers, outputsPerValue } = attrs;
  const value = gpu.output(y.shape);
  const logDet = gpu.output([rows]);
  gpu.withJoined(tensors, (joined, places) => {
    const { words, floats, levels } = tablesOf(tensors, places, attrs);
    const tables = rangeOfTables(gpu, layers[layers.length - 1].levels, words);
    const map = mapOf(transformer);
    const groups = Math.min(Math.ceil(rows / TILE_ROWS), BUSY);
    const record = floats * TILE_ROWS;
    gpu.withScratch([groups * record], (records) => {
      const sizes = [rows, columns, levels, layers.length, outputsPerValue, record, ...map.values];
      const buffers = [y, joined, tables, records, value, logDet];
      gpu.run(sweepProgram(attrs, map, transformer.kind), buffers, [groups, 1, 1], sizes);
    });
  });
  return [value, logDet];
}

/** FlowSweep. */
export function registerSweep(): void {
  registerGpuKernel('FlowSweep', sweep);
}
