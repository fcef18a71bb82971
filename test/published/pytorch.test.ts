import { readFileSync } from 'node:fs';
import {
  FormatError,
  importCheckpoint,
  inspectCheckpoint,
  PickledObject,
  readTorchFile,
  type StoredTensor,
  writeSafetensors,
} from 'tfjs-flows';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/published/checkpointFile';
import { fixture } from '../support/fixture';

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
  it('gives the model without `module.` and names what it skips', async () => {
    const { container, tensors: found, skipped, library } = inspectCheckpoint(read('training'));
    expect(container).toBe('pytorch');
    expect(library).toBeUndefined();
    expect(skipped).toEqual(['optim', 'epoch']);
    expect(found.slice(0, 2)).toEqual([
      { name: '0.weight', dtype: 'F32', shape: [2, 1, 3, 3] },
      { name: '0.bias', dtype: 'F32', shape: [2] },
    ]);
    await expect(importCheckpoint(read('training'))).rejects.toThrow(
      /expected the parameter names of openai, chaiyujin/,
    );
  });

  it("says that an optimizer's state is no model", async () => {
    await expect(importCheckpoint(read('optimizer'))).rejects.toThrow(
      /an optimizer's state; the model is in another file/,
    );
  });
});

/** Names of the tensors of make.py's small network. */
const network = [
  '0.weight',
  '0.bias',
  '1.weight',
  '1.bias',
  '1.running_mean',
  '1.running_var',
  '1.num_batches_tracked',
];

/** The array that `torch.manual_seed(1)` gave the network's first weights. */
const firstWeights = [...(tensorsIn('beside_flat').get('0.weight') as StoredTensor).read().data];

function tensorsIn(file: string): ReadonlyMap<unknown, unknown> {
  return readTorchFile(read(file)) as ReadonlyMap<unknown, unknown>;
}

describe('what is beside the weights', () => {
  it.each(['beside_protocol2', 'beside_protocol4', 'beside_protocol5'])(
    'stands for itself by the name of its class: %s',
    (file) => {
      const { tensors: found, skipped } = inspectCheckpoint(read(file));
      expect(found.map(({ name }) => name)).toEqual(network);
      expect(skipped).toEqual([
        'number (numpy.core.multiarray.scalar)',
        'objects (numpy.ndarray)',
        'namespace (argparse.Namespace)',
        'counter (collections.Counter)',
        'default (collections.defaultdict)',
        'deque (collections.deque)',
        'set (builtins.set)',
        'frozen (builtins.frozenset)',
        'device (torch.device)',
        'dtype',
        'size',
        'date (datetime.datetime)',
        'path (pathlib.PurePosixPath)',
        'decimal (decimal.Decimal)',
        'complex (builtins.complex)',
        'settings (__main__.Settings)',
        'class (__main__.Settings)',
        'random (random.Random)',
        'generator (numpy.random._pickle.__randomstate_ctor)',
        'bytes',
        'sparse (torch._utils._rebuild_sparse_tensor)',
        'quantized (torch._utils._rebuild_qtensor)',
        'wave (torch.ComplexFloatStorage)',
      ]);
    },
  );

  it('may stand among the weights themselves', () => {
    const { tensors: found, skipped } = inspectCheckpoint(read('beside_flat'));
    expect(found.map(({ name }) => name)).toEqual(network);
    expect(skipped).toEqual([
      'number (numpy.core.multiarray.scalar)',
      'namespace (argparse.Namespace)',
      'settings (__main__.Settings)',
    ]);
  });

  it('has its attributes, items and entries', () => {
    const root = tensorsIn('beside_protocol4');
    const object = (name: string) => root.get(name) as PickledObject;
    expect(object('namespace')).toBeInstanceOf(PickledObject);
    expect(object('namespace').state).toEqual(new Map([['lr', 0.001]]));
    expect(object('default').entries).toEqual(new Map([['a', [1]]]));
    expect(object('deque').items).toEqual([1, 2]);
    expect(object('set').items).toEqual([1, 2]);
    expect(object('counter').args).toEqual([
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    ]);
    expect(object('complex').args).toEqual([1, 2]);
    expect([...(root.get('bytes') as Uint8Array)]).toEqual([0, 255]);
    expect(root.get('size')).toEqual([2, 3]);
  });
});

describe('numpy arrays in a pickle', () => {
  it.each([2, 4, 5])('of protocol %i are tensors', (protocol) => {
    const root = readTorchFile(fixture(`pytorch/arrays_protocol${protocol}.pkl`)) as Map<string, unknown>;
    const arrays = root.get('model') as Map<string, StoredTensor>;
    const values = [...arrays].map(([name, { dtype, shape, read: all }]) => [
      name,
      dtype,
      shape,
      [...all().data],
    ]);
    expect(values).toEqual([
      ['float', 'F32', [2, 3], [0, 1, 2, 3, 4, 5]],
      ['fortran', 'F64', [2, 3], [0, 1, 2, 3, 4, 5]],
      ['big', 'I32', [2], [1, 2]],
      ['half', 'F16', [1], [1.5]],
      ['bool', 'BOOL', [2], [1, 0]],
      ['scalar', 'I64', [], [7]],
      ['empty', 'F32', [0, 2], []],
    ]);
    expect(inspectCheckpoint(fixture(`pytorch/arrays_protocol${protocol}.pkl`)).skipped).toEqual(['epoch']);
  });
});

