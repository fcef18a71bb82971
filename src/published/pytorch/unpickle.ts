import { complaint, FormatError } from '../../core/errors';
import { undecodable, viewOf } from '../../data/bytes';

/** Something that a pickle names: what may be called, and what stands for itself. */
export interface PickleGlobal {
  /** Makes the object from the arguments; absent where the name may not be called. */
  call?: (args: unknown[]) => unknown;
}

/** What a pickle may refer to; everything else is an error. */
export interface PickleWorld {
  /** Allowed names, as in 'collections.OrderedDict'. */
  globals: ReadonlyMap<string, PickleGlobal>;
  /** Objects kept outside the pickle. */
  persistent: (id: unknown) => unknown;
}

const MARK = Symbol('mark');

/**
 * Reads one pickle with nothing but the names that `world` allows: no code of the file can run.
 *
 * Dicts become Maps, tuples and lists arrays, None null, integers beyond 2^53 bigints. Objects and classes are refused.
 * Source: Python's pickletools.py, protocols 0 to 5.
 *
 * @returns the object, and the offset behind it
 * @throws FormatError that names what is not allowed, or for damaged or truncated bytes
 */
export function unpickle(
  where: string,
  bytes: Uint8Array,
  offset: number,
  world: PickleWorld,
): { value: unknown; end: number } {
  const machine = new Unpickler(where, bytes, offset, world);
  try {
    return { value: machine.run(), end: machine.offset };
  } catch (error) {
    throw error instanceof FormatError ? error : undecodable(where, 'a whole pickle', error);
  }
}

class Unpickler {
  private readonly view: DataView;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();

  constructor(
    private readonly where: string,
    private readonly bytes: Uint8Array,
    public offset: number,
    private readonly world: PickleWorld,
  ) {
    this.view = viewOf(bytes);
  }

  run(): unknown {
    for (;;) {
      const opcode = this.byte();
      if (opcode === 0x2e) return this.pop();
      this.step(opcode);
    }
  }

