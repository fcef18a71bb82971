import { complaint, FormatError } from '../../core/errors';
import { elementSize } from '../elements';
import type { ElementType } from '../storedTensor';
import type { PickleGlobal } from './pickledObject';

const WHERE = 'readTorchFile';

/** A class such as torch.FloatStorage: named in the pickle, never called. */
export interface StorageClass extends PickleGlobal {
  storageType: ElementType;
}

/** A flat run of values that tensors look at; its bytes are known once the pickle has been read. */
export class Storage {
  private content?: Uint8Array;

  constructor(
    readonly key: string,
    readonly type: ElementType,
    readonly count: number,
  ) {}

  static isType(value: unknown): value is StorageClass {
    return typeof value === 'object' && value !== null && 'storageType' in value;
  }

  get byteLength(): number {
    return this.count * elementSize(this.type);
  }

  fill(bytes: Uint8Array): void {
    if (bytes.length !== this.byteLength) {
      const where = `${WHERE}(storage ${this.key})`;
      throw new FormatError(
        complaint(where, `${this.byteLength} bytes`, `${bytes.length}`, 'The file is damaged or truncated.'),
      );
    }
    this.content = bytes;
  }

  get bytes(): Uint8Array {
    if (this.content === undefined) {
      throw new FormatError(complaint(WHERE, `the values of storage ${this.key}`, 'none in the file'));
    }
    return this.content;
  }
}

const types: Record<string, ElementType> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** Classes of storages; those of PyTorch 2's newer types have bytes, and their tensors say what of. */
export const storageClasses: [string, StorageClass][] = [
  ...Object.entries(types).map(([name, storageType]): [string, StorageClass] => [
    `torch.${name}`,
    { storageType },
  ]),
  ['torch.storage.UntypedStorage', { storageType: 'U8' }],
  ['torch.UntypedStorage', { storageType: 'U8' }],
];
