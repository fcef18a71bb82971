/** How a program sees a buffer. */
export interface Buffer {
  access: 'read' | 'write';
  /** Type of its elements in WGSL. */
  type: string;
}

/** A buffer that a program reads. */
export function read(type = 'f32'): Buffer {
  return { access: 'read', type };
}

/** A buffer that a program writes, and may read. No other buffer of the program may be the same one. */
export function write(type = 'f32'): Buffer {
  return { access: 'write', type };
}

/** A program of the GPU. */
export interface Program {
  /** Name of its code: whatever the code depends on is part of it. */
  key: string;
  /** Its storage buffers, by the names that the code uses, in the order in which they are given. */
  buffers: Readonly<Record<string, Buffer>>;
  /** Fields of the uniform `sizes`, as `name: u32` or `name: f32`, in the order in which their values are given. */
  sizes?: readonly string[];
  /** WGSL behind the declarations of these, with the entry `main`. */
  code(): string;
}

/** A maker of programs that makes each of them once, whatever its code takes to write: by plain values, or objects of such. */
export function remembered<Given extends readonly unknown[]>(
  make: (...given: Given) => Program,
): (...given: Given) => Program {
  const made = new Map<string, Program>();
  return (...given) => {
    let key = '';
    for (const form of given) key += `${typeof form === 'object' ? Object.values(form as object) : form};`;
    let program = made.get(key);
    if (program === undefined) {
      program = make(...given);
      made.set(key, program);
    }
    return program;
  };
}

/** The whole module. */
export function moduleOf({ buffers, sizes = [], code }: Program): string {
  const declared = Object.entries(buffers).map(
    ([name, { access, type }], i) =>
      `@group(0) @binding(${i}) var<storage, ${access === 'read' ? 'read' : 'read_write'}> ${name}: array<${type}>;`,
  );
  if (sizes.length > 0) {
    declared.push(`struct Sizes { ${sizes.join(', ')} };`);
    declared.push(`@group(0) @binding(${Object.keys(buffers).length}) var<uniform> sizes: Sizes;`);
  }
  return `${declared.join('\n')}\n${code()}`;
}

/** Values of the uniform `sizes` as it lies in memory. */
export function packedSizes(sizes: readonly string[], values: readonly number[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(4 * Math.ceil(sizes.length / 4));
  const floats = new Float32Array(words.buffer);
  sizes.forEach((field, i) => {
    if (field.endsWith('f32')) floats[i] = values[i];
    else words[i] = values[i];
  });
  return words;
}
