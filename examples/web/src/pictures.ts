import type { Pictures } from './protocol';

/** Some of many pictures. */
export function selectPictures({ levels, size, nBits }: Pictures, indices: readonly number[]): Pictures {
  const area = size * size;
  const chosen = new Uint8Array(indices.length * area);
  indices.forEach((index, i) => {
    chosen.set(levels.subarray(index * area, (index + 1) * area), i * area);
  });
  return { levels: chosen, count: indices.length, size, nBits };
}

/** Two sets of pictures as one. */
export function joinPictures(first: Pictures, second: Pictures): Pictures {
  const levels = new Uint8Array(first.levels.length + second.levels.length);
  levels.set(first.levels);
  levels.set(second.levels, first.levels.length);
  return { ...first, levels, count: first.count + second.count };
}
