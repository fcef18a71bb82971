import { readFileSync } from 'node:fs';
import {
  FormatError,
  importCheckpoint,
  inspectCheckpoint,
  readTorchFile,
  type StoredTensor,
} from 'tfjs-flows';
import { describe, expect, it } from 'vitest';

const read = (name: string) => readFileSync(new URL(`../fixtures/pytorch/${name}.pt`, import.meta.url));

const base = Array.from({ length: 24 }, (_, i) => i);
const at = (row: number, column: number) => base[row * 6 + column];

/** What make.py put in, as [dtype, shape, values]. */
const tensors: Record<string, [string, number[], number[]]> = {
  double: ['F64', [5], [-2, -0.5, 0, 1, 3]],
  float: ['F32', [5], [-2, -0.5, 0, 1, 3]],
  half: ['F16', [6], [-2, -0.5, 0, 2 ** -14, 2 ** -24, 65504]],
  bfloat16: ['BF16', [6], [-2, -0.5, 0, 1, 3, 2 ** 100]],
  long: ['I64', [4], [-(2 ** 53) + 1, -1, 0, 2 ** 53 - 1]],
  int: ['I32', [3], [-(2 ** 31), 0, 2 ** 31 - 1]],
  short: ['I16', [3], [-(2 ** 15), 0, 2 ** 15 - 1]],
  char: ['I8', [3], [-128, 0, 127]],
  byte: ['U8', [2], [0, 255]],
  bool: ['BOOL', [3], [1, 0, 1]],
  scalar: ['F32', [], [7]],
  empty: ['F32', [0, 3], []],
  transposed: ['F32', [6, 4], [0, 1, 2, 3, 4, 5].flatMap((j) => [0, 1, 2, 3].map((i) => at(i, j)))],
  sliced: ['F32', [2, 3], [1, 2].flatMap((i) => [2, 3, 4].map((j) => at(i, j)))],
  strided: ['F32', [2, 2], [at(0, 0), at(0, 3), at(2, 0), at(2, 3)]],
  expanded: ['F32', [2, 3], [1, 1, 1, 2, 2, 2]],
  shared: ['F32', [4, 6], base],
  parameter: ['F32', [2], [1, 1]],
};

describe.each(['values', 'values_legacy', 'values_protocol4'])('%s.pt', (file) => {
  const root = readTorchFile(read(file)) as Map<unknown, unknown>;

  it('has every type, view and storage of tensors', () => {
    const state = root.get('state_dict') as Map<string, StoredTensor>;
    expect([...state.keys()]).toEqual(Object.keys(tensors));
    for (const [name, [dtype, shape, values]] of Object.entries(tensors)) {
      const tensor = state.get(name) as StoredTensor;
      expect([name, tensor.dtype, tensor.shape, [...tensor.read().data]]).toEqual([
        name,
        dtype,
        shape,
        values,
      ]);
    }
  });

  it('has numbers, strings, tuples, lists and dicts', () => {
    const { state_dict: _, ...rest } = Object.fromEntries(root as Map<string, unknown>);
    expect(rest).toEqual({
      step: 7,
      big: 2n ** 80n,
      negative: -(2 ** 40),
      rate: 1e-3,
      name: 'glöw',
      flag: true,
      none: null,
      tuple: [1, 'two', [3]],
      list: [1, [2, new Map([['three', 3]])]],
      1: 'integer key',
    });
  });
});

describe('files of training code', () => {
  it('gives the model without `module.` and names what it skips', () => {
    const { container, tensors: found, skipped, library } = inspectCheckpoint(read('training'));
    expect(container).toBe('pytorch');
    expect(library).toBeUndefined();
    expect(skipped).toEqual(['optim', 'epoch']);
    expect(found.slice(0, 2)).toEqual([
      { name: '0.weight', dtype: 'F32', shape: [2, 1, 3, 3] },
      { name: '0.bias', dtype: 'F32', shape: [2] },
    ]);
    expect(() => importCheckpoint(read('training'))).toThrow(
      /expected the parameter names of openai, chaiyujin/,
    );
  });

  it("says that an optimizer's state is no model", () => {
    expect(() => importCheckpoint(read('optimizer'))).toThrow(
      /an optimizer's state; the model is in another file/,
    );
  });
});

describe('hostile files', () => {
  it.each([
    ['hostile_system', /'posix\.system'/],
    ['hostile_eval', /'__builtin__\.eval'/],
    ['hostile_getattr', /'__builtin__\.getattr'/],
    ['hostile_class', /'__main__\.Hostile'/],
    ['hostile_legacy', /'posix\.system'/],
    ['opcode_inst', /opcode 0x69/],
    ['opcode_obj', /'os\.system'/],
    ['opcode_newobj', /'os\.system'/],
    ['opcode_ext', /opcode 0x82/],
    ['opcode_stack_global', /'os\.system'/],
    ['opcode_call_of_value', /a call of something that is no allowed function/],
    ['opcode_build', /'__main__\.Hostile'/],
    ['opcode_legacy_build', /the state of an object/],
    ['opcode_call_of_storage', /a call of something that is no allowed function/],
  ])('%s is refused by name', (file, message) => {
    expect(() => readTorchFile(read(file))).toThrow(FormatError);
    expect(() => readTorchFile(read(file))).toThrow(message);
  });

  it('refuses inherited names of JavaScript objects too', () => {
    const pickle = new TextEncoder().encode('\x80\x02cconstructor\nprototype\n.');
    expect(() => readTorchFile(Uint8Array.from([0x80, 2, ...pickle.slice(3)]))).toThrow(
      /'constructor\.prototype'/,
    );
  });
});

describe('damaged files', () => {
  it.each(['values', 'values_legacy'])('%s.pt cut anywhere is an error that says so', (file) => {
    const whole = read(file);
    for (let length = 0; length < whole.length; length += 37) {
      expect(() => readTorchFile(whole.subarray(0, length))).toThrow(FormatError);
    }
  });

  it('a flipped bit in the values of a zip is found', () => {
    const whole = Uint8Array.from(read('values'));
    const twentyThree = Buffer.from(Float32Array.of(22, 23).buffer);
    whole[Buffer.from(whole).indexOf(twentyThree)] ^= 1;
    expect(() => readTorchFile(whole)).toThrow(FormatError);
  });

  it('random bytes in a pickle are errors of ours, not crashes', () => {
    const whole = read('values_legacy');
    for (let i = 0; i < 400; i++) {
      const broken = Uint8Array.from(whole);
      broken[(i * 7) % 1500] = (i * 131) % 256;
      try {
        readTorchFile(broken);
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('hello, this is no checkpoint')],
    ['an empty pickle', Uint8Array.of(0x80, 2, 0x2e)],
  ])('%s', (_, bytes) => {
    expect(() => importCheckpoint(bytes)).toThrow(FormatError);
  });
});
