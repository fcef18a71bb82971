import { blocks, entries } from './kernelBlocks';

export { entries };

/** Kernels that read their arguments from a block. */
export type Entry = keyof typeof entries;
type Block = keyof typeof blocks;

/** The fields of a block, each by its name; where they lie is known to the generated code alone. */
export type Fields<Name extends Block> = Readonly<Parameters<(typeof blocks)[Name]['write']>[0]>;

/** What writes fields of a block, all of them. */
interface Writer<Name extends Block> {
  /** Number of fields. */
  words: number;
  write(fields: Fields<Name>, words: Int32Array, floats: Float32Array, at: number): void;
}

/** Views of the same memory, for a block's whole numbers and addresses, and for its other numbers. */
export interface BlockViews {
  words: Int32Array;
  floats: Float32Array;
}

/** Writes a block to the start of the views. */
export function writeBlock<Name extends Block>(name: Name, fields: Fields<Name>, views: BlockViews): void {
  (blocks[name] as unknown as Writer<Name>).write(fields, views.words, views.floats, 0);
}

/** Bytes that so many records of a block take. */
export function bytesOf(name: Block, records: number): number {
  return records * blocks[name].words * 4;
}

/** Records of a block as the kernels read them, one after another. */
export function wordsOf<Name extends Block>(name: Name, records: readonly Fields<Name>[]): Int32Array {
  const writer = blocks[name] as unknown as Writer<Name>;
  const words = new Int32Array(records.length * writer.words);
  const floats = new Float32Array(words.buffer);
  for (const [i, record] of records.entries()) writer.write(record, words, floats, i * writer.words);
  return words;
}
