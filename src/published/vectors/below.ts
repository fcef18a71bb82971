import { complaint, FormatError } from '../../core/errors';
import type { StoredTensor, StoredTensors } from '../storedTensor';

/** The tensors whose names begin with a prefix, by what follows it. */
export class Below {
  constructor(
    private readonly tensors: StoredTensors,
    readonly prefix = '',
    /** All names in order, in which those of a prefix stand side by side: thousands of layers each find theirs at once. */
    private readonly sorted: readonly string[] = [...tensors.keys()].sort(),
  ) {}

  below(part: string): Below {
    const prefix = part === '' ? this.prefix : `${this.prefix}${part}.`;
    return new Below(this.tensors, prefix, this.sorted);
  }

  /** All tensors, by their full names. */
  get root(): Below {
    return new Below(this.tensors, '', this.sorted);
  }

  get names(): string[] {
    const { prefix, sorted } = this;
    const names: string[] = [];
    for (let i = this.start; i < sorted.length && sorted[i].startsWith(prefix); i++) {
      names.push(sorted[i].slice(prefix.length));
    }
    return names;
  }

  /** Where the names of the prefix begin among all. */
  private get start(): number {
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle] < this.prefix) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  has(name: string): boolean {
    return this.tensors.has(this.prefix + name);
  }

  /** @throws FormatError where there is none: sizes are read from it */
  get(name: string): StoredTensor {
    const tensor = this.tensors.get(this.prefix + name);
    if (tensor !== undefined) return tensor;
    throw new FormatError(
      complaint('importCheckpoint', `a parameter ${this.prefix}${name}`, 'none', 'Sizes are read from it.'),
    );
  }

  /** @throws FormatError for a tensor of another rank */
  shape(name: string, rank: number): number[] {
    const { shape } = this.get(name);
    if (shape.length === rank) return shape;
    const expected = `${this.prefix}${name} to have ${rank} ${rank === 1 ? 'axis' : 'axes'}`;
    throw new FormatError(complaint('importCheckpoint', expected, shape));
  }

  values(name: string): number[] {
    return Array.from(this.get(name).read().data as ArrayLike<number>);
  }

  /** Rows of a mask. */
  mask(name: string): boolean[][] {
    const [rows, columns] = this.shape(name, 2);
    const values = this.values(name);
    return Array.from({ length: rows }, (_, i) =>
      values.slice(i * columns, (i + 1) * columns).map((entry) => entry !== 0),
    );
  }

  /**
   * How many members a list has: 0, 1, ... up to the last.
   *
   * @param part what the names begin with, as in `blocks`
   * @throws FormatError where one is missing between
   */
  count(part: string): number {
    const places = this.places(part);
    const gap = places.findIndex((place, i) => place !== i);
    if (gap < 0) return places.length;
    const expected = `parameters named ${this.prefix}${part}.${gap}`;
    throw new FormatError(complaint('importCheckpoint', expected, `none, but ${part}.${places[gap]}`));
  }

  /** The numbers of a list's members, in order. */
  places(part: string): number[] {
    const start = part === '' ? '' : `${part}.`;
    const found = new Set<number>();
    for (const name of this.names) {
      if (!name.startsWith(start)) continue;
      const [number] = name.slice(start.length).split('.');
      if (/^\d+$/.test(number)) found.add(Number(number));
    }
    return [...found].sort((a, b) => a - b);
  }
}
