import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { DataError } from '../core/errors';

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
  /** A letter that does as well, after one dash. */
  short?: string;
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
  /** What random numbers begin with where no `--seed` says it; undefined for a command without random numbers. */
  seed?: string;
  /** How to go on where the disk was full. Default: by the same command. */
  afterFullDisk?: string;
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

/** The streams of a process. */
export interface Streams {
  stdin: NodeJS.ReadStream;
  stdout: Pick<NodeJS.WriteStream, 'write'>;
  stderr: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Options that every command takes. */
export const commonOptions: Record<string, Option> = {
  json: { description: 'print the answer as one JSON object' },
  quiet: { description: 'no progress' },
  help: { description: 'this text', short: 'h' },
};

/** Options of commands that compute. */
export const computeOptions: Record<string, Option> = {
  backend: { value: 'wasm|webgpu|cpu', description: 'tfjs backend (default wasm); webgpu is a GPU' },
  threads: { value: 'N', description: 'threads of the wasm backend (default: one per core, at most 8)' },
};

export function optionsOf({ options, computes, seed }: Command): Record<string, Option> {
  const description = `seed of all random numbers (default: ${seed})`;
  return {
    ...options,
    ...(computes ? computeOptions : {}),
    ...(seed === undefined ? {} : { seed: { value: 'N', description } }),
    ...commonOptions,
  };
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
    const words = text?.split(',');
    const values = words?.map(Number);
    if (words?.includes('') || values?.some((value) => !Number.isFinite(value))) {
      throw new UsageError(`--${name} takes numbers with commas between them, not '${text}'.`);
    }
    return values;
  }

  /** One of several words. */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const text = this.text(name);
    if (text === undefined || words.includes(text as Word)) return text as Word | undefined;
    throw new UsageError(`--${name} takes ${words.join(', ')}, not '${text}'.`);
  }

  /** A file to write, whose name ends in one of `endings`: that says the format. Its folder must be there. */
  output(fallback: string, endings: readonly string[]): string {
    const path = this.text('output') ?? fallback;
    if (!endings.some((ending) => path.toLowerCase().endsWith(ending)))
      throw new UsageError(`--output ends in ${endings.join(' or ')}, unlike '${path}'.`);
    // Before hours of computing, not after them.
    if (!existsSync(dirname(path)))
      throw new DataError(`--output: there is no folder to write '${path}' to.`);
    return path;
  }

  /** The word or option that was given this value, as people know it. */
  nameOf(value: string): string | undefined {
    const place = Object.keys(this.positionals).find((name) => this.positionals[name] === value);
    const option = Object.keys(this.options).find((name) => this.options[name] === value);
    return place === undefined ? option && `--${option}` : `<${place}>`;
  }

  /** That a path leads nowhere, named by what gave it. */
  nothingAt(path: string): DataError {
    return new DataError(sentence(this.nameOf(path), `there is nothing at '${path}'.`));
  }
}

/** A sentence about a word or an option, where it is known. */
export function sentence(about: string | undefined, text: string): string {
  return about === undefined ? text[0].toUpperCase() + text.slice(1) : `${about}: ${text}`;
}

/** Reads a command's part of the command line. */
export function parse(command: Command, words: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.entries(optionsOf(command)).map(([name, { value, short }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short && { short }) },
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
