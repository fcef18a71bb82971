import { FormatError, inspectCheckpoint, readSafetensors, writeSafetensors } from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

/** A file as the format's description says, byte by byte. */
function file(header: unknown, data: ArrayLike<number>, length?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  bytes.set(text, 8);
  bytes.set(Array.from(data), 8 + text.length);
  return bytes;
}

describe('readSafetensors', () => {
  it('reads every type', () => {
    const types: [string, number[], number[]][] = [
      ['F64', [0, 0, 0, 0, 0, 0, 0xf8, 0xbf], [-1.5]],
      ['F32', [0, 0, 0xc0, 0xbf], [-1.5]],
      ['F16', [0, 0xbe], [-1.5]],
      ['BF16', [0xc0, 0xbf], [-1.5]],
      ['I64', [0xfe, 255, 255, 255, 255, 255, 255, 255], [-2]],
      ['I32', [0xfe, 255, 255, 255], [-2]],
      ['I16', [0xfe, 255], [-2]],
      ['I8', [0xfe], [-2]],
      ['U64', [1, 1, 0, 0, 0, 0, 0, 0], [257]],
      ['U32', [1, 1, 0, 0], [257]],
      ['U16', [1, 1], [257]],
      ['U8', [250], [250]],
      ['BOOL', [1], [1]],
    ];
    for (const [dtype, bytes, values] of types) {
      const { tensors } = readSafetensors(
        file({ x: { dtype, shape: [1], data_offsets: [0, bytes.length] } }, bytes),
      );
      expect([dtype, [...tensors.get('x')!.read().data]]).toEqual([dtype, values]);
    }
  });

  it('reads special half-precision values', () => {
    const bits = [0x7c00, 0xfc00, 0x7e00, 0x8000, 0x0001];
    const bytes = bits.flatMap((value) => [value & 255, value >> 8]);
    const { tensors } = readSafetensors(
      file({ x: { dtype: 'F16', shape: [5], data_offsets: [0, 10] } }, bytes),
    );
    expect([...tensors.get('x')!.read().data]).toEqual([Infinity, -Infinity, Number.NaN, -0, 2 ** -24]);
  });

  const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  it.each([
    ['nothing', new Uint8Array(0), /got nothing \(0 bytes\)/],
    ['a header beyond the end', file({}, [], 1000), /a header within the file/],
    ['a header that is no JSON', file('{x}', []), /JSON in the header/],
    [
      'a type that is no text',
      file({ x: { ...entry, dtype: null } }, new Uint8Array(8)),
      /dtype, shape and data_off/,
    ],
    [
      'a negative length',
      file({ x: { ...entry, shape: [-2] } }, new Uint8Array(8)),
      /shape and data_offsets/,
    ],
    ['cut values', file({ x: entry }, new Uint8Array(4)), /8 bytes for F32 \[2\] within 4/],
    ['offsets of another size', file({ x: { ...entry, shape: [3] } }, new Uint8Array(8)), /12 bytes for F32/],
    ['trailing bytes', file({ x: entry }, new Uint8Array(9)), /a gap or an overlap at byte 8/],
    [
      'offsets that run backwards',
      file({ x: { ...entry, dtype: 'F4', data_offsets: [8, 0] } }, new Uint8Array(8)),
      /bytes 8 to 0/,
    ],
    ['metadata that are null', file({ __metadata__: null }, []), /metadata that are texts/],
    ['metadata that are no texts', file({ __metadata__: { a: {} } }, []), /something else as 'a'/],
    ['a header that is a list', file('[]', []), /got 10 bytes that begin/],
    ['a header nested without end', file(`{"a":${'['.repeat(1000)}`, []), /nested more than 200/],
    ['two tensors over each other', file({ x: entry, y: entry }, new Uint8Array(8)), /overlap/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(FormatError);
    expect(() => readSafetensors(bytes)).toThrow(message);
  });
});

describe('tensors of types that are not read', () => {
  it('are left out by name, and the others read', () => {
    const bytes = file(
      {
        eighth: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] },
        quarter: { dtype: 'F4', shape: [4], data_offsets: [4, 6] },
        x: { dtype: 'U8', shape: [2], data_offsets: [6, 8] },
        inherited: { dtype: 'toString', shape: [0], data_offsets: [8, 8] },
      },
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
    const { tensors, skipped } = readSafetensors(bytes);
    expect([...tensors.get('x')!.read().data]).toEqual([7, 8]);
    expect([...tensors.keys()]).toEqual(['x']);
    expect(skipped).toEqual(['eighth (F8_E4M3)', 'quarter (F4)', 'inherited (toString)']);
    expect(inspectCheckpoint(bytes).skipped).toEqual(skipped);
  });
});

describe('writeSafetensors', () => {
  it('writes what it reads, bit for bit, with the header padded to 8 bytes', () => {
    const values = Float32Array.of(1.1, -0, Number.MIN_VALUE, 3.4e38);
    const bytes = writeSafetensors(
      {
        mark: { shape: [], data: Uint8Array.of(1) },
        'a/b': { shape: [2, 2], data: values },
        empty: { shape: [0], data: new Float32Array(0) },
      },
      { note: 'straße' },
    );
    const { tensors, metadata } = readSafetensors(bytes);
    expect(metadata).toEqual({ note: 'straße' });
    expect(tensors.get('a/b')!.read()).toEqual({ shape: [2, 2], data: values });
    expect(tensors.get('mark')!.read()).toEqual({ shape: [], data: Uint8Array.of(1) });
    expect(tensors.get('empty')!.read().shape).toEqual([0]);
    expect(new DataView(bytes.buffer).getUint32(0, true) % 8).toBe(0);
  });
});
