import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { IS_FINITE } from './elementary';
import { type Program, read, write } from './program';
import { type KernelCall, registerGpuKernel } from './register';
import { flatGroups, groupMain, sumOfGroup } from './wgsl';

/** A workgroup for each row. */
const program: Program = {
  key: 'rowVerdicts',
  buffers: { x: read(), bounds: read(), verdicts: write('u32') },
  sizes: ['rows: u32', 'size: u32', 'columns: u32'],
  code: () => `${IS_FINITE}${sumOfGroup()}
${groupMain(`
  var faults = 0f;
  for (var at = local; thing < sizes.rows && at < sizes.size; at += 256u) {
    let value = x[thing * sizes.size + at];
    let column = at % sizes.columns;
    let within = value >= bounds[column] && value <= bounds[sizes.columns + column];
    let whole = bounds[2u * sizes.columns + column] == 0f || floor(value) == value;
    if (!(isFinite(value) && within && whole)) { faults += 1f; }
  }
  faults = sumOfGroup(local, faults);
  if (local == 0u && thing < sizes.rows) { verdicts[thing] = select(0u, 0x7fc00000u, faults > 0f); }`)}`,
};

function rowVerdicts({ inputs, gpu }: KernelCall<Record<'x' | 'bounds', TensorInfo>, unknown>): TensorInfo[] {
  const { x, bounds } = inputs;
  const [rows, ...event] = x.shape;
  const verdicts = gpu.output([rows]);
  const sizes = [rows, util.sizeFromShape(event), bounds.shape[1]];
  gpu.run(program, [x, bounds, verdicts], flatGroups(rows, 1), sizes);
  return [verdicts];
}

/** FlowRowVerdicts. */
export function registerRowVerdicts(): void {
  registerGpuKernel('FlowRowVerdicts', rowVerdicts);
}
