import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { prepareWasm, wasmReport } from 'tfjs-flows/wasm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freshBackend } from './heap';

describe('the report of the wasm backend', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  const product = () =>
    tf.tidy(() => [...tf.matMul(tf.ones([9, 5]), tf.ones([5, 4])).dataSync()].every((value) => value === 5));

  it('takes one thread where memory cannot be shared, and says why', async () => {
    // Before any other call: the backend keeps a shared memory once it had one.
    vi.stubGlobal('SharedArrayBuffer', undefined);
    const report = await prepareWasm({ threads: 2 });
    expect(report.threads).toBe(1);
    expect(report.limits).toContain('threads: 1, because there is no SharedArrayBuffer here.');
    expect(product()).toBe(true);
  });

  it('says what is active', async () => {
    await freshBackend(2);
    const report = wasmReport();
    expect(report).toMatchObject({ backend: 'wasm', threads: 2, simd: true });
    expect(report.kernels).toEqual(
      expect.arrayContaining(['Conv2DBackpropFilter', 'UnsortedSegmentSum', 'Einsum', 'FlowConvolutions']),
    );
    // Which of the two engines this is decides, and the report and its explanation agree.
    expect(report.limits.some((limit) => limit.startsWith('fusedMultiplyAdd'))).toBe(
      !report.fusedMultiplyAdd,
    );
    expect(report.limits.some((limit) => limit.startsWith('vectorBits'))).toBe(report.vectorBits === 128);
    expect(report.limits.some((limit) => limit.startsWith('threads'))).toBe(false);
  });

  it('uses what the engine hides behind flags unless told not to', async () => {
    tf.removeBackend('wasm');
    const usual = await prepareWasm({ threads: 1, hiddenInstructions: false });
    expect(usual.vectorBits).toBe(128);
    expect(product()).toBe(true);
    tf.removeBackend('wasm');
    const { fusedMultiplyAdd } = await prepareWasm({ threads: 1 });
    // Every version of Node that is supported has it, behind a flag or not.
    expect(fusedMultiplyAdd).toBe(true);
    expect(product()).toBe(true);
  });

  it('takes the plain build where relaxed SIMD is missing, and says so', async () => {
    tf.removeBackend('wasm');
    const relaxedFirst = vi.spyOn(WebAssembly, 'validate').mockReturnValueOnce(false);
    const report = await prepareWasm({ threads: 1, hiddenInstructions: false });
    expect(relaxedFirst).toHaveBeenCalled();
    expect(report.fusedMultiplyAdd).toBe(false);
    expect(report.limits.join()).toContain('no relaxed SIMD');
    expect(product()).toBe(true);
  });

  it('counts what stock kernels compute', async () => {
    await freshBackend(1);
    const before = wasmReport().fallbacks.Sum ?? 0;
    tf.tidy(() => tf.sum(tf.ones([3], 'int32')));
    expect(wasmReport().fallbacks.Sum).toBe(before + 1);
  });

  it('does not come for options that nothing reads', async () => {
    await expect(prepareWasm({ thread: 1 } as never)).rejects.toThrow(
      /prepareWasm: expected options among .*, got 'thread'\. Did you mean 'threads'/,
    );
  });

  it('comes once per call, also of calls at the same time', async () => {
    tf.removeBackend('wasm');
    const reports = await Promise.all([2, 1, 2].map((threads) => prepareWasm({ threads })));
    expect(reports.map(({ threads }) => threads)).toEqual([2, 1, 2]);
    expect(product()).toBe(true);
  });
});
