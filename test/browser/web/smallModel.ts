import { prepareWasm } from 'tfjs-flows/wasm';
import { buildModel } from '../../../examples/web/train/build';
import type { LabelledPictures } from '../../../examples/web/train/dataset';
import { loadGarments } from '../../../examples/web/train/garments';

/** Builds the web example's model of garments in small, for GPUs of software: the shipped one takes them minutes. */
export async function buildSmallModel(folder: string): Promise<void> {
  await prepareWasm();
  await buildModel(folder, {
    load: () => shrunk(loadGarments()),
    glow: { levels: 2, stepsPerLevel: 1, hiddenChannels: 8 },
    steps: 200,
  });
}

/** Pictures without two pixels at every side, then of half the width and height: a value is the rounded mean of four. */
function shrunk(data: LabelledPictures): LabelledPictures {
  const { levels, size, count } = data;
  const side = size / 2 - 2;
  const smaller = new Uint8Array(count * side * side);
  for (let i = 0; i < smaller.length; i++) {
    const image = Math.floor(i / side ** 2);
    const [row, column] = [Math.floor(i / side) % side, i % side];
    const corner = image * size ** 2 + (2 + 2 * row) * size + 2 + 2 * column;
    const four = [corner, corner + 1, corner + size, corner + size + 1].map((at) => levels[at]);
    smaller[i] = Math.round(four.reduce((sum, value) => sum + value, 0) / 4);
  }
  return { ...data, levels: smaller, size: side };
}
