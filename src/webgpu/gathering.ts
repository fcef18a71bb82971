import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { padded } from './arena';
import type { Range } from './backend';
import type { Gpu } from './gpu';
import { type Program, read, remembered, write } from './program';
import { flatGroups, flatMain } from './wgsl';

/** Tensors that one dispatch reads beside the buffer it writes. */
const MOST_SOURCES = 7;

/** Some tensors side by side, zeros behind each up to where the next one begins. */
const gathering = remembered((count: number): Program => {
  const names = Array.from({ length: count }, (_, i) => `source${i}`);
  return {
    key: `gathering ${count}`,
    buffers: { ...Object.fromEntries(names.map((name) => [name, read('u32')])), page: write('u32') },
    sizes: names.flatMap((_, i) => [`count${i}: u32`, `end${i}: u32`]),
    code: () =>
      flatMain(
        names
          .map(
            (name, i) => `if (at < sizes.end${i}) {
    let place = at${i === 0 ? '' : ` - sizes.end${i - 1}`};
    var word = 0u;
    if (place < sizes.count${i}) { word = ${name}[place]; }
    page[at] = word;
    return;
  }`,
          )
          .join('\n  '),
      ),
  };
});

/** Lists of tensors as stretches, see `Arena.stretches`. A copy for each tensor would cost the device as much as a dispatch for seven. */
export function stretchesOf(gpu: Gpu, ...lists: readonly (readonly TensorInfo[])[]): Range[][] {
  return gpu.arena.stretches(lists, (tensors, page) => {
    let offset = 0;
    for (let first = 0; first < tensors.length; first += MOST_SOURCES) {
      const sources = tensors.slice(first, first + MOST_SOURCES);
      let end = 0;
      const sizes = sources.flatMap(({ shape }) => {
        const count = util.sizeFromShape(shape);
        end += padded(4 * count) / 4;
        return [count, end];
      });
      const to: Range = { buffer: page, offset, size: 4 * end };
      gpu.run(gathering(sources.length), [...sources, to], flatGroups(end), sizes);
      offset += 4 * end;
    }
  });
}
