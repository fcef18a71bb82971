import { complaint, FormatError } from '../../core/errors';
import { append } from '../../core/lists';
import { undecodable } from '../../data/bytes';
import { PickleBytes } from './pickleBytes';
import { isHostile, PickledClass, PickledObject, type PickleGlobal } from './pickledObject';
import { scalars } from './pickleScalars';

/** What a pickle may refer to. */
export interface PickleWorld {
  /** Names that mean something here, as 'collections.OrderedDict' does; every other is a class whose objects stand for themselves. */
  globals: ReadonlyMap<string, PickleGlobal>;
  /** Objects kept outside the pickle. */
  persistent: (id: unknown) => unknown;
}

const MARK = Symbol('mark');

/** Steps of a pickle: a list of a million numbers has as many. */
const MOST_STEPS = 2 ** 23;
/** Lists, dicts, texts and objects in a pickle; an optimizer's state has a few for each weight. */
const MOST_OBJECTS = 2 ** 19;

/**
 * Reads one pickle with nothing but the names that `world` knows: no code of the file can run.
 *
 * Dicts become Maps, tuples and lists arrays, None null, bytes Uint8Arrays, integers beyond 2^53 bigints, and objects of any other class
 * PickledObjects. Source: Python's pickletools.py, protocols 0 to 5.
 *
 * @returns the object, and the offset behind it
 * @throws FormatError that names what would run code in Python, or for damaged or truncated bytes
 */
export function unpickle(
  where: string,
  bytes: Uint8Array,
  offset: number,
  world: PickleWorld,
): { value: unknown; end: number } {
  const machine = new Unpickler(where, new PickleBytes(where, bytes, offset), world);
  try {
    return { value: machine.run(), end: machine.bytes.offset };
  } catch (error) {
    throw undecodable(where, 'a whole pickle', error);
  }
}

class Unpickler {
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  private objects = 0;

  constructor(
    private readonly where: string,
    readonly bytes: PickleBytes,
    private readonly world: PickleWorld,
  ) {}