  private step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        this.take(1);
        return;
      case 0x95: // FRAME
        this.take(8);
        return;
      case 0x28: // MARK
        this.push(MARK);
        return;
      case 0x30: // POP; it may take a mark
        this.stack.pop();
        return;
      case 0x31: // POP_MARK
        this.popToMark();
        return;
      case 0x32: // DUP
        this.push(this.top());
        return;
      case 0x4e: // NONE
        this.push(null);
        return;
      case 0x88: // NEWTRUE
        this.push(true);
        return;
      case 0x89: // NEWFALSE
        this.push(false);
        return;
      default:
        if (!this.number(opcode) && !this.text(opcode) && !this.container(opcode) && !this.memory(opcode)) {
          this.object(opcode);
        }
    }
  }

  private number(opcode: number): boolean {
    switch (opcode) {
      case 0x4a: // BININT
        this.push(this.view.getInt32(this.take(4), true));
        return true;
      case 0x4b: // BININT1
        this.push(this.byte());
        return true;
      case 0x4d: // BININT2
        this.push(this.view.getUint16(this.take(2), true));
        return true;
      case 0x47: // BINFLOAT
        this.push(this.view.getFloat64(this.take(8), false));
        return true;
      case 0x8a: // LONG1
        this.push(this.long(this.byte()));
        return true;
      case 0x8b: // LONG4
        this.push(this.long(this.view.getUint32(this.take(4), true)));
        return true;
      case 0x49: {
        // INT; protocol 0 writes booleans as 00 and 01
        const line = this.line();
        this.push(line === '01' ? true : line === '00' ? false : Number(line));
        return true;
      }
      case 0x4c: // LONG
        this.push(narrow(BigInt(this.line().replace(/L$/, ''))));
        return true;
      case 0x46: // FLOAT
        this.push(Number(this.line()));
        return true;
      default:
        return false;
    }
  }

  private text(opcode: number): boolean {
    switch (opcode) {
      case 0x58: // BINUNICODE
        this.push(this.utf8(this.view.getUint32(this.take(4), true)));
        return true;
      case 0x8c: // SHORT_BINUNICODE
        this.push(this.utf8(this.byte()));
        return true;
      case 0x8d: // BINUNICODE8
        this.push(this.utf8(Number(this.view.getBigUint64(this.take(8), true))));
        return true;
      case 0x56: // UNICODE
        this.push(this.line());
        return true;
      case 0x53: // STRING, in quotes
        this.push(this.line().slice(1, -1));
        return true;
      case 0x54: // BINSTRING
        this.push(this.utf8(this.view.getUint32(this.take(4), true)));
        return true;
      case 0x55: // SHORT_BINSTRING
        this.push(this.utf8(this.byte()));
        return true;
      default:
        return false;
    }
  }

  private container(opcode: number): boolean {
    switch (opcode) {
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        this.push([]);
        return true;
      case 0x7d: // EMPTY_DICT
        this.push(new Map());
        return true;
      case 0x6c: // LIST
      case 0x74: // TUPLE
        this.push(this.popToMark());
        return true;
      case 0x64: // DICT
        this.push(new Map(pairs(this.popToMark())));
        return true;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: {
        const last = Array.from({ length: opcode - 0x84 }, () => this.pop());
        this.push(last.reverse());
        return true;
      }
      case 0x61: // APPEND
        this.appendAll([this.pop()]);
        return true;
      case 0x65: // APPENDS
        this.appendAll(this.popToMark());
        return true;
      case 0x73: {
        // SETITEM
        const value = this.pop();
        this.setAll([this.pop(), value]);
        return true;
      }
      case 0x75: // SETITEMS
        this.setAll(this.popToMark());
        return true;
      default:
        return false;
    }
  }

  private memory(opcode: number): boolean {
    switch (opcode) {
      case 0x70: // PUT
        this.memo.set(Number(this.line()), this.top());
        return true;
      case 0x71: // BINPUT
        this.memo.set(this.byte(), this.top());
        return true;
      case 0x72: // LONG_BINPUT
        this.memo.set(this.view.getUint32(this.take(4), true), this.top());
        return true;
      case 0x94: // MEMOIZE
        this.memo.set(this.memo.size, this.top());
        return true;
      case 0x67: // GET
        this.recall(Number(this.line()));
        return true;
      case 0x68: // BINGET
        this.recall(this.byte());
        return true;
      case 0x6a: // LONG_BINGET
        this.recall(this.view.getUint32(this.take(4), true));
        return true;
      default:
        return false;
    }
  }

  private object(opcode: number): void {
    switch (opcode) {
      case 0x63: {
        // GLOBAL
        const module = this.line();
        this.push(this.find(`${module}.${this.line()}`));
        return;
      }
      case 0x93: {
        // STACK_GLOBAL
        const name = this.pop();
        this.push(this.find(`${this.pop()}.${name}`));
        return;
      }
      case 0x51: // BINPERSID
        this.push(this.world.persistent(this.pop()));
        return;
      case 0x52: {
        // REDUCE
        const args = this.pop();
        const callee = this.pop() as PickleGlobal | null;
        if (typeof callee?.call !== 'function' || !Array.isArray(args)) {
          throw this.refusal('a call of something that is no allowed function');
        }
        this.push(callee.call(args));
        return;
      }
      case 0x62: {
        // BUILD: PyTorch hangs `_metadata` on the state dict; attributes of dicts are dropped
        const state = this.pop();
        if (!(this.top() instanceof Map) || !(state instanceof Map))
          throw this.refusal('the state of an object');
        return;
      }
      default:
        throw this.refusal(`opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${this.offset - 1}`);
    }
  }

  private find(name: string): PickleGlobal {
    const found = this.world.globals.get(name);
    if (found === undefined) throw this.refusal(`'${name}'`);
    return found;
  }

  private refusal(what: string): FormatError {
    const hint =
      'Such a file could run code, so nothing more is read. Save plain state dicts: torch.save(model.state_dict(), path).';
    return new FormatError(
      complaint(this.where, 'a pickle of tensors, dicts, numbers and strings', what, hint),
    );
  }

  private recall(index: number): void {
    if (!this.memo.has(index)) throw this.damaged();
    this.push(this.memo.get(index));
  }

  private appendAll(values: unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.damaged();
    for (const value of values) list.push(value);
  }

  private setAll(values: unknown[]): void {
    const map = this.top();
    if (!(map instanceof Map)) throw this.damaged();
    for (const [key, value] of pairs(values)) map.set(key, value);
  }

  private push(value: unknown): void {
    this.stack.push(value);
  }

  private pop(): unknown {
    if (this.stack.length === 0 || this.top() === MARK) throw this.damaged();
    return this.stack.pop();
  }

  private top(): unknown {
    return this.stack[this.stack.length - 1];
  }

  private popToMark(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark === -1) throw this.damaged();
    const values = this.stack.splice(mark);
    return values.slice(1);
  }

  private byte(): number {
    return this.bytes[this.take(1)];
  }

  /** Steps over `count` bytes and returns where they began. */
  private take(count: number): number {
    const start = this.offset;
    if (!(start + count <= this.bytes.length)) throw this.damaged();
    this.offset = start + count;
    return start;
  }

  private utf8(length: number): string {
    const start = this.take(length);
    return new TextDecoder().decode(this.bytes.subarray(start, start + length));
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.offset);
    if (end === -1) throw this.damaged();
    const text = this.utf8(end - this.offset);
    this.take(1);
    return text;
  }

  /** Two's complement, little-endian. */
  private long(length: number): number | bigint {
    const start = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[start + i]);
    const negative = length > 0 && this.bytes[start + length - 1] > 127;
    return narrow(negative ? value - (1n << BigInt(8 * length)) : value);
  }

  private damaged(): FormatError {
    const received = `bytes that do not decode at byte ${this.offset}`;
    return new FormatError(
      complaint(this.where, 'a whole pickle', received, 'The file is damaged or truncated.'),
    );
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function pairs(values: unknown[]): [unknown, unknown][] {
  return Array.from({ length: values.length >> 1 }, (_, i) => [values[2 * i], values[2 * i + 1]]);
}
