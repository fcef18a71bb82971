/**
 * Our wasm kernels beside the stock ones, at the shapes of Glow's coupling networks: milliseconds (minimum of many runs).
 *
 *     npm run bench:kernels [-- threads]
 */
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import 'tfjs-flows';
import { prepareWasm } from 'tfjs-flows/wasm';

const threads = Number(process.argv[2] ?? 2);
const RUNS = 15;

type Shape4D = [number, number, number, number];
type Run = () => tf.Tensor;

/** Work by name; every entry makes its own inputs on the active backend. */
function workloads(): [name: string, flops: number, run: Run][] {
  const convolution = (n: number, size: number, inputs: number, outputs: number, taps: number) => {
    const xShape: Shape4D = [n, size, size, inputs];
    const filterShape: Shape4D = [taps, taps, inputs, outputs];
    const x = tf.randomNormal(xShape) as tf.Tensor4D;
    const filter = tf.randomNormal(filterShape) as tf.Tensor4D;
    const dy = tf.randomNormal([n, size, size, outputs]);
    const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC' };
    const kernel = (name: string, tensors: tf.NamedTensorMap, more: tf.NamedAttrMap) => () =>
      tf.engine().runKernel(name, tensors, { ...attributes, ...more }) as tf.Tensor;
    const label = `${taps}x${taps} convolution [${xShape}] -> ${outputs}`;
    const flops = 2 * n * size * size * inputs * outputs * taps * taps;
    return [
      [label, flops, () => tf.conv2d(x, filter, 1, 'same')],
      [
        '  gradient in its input',
        flops,
        kernel('Conv2DBackpropInput', { dy, filter }, { inputShape: xShape }),
      ],
      ['  gradient in its filter', flops, kernel('Conv2DBackpropFilter', { x, dy }, { filterShape })],
    ] as [string, number, Run][];
  };
  const a = tf.randomNormal([1024, 256]);
  const b = tf.randomNormal([1024, 256]);
  const image = tf.randomNormal([16, 16, 16, 128]);
  return [
    ...convolution(16, 16, 6, 128, 3),
    ...convolution(16, 16, 128, 128, 1),
    ...convolution(16, 16, 128, 12, 3),
    ...convolution(4, 16, 512, 512, 1),
    ['matrix product a^T b, [1024, 256]', 2 * 1024 * 256 * 256, () => tf.matMul(a, b, true, false)],
    ['matrix product a b^T, [1024, 256]', 2 * 1024 * 1024 * 256, () => tf.matMul(a, b, false, true)],
    ['sum over positions [16, 16, 16, 128]', image.size, () => tf.sum(image, [0, 1, 2])],
    ['sum per image [16, 16, 16, 128]', image.size, () => tf.sum(image, [1, 2, 3])],
  ];
}

interface Measured {
  name: string;
  flops: number;
  ms: number;
}

function measure(): Measured[] {
  let measured: Measured[] = [];
  tf.tidy(() => {
    measured = workloads().map(([name, flops, run]) => {
      let ms = Number.POSITIVE_INFINITY;
      for (let i = 0; i < RUNS; i++) {
        const start = performance.now();
        const result = run();
        ms = Math.min(ms, performance.now() - start);
        result.dispose();
      }
      return { name, flops, ms };
    });
  });
  return measured;
}

await tf.setBackend('wasm');
const stock = measure();
const columns = [{ title: 'stock', measured: stock }];
for (const count of [...new Set([1, threads])]) {
  const { fusedMultiplyAdd } = await prepareWasm({ threads: count });
  const title = `ours, ${count} thread${count > 1 ? 's' : ''}${fusedMultiplyAdd ? ', FMA' : ''}`;
  columns.push({ title, measured: measure() });
}
console.log(`| ms | ${columns.map(({ title }) => title).join(' | ')} | stock / ours | GFLOP/s |`);
console.log(`|---|${columns.map(() => '---|').join('')}---|---|`);
stock.forEach(({ name, flops, ms }, i) => {
  const times = columns.map(({ measured }) => measured[i].ms.toFixed(2));
  const last = columns[columns.length - 1].measured[i].ms;
  const rate = flops > 2e6 ? (flops / last / 1e6).toFixed(0) : '-';
  console.log(`| ${name} | ${times.join(' | ')} | ${(ms / last).toFixed(1)} | ${rate} |`);
});