  run(): unknown {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const opcode = this.bytes.byte();
      if (opcode === 0x2e) return this.pop();
      this.step(opcode);
    }
    throw this.bytes.tooMuch(`at most ${MOST_STEPS} steps of a pickle`, 'more');
  }

  private step(opcode: number): void {
    const scalar = scalars[opcode];
    if (scalar !== undefined) {
      const value = scalar(this.bytes);
      this.push(
        typeof value === 'number' || typeof value === 'boolean' || value === null ? value : this.made(value),
      );
      return;
    }
    if (!this.stacked(opcode) && !this.container(opcode) && !this.memory(opcode)) this.object(opcode);
  }

  private stacked(opcode: number): boolean {
    switch (opcode) {
      case 0x80: // PROTO
        this.bytes.take(1);
        return true;
      case 0x95: // FRAME
        this.bytes.take(8);
        return true;
      case 0x28: // MARK
        this.push(MARK);
        return true;
      case 0x30: // POP; it may take a mark
        this.stack.pop();
        return true;
      case 0x31: // POP_MARK
        this.popToMark();
        return true;
      case 0x32: // DUP
        this.push(this.top());
        return true;
      default:
        return false;
    }
  }

  private container(opcode: number): boolean {
    switch (opcode) {
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        this.push(this.made([]));
        return true;
      case 0x7d: // EMPTY_DICT
        this.push(this.made(new Map()));
        return true;
      case 0x6c: // LIST
      case 0x74: // TUPLE
        this.push(this.made(this.popToMark()));
        return true;
      case 0x64: // DICT
        this.push(this.made(new Map(pairs(this.popToMark()))));
        return true;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: {
        const last = Array.from({ length: opcode - 0x84 }, () => this.pop());
        this.push(this.made(last.reverse()));
        return true;
      }
      case 0x8f: // EMPTY_SET
        this.push(this.made(new PickledObject('builtins.set')));
        return true;
      case 0x91: {
        // FROZENSET
        const set = new PickledObject('builtins.frozenset');
        append(set.items, this.popToMark());
        this.push(this.made(set));
        return true;
      }
      case 0x61: // APPEND
        this.appendAll([this.pop()]);
        return true;
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
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
        this.remember(Number(this.bytes.line()));
        return true;
      case 0x71: // BINPUT
        this.remember(this.bytes.byte());
        return true;
      case 0x72: // LONG_BINPUT
        this.remember(this.bytes.uint32());
        return true;
      case 0x94: // MEMOIZE
        this.remember(this.memo.size);
        return true;
      case 0x67: // GET
        this.recall(Number(this.bytes.line()));
        return true;
      case 0x68: // BINGET
        this.recall(this.bytes.byte());
        return true;
      case 0x6a: // LONG_BINGET
        this.recall(this.bytes.uint32());
        return true;
      default:
        return false;
    }
  }

  private object(opcode: number): void {
    switch (opcode) {
      case 0x63: // GLOBAL
        this.push(this.find(this.bytes.line(), this.bytes.line()));
        return;
      case 0x93: {
        // STACK_GLOBAL
        const name = this.pop();
        this.push(this.find(this.pop(), name));
        return;
      }
      case 0x50: // PERSID
        this.push(this.made(this.world.persistent(this.bytes.line())));
        return;
      case 0x51: // BINPERSID
        this.push(this.made(this.world.persistent(this.pop())));
        return;
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = this.pop();
        this.push(this.call(this.pop(), args));
        return;
      }
      case 0x92: {
        // NEWOBJ_EX; the arguments by name are of no known class
        this.pop();
        const args = this.pop();
        this.push(this.call(this.pop(), args));
        return;
      }
      case 0x69: {
        // INST
        const made = this.find(this.bytes.line(), this.bytes.line());
        this.push(this.call(made, this.popToMark()));
        return;
      }
      case 0x6f: {
        // OBJ
        const [made, ...args] = this.popToMark();
        this.push(this.call(made, args));
        return;
      }
      case 0x62: // BUILD
        this.build(this.pop());
        return;
      default:
        throw this.refusal(
          `opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${this.bytes.offset - 1}`,
        );
    }
  }

  private call(callee: unknown, args: unknown): unknown {
    const { call } = (callee ?? {}) as PickleGlobal;
    if (typeof call !== 'function' || !Array.isArray(args)) {
      throw this.refusal('a call of something that is no function or class');
    }
    return this.made((callee as Required<PickleGlobal>).call(args));
  }

  /** Gives the object on top its state; attributes of dicts, lists and tensors are dropped, such as the `_metadata` of state dicts. */
  private build(state: unknown): void {
    const object = this.top();
    if (object instanceof PickledObject) object.build(state);
    else if (typeof object !== 'object' || object === null || 'storageType' in object) {
      throw this.refusal('the state of something that has none');
    }
  }

  private find(module: unknown, name: unknown): PickleGlobal {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.bytes.damaged();
    // Python 2 has other names for two modules.
    const full = `${module.replace(/^__builtin__$/, 'builtins').replace(/^copy_reg$/, 'copyreg')}.${name}`;
    const known = this.world.globals.get(full);
    if (known !== undefined) return known;
    if (isHostile(full)) throw this.refusal(`'${full}'`);
    return this.made(new PickledClass(full));
  }

  private refusal(what: string): FormatError {
    const hint =
      'Python would run code of such a file, so nothing more is read. Save plain state dicts: torch.save(model.state_dict(), path).';
    return new FormatError(
      complaint(this.where, 'a pickle of tensors, numbers, texts and plain objects', what, hint),
    );
  }

  /** Counts what needs memory of its own. */
  private made<T>(value: T): T {
    if (++this.objects > MOST_OBJECTS) throw this.bytes.tooMuch(`at most ${MOST_OBJECTS} objects`, 'more');
    return value;
  }

  private remember(index: number): void {
    this.memo.set(index, this.made(this.top()));
  }

  private recall(index: number): void {
    if (!this.memo.has(index)) throw this.bytes.damaged();
    this.push(this.memo.get(index));
  }

  private appendAll(values: unknown[]): void {
    const top = this.top();
    const list = top instanceof PickledObject ? top.items : top;
    if (!Array.isArray(list)) throw this.bytes.damaged();
    append(list, values);
  }

  private setAll(values: unknown[]): void {
    const top = this.top();
    const map = top instanceof PickledObject ? top.entries : top;
    if (!(map instanceof Map)) throw this.bytes.damaged();
    for (const [key, value] of pairs(values)) map.set(key, value);
  }

  private push(value: unknown): void {
    this.stack.push(value);
  }

  private pop(): unknown {
    if (this.stack.length === 0 || this.top() === MARK) throw this.bytes.damaged();
    return this.stack.pop();
  }

  private top(): unknown {
    return this.stack[this.stack.length - 1];
  }

  private popToMark(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark === -1) throw this.bytes.damaged();
    const values = this.stack.splice(mark);
    return values.slice(1);
  }
}

function pairs(values: unknown[]): [unknown, unknown][] {
  return Array.from({ length: values.length >> 1 }, (_, i) => [values[2 * i], values[2 * i + 1]]);
}
