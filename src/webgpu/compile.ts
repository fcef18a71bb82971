import type { TensorInfo } from '@tensorflow/tfjs-core';
import { BackendError, complaint } from '../core/errors';
import type { Range } from './backend';
import { moduleOf, type Program } from './program';
import { Trie } from './trie';

/** A program that was compiled. */
export interface Compiled {
  pipeline: GPUComputePipeline;
  layout: GPUBindGroupLayout;
  /** For each of its storage buffers, whether it takes it for floats. */
  floats: boolean[];
  /** Its groups of bindings by the numbers of their places, and its uniforms by their values. */
  groups: Trie<GPUBindGroup>;
  uniforms: Trie<Range>;
}

/** Storage buffers of a program that every device allows, and many no more of. */
const MOST_BUFFERS = 8;

/** Compiles a program. @throws BackendError where it binds more buffers than every device allows */
export function compile(device: GPUDevice, program: Program): Compiled {
  const { key: label, buffers, sizes } = program;
  const types = Object.values(buffers).map(
    ({ access }): GPUBufferBindingType => (access === 'read' ? 'read-only-storage' : 'storage'),
  );
  if (types.length > MOST_BUFFERS) {
    throw new BackendError(
      complaint(`webgpu, ${label}`, `at most ${MOST_BUFFERS} buffers`, `${types.length}`),
    );
  }
  if (sizes !== undefined) types.push('uniform');
  const layout = device.createBindGroupLayout({
    label,
    entries: types.map((type, binding) => ({ binding, visibility: 4, buffer: { type } })),
  });
  const module = device.createShaderModule({ label, code: moduleOf(program) });
  const pipeline = device.createComputePipeline({
    label,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: 'main' },
  });
  const floats = Object.values(buffers).map(({ type }) => type.endsWith('f') || type.includes('f32'));
  return { pipeline, layout, floats, groups: new Trie(), uniforms: new Trie() };
}

/** What a program takes for floats must be some: integers would be numbers near 0. */
export function checkTypes(
  { key }: Program,
  floats: readonly boolean[],
  buffers: readonly (TensorInfo | Range)[],
): void {
  for (let i = 0; i < floats.length; i++) {
    const buffer = buffers[i];
    if (!floats[i] || !('dataId' in buffer) || buffer.dtype === 'float32') continue;
    throw new BackendError(complaint(`webgpu, ${key}`, `buffer ${i} of float32`, buffer.dtype));
  }
}
