import { readFileSync } from 'node:fs';
import { gatherRows, type NdArray, RandomStream, readNpz, reduceBits } from 'tfjs-flows';

/** Face images as whole levels [n, 32, 32, 1], and what is known of each. */
export interface Faces {
  images: NdArray<Float32Array>;
  subject: Int32Array;
  sunglasses: Int32Array;
}

const SIDE = 32;

/** The CMU face images that ship with the examples: 624 of 20 people. */
export function loadFaces(nBits: number): Faces {
  const file = new URL('../data/cmu_faces_32x32.npz', import.meta.url);
  const { images, subject, sunglasses } = readNpz(readFileSync(file));
  return {
    images: {
      shape: [...images.shape, 1],
      data: Float32Array.from(reduceBits(images.data as Uint8Array, 8, nBits)),
    },
    subject: Int32Array.from(subject.data, Number),
    sunglasses: Int32Array.from(sunglasses.data, Number),
  };
}

/** The given faces, in the given order. */
export function facesAt({ images, subject, sunglasses }: Faces, rows: Int32Array): Faces {
  return {
    images: gatherRows(images, rows),
    subject: rows.map((row) => subject[row]),
    sunglasses: rows.map((row) => sunglasses[row]),
  };
}

/** Rows of the faces for which `wanted` holds. */
export function rowsWhere({ subject }: Faces, wanted: (row: number) => boolean): Int32Array {
  return Int32Array.from(subject.keys()).filter(wanted);
}

/** `share` of every person's images in the first part, the others in the second. */
export function splitBySubject(faces: Faces, rows: Int32Array, share: number, seed: number): [Faces, Faces] {
  const random = new RandomStream(seed);
  const first: number[] = [];
  const second: number[] = [];
  for (const person of new Set(faces.subject)) {
    const own = rows.filter((row) => faces.subject[row] === person);
    random.permutation(own.length).forEach((at, k) => {
      (k < share * own.length ? first : second).push(own[at]);
    });
  }
  return [facesAt(faces, Int32Array.from(first)), facesAt(faces, Int32Array.from(second))];
}

/** The images and their mirror images: twice as many to learn from. */
export function withMirrored({ data, shape }: NdArray<Float32Array>): NdArray<Float32Array> {
  const both = new Float32Array(2 * data.length);
  both.set(data);
  for (let i = 0; i < data.length; i++) {
    const column = i % SIDE;
    both[data.length + i] = data[i - column + (SIDE - 1 - column)];
  }
  return { data: both, shape: [2 * shape[0], ...shape.slice(1)] };
}
