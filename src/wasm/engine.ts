import { nodeModule } from '../core/nodeModule';

/** Instructions that an engine has but hides behind a flag of its own. */
interface HiddenInstructions {
  /** Flags without their dashes, that of the instructions first; the others have them compiled by the optimizing compiler alone, at once. */
  flags: readonly string[];
  /** Whether two neighbouring operations of 128 bits become one of 256. */
  wide: boolean;
}

/** Later the compiler would run without the flag. */
const AT_ONCE = ['no-liftoff', 'no-wasm-lazy-compilation'];
const RELAXED_SIMD: HiddenInstructions = {
  // This V8 gives up tiering with `no-liftoff`, and does not take it up again with `liftoff`.
  flags: ['experimental-wasm-relaxed-simd', 'no-wasm-dynamic-tiering', ...AT_ONCE],
  wide: false,
};
const WIDE_VECTORS: HiddenInstructions = {
  flags: ['experimental-wasm-revectorize', ...AT_ONCE],
  wide: true,
};

/** By version of V8: those under which all kernels were tested (Node 20; 24, 25 and 26). */
const TESTED: Record<string, HiddenInstructions> = {
  '11.3': RELAXED_SIMD,
  '13.6': WIDE_VECTORS,
  '14.1': WIDE_VECTORS,
  '14.6': WIDE_VECTORS,
};

/** A custom section: V8 shares code between modules of the same bytes, and this code is not that of other flags. */
const MARK = Uint8Array.of(0, 2, 1, 119);

/** Instructions that this engine keeps behind a flag, where that can be set and the kernels were tested with it. */
function hiddenInstructions(): HiddenInstructions | undefined {
  if (nodeModule('node:v8') === undefined) return undefined;
  const version = /^\d+\.\d+/.exec(process.versions.v8 ?? '')?.[0] ?? '';
  const found = TESTED[version];
  // Builds for other processors and systems lack the flag, and V8 would complain on the console.
  const built = (process.config.variables as Record<string, unknown>).v8_enable_wasm_simd256_revec === 1;
  return found?.wide && !built ? undefined : found;
}

/** Kernels as the engine compiled them. */
export interface CompiledKernels {
  module: WebAssembly.Module;
  /** Whether they have fused multiply-add. */
  relaxed: boolean;
  /** Whether vectors of 256 bits were asked for; the processor may lack them. */
  wide: boolean;
}

/**
 * Compiles the kernels with the best instructions of this engine; undefined where it has no SIMD or atomics.
 *
 * @param relaxed the build with fused multiply-add, `plain` the one without
 * @param hidden whether to use what the engine keeps behind flags; these are set while the kernels compile, and put back as they were
 */
export function compileKernels(
  relaxed: Uint8Array<ArrayBuffer>,
  plain: Uint8Array<ArrayBuffer>,
  hidden: boolean,
): CompiledKernels | undefined {
  const instructions = hidden ? hiddenInstructions() : undefined;
  if (instructions !== undefined) {
    const bytes = Uint8Array.from([...relaxed, ...MARK]);
    const module = withFlags(instructions.flags, () =>
      WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : undefined,
    );
    if (module !== undefined) return { module, relaxed: true, wide: instructions.wide };
  }
  const fused = WebAssembly.validate(relaxed);
  if (!fused && !WebAssembly.validate(plain)) return undefined;
  return { module: new WebAssembly.Module(fused ? relaxed : plain), relaxed: fused, wide: false };
}

/** Calls `compile` with flags of V8 set; puts back those that were not. */
function withFlags<T>(flags: readonly string[], compile: () => T): T {
  const v8 = nodeModule<typeof import('node:v8')>('node:v8')!;
  const changed = flags.filter((flag) => {
    // V8 does not tell its flags, but derives this number from all of them, whoever set them.
    const before = v8.cachedDataVersionTag();
    v8.setFlagsFromString(`--${flag}`);
    return v8.cachedDataVersionTag() !== before;
  });
  try {
    return compile();
  } finally {
    for (const flag of changed.reverse()) v8.setFlagsFromString(`--${opposite(flag)}`);
  }
}

function opposite(flag: string): string {
  return flag.startsWith('no-') ? flag.slice(3) : `no-${flag}`;
}

/** What `fasterPanel` needs of the kernels. */
interface TileTrials {
  tryTile(columns: number, repetitions: number, room: number): void;
}

const TRIALS = 24;
const REPETITIONS = 200;

/**
 * Columns per panel, 8 or 16, tried on room for TRIAL_BYTES of zeros. With vectors of 256 bits the wide tile does twice the work in 1.3 times the time, without
 * them in more than three times: so the least times of some trials, taken in turns, tell what processor and engine have.
 */
export function fasterPanel({ tryTile }: TileTrials, room: number): 8 | 16 {
  const time = (columns: number) => {
    const start = performance.now();
    tryTile(columns, REPETITIONS, room);
    return performance.now() - start;
  };
  let narrow = Number.POSITIVE_INFINITY;
  let wide = Number.POSITIVE_INFINITY;
  for (let trial = 0; trial < TRIALS; trial++) {
    narrow = Math.min(narrow, time(8));
    wide = Math.min(wide, time(16));
  }
  return wide < 2 * narrow ? 16 : 8;
}
