import { readFileSync } from 'node:fs';
import { readNpz, reduceBits } from 'tfjs-flows';
import type { LabelledPictures } from './dataset';

const N_BITS = 5;
const [FORWARD, LEFT, RIGHT, UP] = [0, 1, 2, 3];
const [NEUTRAL, HAPPY] = [0, 1];
const NOVEL = [4, 11, 17];

/** CMU faces: people as subclasses; sunglasses, the turn of the head, a raised head and a smile as attributes. */
export function loadFaces(): LabelledPictures {
  const file = readNpz(readFileSync(new URL('../../data/cmu_faces_32x32.npz', import.meta.url)));
  const { images, subject, pose, expression, sunglasses } = file;
  const [count, size] = images.shape;
  return {
    title: 'Faces',
    source: 'CMU Face Images (T. Mitchell, UCI, CC BY 4.0)',
    levels: reduceBits(images.data as Uint8Array, 8, N_BITS),
    size,
    count,
    nBits: N_BITS,
    subclasses: Array.from({ length: 20 }, (_, i) => `person ${i + 1}`),
    subclass: Int32Array.from(subject.data),
    novel: NOVEL,
    attributes: [
      { name: 'sunglasses', mode: 'binary', value: (row) => sunglasses.data[row] },
      {
        name: 'head to the right',
        mode: 'slope',
        value: (row) => ({ [LEFT]: -1, [FORWARD]: 0, [RIGHT]: 1 })[pose.data[row]],
      },
      {
        name: 'head raised',
        mode: 'binary',
        value: (row) => ({ [FORWARD]: 0, [UP]: 1 })[pose.data[row]],
      },
      {
        name: 'smile',
        mode: 'binary',
        value: (row) => ({ [NEUTRAL]: 0, [HAPPY]: 1 })[expression.data[row]],
      },
    ],
    shippedPerSubclass: 16,
  };
}
