import { createInterface, type Interface } from 'node:readline';
import { version } from '../../package.json';
import { startBackend } from './backend';
import {
  type Answer,
  type Arguments,
  type Command,
  parse,
  type Streams,
  type Terminal,
  UsageError,
} from './command';
import { account } from './commands/account';
import { attributes } from './commands/attributes';
import { bits } from './commands/bits';
import { convert } from './commands/convert';
import { decode } from './commands/decode';
import { encode } from './commands/encode';
import { inspect } from './commands/inspect';
import { sample } from './commands/sample';
import { study } from './commands/study';
import { train } from './commands/train';
import { fail } from './fail';
import { helpOf, helpOfAll } from './help';

const commands: readonly Command[] = [
  study,
  train,
  sample,
  encode,
  decode,
  bits,
  account,
  attributes,
  inspect,
  convert,
];

/** Runs the program with the words after its name; returns the exit code. */
export async function run(words: readonly string[], streams: Streams = process): Promise<number> {
  const [name, ...rest] = words;
  const command = commands.find((entry) => entry.name === name);
  if (command === undefined) return withoutCommand(name, streams);
  let args: Arguments | undefined;
  try {
    args = parse(command, rest);
    if (args.flag('help')) {
      streams.stdout.write(`${helpOf(command)}\n`);
      return 0;
    }
    const terminal = terminalOf(streams, args.flag('quiet') || args.flag('json'));
    let stopBackend: (() => Promise<void>) | undefined;
    try {
      if (command.computes) stopBackend = await startBackend(args, terminal);
      const answer = await command.run(args, terminal);
      show(answer, args.flag('json'), streams);
      return answer.exitCode ?? 0;
    } finally {
      terminal.close();
      await stopBackend?.();
    }
  } catch (error) {
    return fail(error as Error, command, args, streams);
  }
}

function withoutCommand(name: string | undefined, { stdout, stderr }: Streams): number {
  if (name === '--version') {
    stdout.write(`${version}\n`);
    return 0;
  }
  if (name === undefined || ['--help', '-h', 'help'].includes(name)) {
    stdout.write(`${helpOfAll(commands)}\n`);
    return name === undefined ? 2 : 0;
  }
  stderr.write(
    `There is no command '${name}'. Commands: ${commands.map((entry) => entry.name).join(', ')}.\n`,
  );
  return 2;
}

function show({ text, data }: Answer, json: boolean, { stdout }: Streams): void {
  stdout.write(`${json ? JSON.stringify(data) : text}\n`);
}

function terminalOf({ stdin, stderr }: Streams, quiet: boolean): Terminal & { close(): void } {
  let reader: Interface | undefined;
  let lines: AsyncIterator<string> | undefined;
  return {
    note: (line) => void stderr.write(`${line}\n`),
    interactive: stdin.isTTY === true && stderr.isTTY === true && !quiet,
    quiet,
    ask: async (question) => {
      // One reader for all questions: what was typed ahead must not be lost.
      reader ??= createInterface({ input: stdin });
      lines ??= reader[Symbol.asyncIterator]();
      stderr.write(question);
      const { value, done } = await lines.next();
      if (done) throw new UsageError('Nothing more was typed.');
      return value;
    },
    close: () => reader?.close(),
  };
}
