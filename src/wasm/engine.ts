import { nodeModule } from './threads';

/** Instructions that an engine has but hides behind a flag of its own. */
interface HiddenInstructions {
  flag: string;
  /** Whether two neighbouring operations of 128 bits become one of 256. */
  wide: boolean;
}

const RELAXED_SIMD: HiddenInstructions = { flag: 'experimental-wasm-relaxed-simd', wide: false };
const WIDE_VECTORS: HiddenInstructions = { flag: 'experimental-wasm-revectorize', wide: true };

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
 * @param hidden whether to use what the engine keeps behind flags; these are set while the kernels compile, no longer
 */
export function compileKernels(
  relaxed: Uint8Array<ArrayBuffer>,
  plain: Uint8Array<ArrayBuffer>,
  hidden: boolean,
): CompiledKernels | undefined {
  const instructions = hidden ? hiddenInstructions() : undefined;
  if (instructions !== undefined) {
    const bytes = Uint8Array.from([...relaxed, ...MARK]);
    const module = withFlag(instructions.flag, () =>
      WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : undefined,
    );
    if (module !== undefined) return { module, relaxed: true, wide: instructions.wide };
  }
  const fused = WebAssembly.validate(relaxed);
  if (!fused && !WebAssembly.validate(plain)) return undefined;
  return { module: new WebAssembly.Module(fused ? relaxed : plain), relaxed: fused, wide: false };
}

/** Calls `compile` with a flag of V8 set, and with the optimizing compiler alone: later it would run without the flag. */
function withFlag<T>(flag: string, compile: () => T): T {
  const v8 = nodeModule<typeof import('node:v8')>('node:v8')!;
  const flags = [
    [`--${flag}`, `--no-${flag}`],
    ['--no-liftoff', '--liftoff'],
    ['--no-wasm-lazy-compilation', '--wasm-lazy-compilation'],
  ];
  for (const [on] of flags) v8.setFlagsFromString(on);
  try {
    return compile();
  } finally {
    for (const [, off] of flags) v8.setFlagsFromString(off);
  }
}

/** What `fasterPanel` needs of the kernels. */
interface TileTrials {
  tryTile(columns: number, repetitions: number, room: number): void;
}

/** Bytes of zeros that `fasterPanel` needs. */
export const TRIAL_BYTES = 16384;
const TRIALS = 24;
const REPETITIONS = 200;

/**
 * Columns per panel, 8 or 16. With vectors of 256 bits the wide tile does twice the work in 1.3 times the time, without
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
