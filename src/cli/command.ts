import { parseArgs } from 'node:util';

/** A word after the command's name. */
export interface Positional {
  name: string;
  description: string;
  /** Whether it may be left out. Default: false. */
  optional?: boolean;
}

/** A `--name`; with `value` it takes one, which `value` stands for in the help. */
export interface Option {
  value?: string;
  description: string;
}

/** What a command prints: lines for people, an object for machines. */
export interface Answer {
  text: string;
  data: Record<string, unknown>;
  /** Exit code. Default: 0. */
  exitCode?: number;
}

/** One command of the program. */
export interface Command {
  name: string;
  summary: string;
  positionals: readonly Positional[];
  options: Readonly<Record<string, Option>>;
  /** Whether it computes, and so needs a backend. */
  computes: boolean;
  run(args: Arguments, terminal: Terminal): Promise<Answer>;
}

/** Where a command writes what is not its answer. */
export interface Terminal {
  /** A line for people, on standard error. */
  note(line: string): void;
  /** Whether somebody can be asked. */
  interactive: boolean;
  /** Whether progress is shown. */
  quiet: boolean;
  /** Asks, and returns the line that is typed. */
  ask(question: string): Promise<string>;
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Options that every command takes. */
export const commonOptions: Record<string, Option> = {
  json: { description: 'print the answer as one JSON object' },
  quiet: { description: 'no progress' },
  help: { description: 'this text' },
};

/** Options of commands that compute. */
export const computeOptions: Record<string, Option> = {
  backend: { value: 'wasm|cpu', description: 'tfjs backend (default wasm)' },
  threads: { value: 'N', description: 'threads of the wasm backend (default: one per core, at most 8)' },
  seed: { value: 'N', description: 'seed of all random numbers (default: from the clock)' },
};

export function optionsOf(command: Command): Record<string, Option> {
  return { ...command.options, ...(command.computes ? computeOptions : {}), ...commonOptions };
}

/** The words and options that were given, read by name. */
export class Arguments {
  constructor(
    private readonly positionals: Record<string, string>,
    private readonly options: Record<string, string | boolean | undefined>,
  ) {}

  positional(name: string): string {
    return this.positionals[name];
  }

  flag(name: string): boolean {
    return this.options[name] === true;
  }

  text(name: string): string | undefined {
    return this.options[name] as string | undefined;
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value))
      throw new UsageError(`--${name} takes a number, not '${text}'.`);
    return value;
  }

  integer(name: string, least = 0): number | undefined {
    const value = this.number(name);
    if (value !== undefined && (!Number.isInteger(value) || value < least)) {
      throw new UsageError(`--${name} takes an integer >= ${least}, not '${this.text(name)}'.`);
    }
    return value;
  }

  numbers(name: string): number[] | undefined {
    const text = this.text(name);
    const values = text?.split(',').map(Number);
    if (values?.some((value) => !Number.isFinite(value))) {
      throw new UsageError(`--${name} takes numbers with commas between them, not '${text}'.`);
    }
    return values;
  }
}

/** Reads a command's part of the command line. */
export function parse(command: Command, words: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.entries(optionsOf(command)).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: joinNegatives(words), options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const values = parsed.values as Record<string, string | boolean | undefined>;
  const positionals: Record<string, string> = {};
  command.positionals.forEach(({ name, optional = false }, i) => {
    if (parsed.positionals[i] !== undefined) positionals[name] = parsed.positionals[i];
    else if (!optional && values.help !== true) throw new UsageError(`<${name}> is missing.`);
  });
  const extra = parsed.positionals[command.positionals.length];
  if (extra !== undefined) throw new UsageError(`'${extra}' is one word too many.`);
  return new Arguments(positionals, values);
}

/** `--strengths -1,0,1` as `--strengths=-1,0,1`: a negative number is a value, no option. */
function joinNegatives(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of words) {
    const last = joined.at(-1);
    if (/^-[\d.]/.test(word) && last?.startsWith('--') && !last.includes('='))
      joined[joined.length - 1] = `${last}=${word}`;
    else joined.push(word);
  }
  return joined;
}