describe('other ways to save', () => {
  it('pickle.dump of a state dict', () => {
    const state = readTorchFile(fixture('pytorch/weights.pkl')) as Map<string, StoredTensor>;
    expect([...state.keys()]).toEqual(network);
    expect([...state.get('0.weight')!.read().data]).toEqual(firstWeights);
  });

  it.each([
    ['whole', []],
    ['whole_beside', ['epoch']],
    ['holder', ['prior (__main__.Settings)']],
  ])('torch.save of a model that is %s gives what its state_dict() does', (file, beside) => {
    const { tensors: found, skipped } = inspectCheckpoint(read(file));
    const names = ['kept', ...network.map((name) => `net.${name}`), 'twice.weight', 'twice.bias'];
    expect(found.map(({ name }) => name)).toEqual(names);
    expect(skipped).toEqual(beside);
  });

  it('types of PyTorch 2 that have no class of storages', () => {
    const state = tensorsIn('newer');
    const { dtype, read: all } = state.get('uint16') as StoredTensor;
    expect([dtype, [...all().data]]).toEqual(['U16', [513, 65535]]);
    expect(inspectCheckpoint(read('newer')).skipped).toEqual(['eighth (torch.float8_e4m3fn)']);
  });
});

describe('prefixes of wrappers', () => {
  const value = { shape: [1], data: Float32Array.of(1) };
  const named = (names: string[]) =>
    inspectCheckpoint(writeSafetensors(Object.fromEntries(names.map((name) => [name, value]))));

  it.each([
    ['module.', ['module.a.b', 'module.c']],
    ['module._orig_mod.', ['module._orig_mod.a.b', 'module._orig_mod.c']],
    ['model.net.', ['model.net.a.b', 'model.net.c']],
    ['_estimator._orig_mod.module.', ['_estimator._orig_mod.module.a.b', '_estimator._orig_mod.module.c']],
  ])('%s comes off where all names share it', (prefix, names) => {
    const info = named(names);
    expect(info.prefix).toBe(prefix);
    expect(info.tensors.map(({ name }) => name)).toEqual(['a.b', 'c']);
  });

  it("`net.` stays where it is sbi's mark", () => {
    const names = ['module.net._transform.a', 'module.net._embedding_net.b'];
    const { prefix, tensors: found } = openCheckpoint(
      writeSafetensors(Object.fromEntries(names.map((name) => [name, value]))),
    );
    expect(prefix).toBe('module.');
    expect([...found.keys()]).toEqual(['net._transform.a', 'net._embedding_net.b']);
  });

  it('stays where only some have it', () => {
    const info = named(['module.a', 'net.b']);
    expect(info.prefix).toBe('');
    expect(info.tensors.map(({ name }) => name)).toEqual(['module.a', 'net.b']);
  });
});

describe('hostile files', () => {
  it.each([
    ['hostile_system', /'posix\.system'/],
    ['hostile_eval', /'builtins\.eval'/],
    ['hostile_getattr', /'builtins\.getattr'/],
    ['hostile_legacy', /'posix\.system'/],
    ['opcode_inst', /'os\.system'/],
    ['opcode_obj', /'os\.system'/],
    ['opcode_newobj', /'os\.system'/],
    ['opcode_ext', /opcode 0x82/],
    ['opcode_stack_global', /'os\.system'/],
    ['opcode_call_of_value', /a call of something that is no function or class/],
    ['opcode_legacy_build', /the state of something that has none/],
    ['opcode_call_of_storage', /a call of something that is no function or class/],
  ])('%s is refused by name', (file, message) => {
    expect(() => readTorchFile(read(file))).toThrow(FormatError);
    expect(() => readTorchFile(read(file))).toThrow(message);
  });

  it('classes of their own stand for themselves, and nothing of them is run', () => {
    expect(inspectCheckpoint(read('hostile_class')).skipped).toEqual(['attack (__main__.Hostile)']);
    expect(readTorchFile(read('opcode_build'))).toMatchObject({ className: '__main__.Hostile' });
    expect(() => inspectCheckpoint(read('opcode_build'))).toThrow(
      /an object of __main__\.Hostile with nothing/,
    );
  });

  it('inherited names of JavaScript objects are classes of their own too', () => {
    const pickle = new TextEncoder().encode('__cconstructor\nprototype\n)R.');
    const object = readTorchFile(Uint8Array.from([0x80, 2, ...pickle.slice(2)]));
    expect(object).toMatchObject({ className: 'constructor.prototype', args: [] });
  });

  it.each<[string, (string | number[])[], RegExp]>([
    [
      'an integer of 2 MB',
      [[0x8b, 0, 0, 32, 0], [...new Uint8Array(2 ** 21)]],
      /an integer of at most 128 bytes/,
    ],
    ['an integer of 9,999 digits', [`L${'9'.repeat(9999)}L\n`], /at most 4300 digits/],
    ['two million dicts', ['}'.repeat(2 ** 21)], /at most 524288 objects/],
    ['two million places in memory', ['N', '\x94'.repeat(2 ** 21)], /at most 524288 objects/],
    ['nine million steps', ['N0'.repeat(2 ** 22 + 1)], /at most 8388608 steps/],
    ['a key of lists within lists', [']', '2\x86'.repeat(60), '}', 'p0\n', '0', '\x93'], /a whole pickle/],
  ])('%s is refused', (_, parts, message) => {
    const bytes = parts.flatMap((part) =>
      typeof part === 'string' ? [Buffer.from(part, 'latin1')] : [Buffer.from(part)],
    );
    const file = Buffer.concat([Buffer.of(0x80, 2), ...bytes, Buffer.from('.')]);
    expect(() => readTorchFile(file)).toThrow(FormatError);
    expect(() => readTorchFile(file)).toThrow(message);
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
    ['a pickle of a number', Uint8Array.of(0x80, 2, 0x4b, 1, 0x2e)],
  ])('%s', async (_, bytes) => {
    await expect(importCheckpoint(bytes)).rejects.toThrow(FormatError);
  });
});
