import { type NdArray, readNpz } from 'tfjs-flows';
import { fixture } from '../../support/fixture';

/** One layer's line in a `config.json`; test/fixtures/vector/README.md says where the words come from. */
export interface LayerConfig {
  type: string;
  activation?: string;
  permutation?: number[];
  inv_perm?: number[];
  perm?: number[];
  univariate: {
    kind: string;
    scale?: string;
    bins: number;
    bound: number;
    tails?: string;
    widths_heights_divided_by?: unknown;
  };
}

/** What a fixture says of a flow. */
export interface VectorConfig {
  library: 'nflows' | 'zuko' | 'normflows';
  features: number;
  context_features: number;
  layers: LayerConfig[];
  base: string;
  state_dict_prefix?: string;
}

/** The weights of a flow under their published names, below a prefix. */
export class Arrays {
  constructor(
    private readonly arrays: Readonly<Record<string, NdArray>>,
    private readonly prefix = '',
  ) {}

  /** Those whose names begin with this, by what follows. */
  below(name: string): Arrays {
    return new Arrays(this.arrays, `${this.prefix}${name}.`);
  }

  has(name: string): boolean {
    return this.arrays[this.prefix + name] !== undefined;
  }

  get(name: string): { shape: number[]; values: number[] } {
    const array = this.arrays[this.prefix + name];
    if (array === undefined) throw new Error(`no array ${this.prefix}${name}`);
    return { shape: array.shape, values: Array.from(array.data as ArrayLike<number>, Number) };
  }

  values(name: string): number[] {
    return this.get(name).values;
  }

  /** Rows of a matrix. */
  rows(name: string): number[][] {
    const { shape, values } = this.get(name);
    const [count, length] = shape;
    return Array.from({ length: count }, (_, i) => values.slice(i * length, (i + 1) * length));
  }
}

/** A folder of test/fixtures/vector. */
export function readVectorFixture(name: string): { config: VectorConfig; weights: Arrays; io: Arrays } {
  const file = (part: string) => fixture(`vector/${name}/${part}`);
  const config = JSON.parse(new TextDecoder().decode(file('config.json'))) as VectorConfig;
  const weights = new Arrays(readNpz(file('weights.npz')), config.state_dict_prefix);
  return { config, weights, io: new Arrays(readNpz(file('io.npz'))) };
}
