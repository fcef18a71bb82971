import { parseArgs } from 'node:util';
import { type CaseName, cases, type Library, type VectorKind, vectorKinds } from './cases';

export type PartName = 'pytorch' | 'vectors' | 'growth' | 'peak' | 'stock' | 'node' | 'webgpu';

export type Clock = 'wall' | 'cpu';

/** What a run measures. */
export interface Settings {
  parts: PartName[];
  cases: CaseName[];
  threads: number[];
  rounds: number;
  /** The libraries whose flows for vectors are measured, each with the folder of its sources where that was given. */
  libraries: { name: Library; folder?: string }[];
  /** What flows for vectors are timed by: the time that passes, or that of the processor where the machine does other work too. */
  clock: Clock;
  /** The kinds of flows for vectors. */
  kinds: VectorKind[];
  /** Whether each part is measured in full: only then are its figures kept. */
  complete: boolean;
}

/** Libraries with flows for vectors. */
const LIBRARIES: Exclude<Library, 'pytorch'>[] = ['nflows', 'zuko', 'normflows'];

const PARTS: PartName[] = ['pytorch', 'vectors', 'growth', 'peak', 'stock', 'node', 'webgpu'];

/** Reads the command line; ends the process with a sentence where it is wrong. */
export function readSettings(): Settings {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      options: {
        parts: text,
        cases: text,
        kinds: text,
        clock: text,
        threads: text,
        rounds: text,
        nflows: text,
        zuko: text,
        normflows: text,
      },
    });
    const libraries = LIBRARIES.map((name) => ({
      name,
      folder: values[name] ?? process.env[name.toUpperCase()],
    })).filter(({ folder }) => folder !== undefined);
    return {
      libraries: libraries.length === 0 ? [{ name: 'pytorch' }] : libraries,
      clock: chosen('clock', values.clock ?? 'wall', ['wall', 'cpu'] as Clock[])[0],
      kinds: chosen('kinds', values.kinds, Object.keys(vectorKinds) as VectorKind[]),
      parts: chosen('parts', values.parts, PARTS),
      cases: chosen('cases', values.cases, Object.keys(cases) as CaseName[]),
      threads: (values.threads ?? '1,2').split(',').map((count) => positive('threads', count)),
      rounds: positive('rounds', values.rounds ?? '11'),
      complete: values.cases === undefined && values.kinds === undefined && values.threads === undefined,
    };
  } catch (error) {
    console.error(`npm run bench: ${(error as Error).message}`);
    process.exit(2);
  }
}

function chosen<Name extends string>(option: string, given: string | undefined, all: Name[]): Name[] {
  const names = given?.split(',') ?? all;
  const unknown = names.find((name) => !all.includes(name as Name));
  if (unknown === undefined) return names as Name[];
  throw new Error(`--${option}: expected some of ${all.join(',')}, got ${unknown}.`);
}

function positive(option: string, given: string): number {
  const value = Number(given);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${option}: expected whole numbers from 1, got ${given}.`);
}
