import { blocks, entries } from './kernelBlocks';

export { entries };

/** Kernels that read their arguments from a block. */
export type Entry = keyof typeof entries;
type Block = keyof typeof blocks;

/** The fields of a block, each by its name; where they lie is known to the generated layout alone. Flags may be booleans. */
export type Fields<Name extends Block> = Readonly<Record<keyof (typeof blocks)[Name], number | boolean>>;

/** Records of a block as the kernels read them, one after another. */
export function wordsOf<Name extends Block>(name: Name, records: readonly Fields<Name>[]): Int32Array {
  const layout = Object.entries(blocks[name]) as [keyof Fields<Name>, string][];
  const words = new Int32Array(records.length * layout.length);
  const floats = new Float32Array(words.buffer);
  let at = 0;
  for (const record of records) {
    for (const [field, type] of layout) {
      if (type === 'f32') floats[at++] = Number(record[field]);
      else words[at++] = Number(record[field]);
    }
  }
  return words;
}
