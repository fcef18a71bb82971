import { createInterface, type Interface } from 'node:readline';
import { FlowError } from '../core/errors';
import { startBackend } from './backend';
import { type Answer, type Command, parse, type Terminal, UsageError } from './command';
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
import { helpOf, helpOfAll, usageOf } from './help';

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

/** The streams of a process. */
export interface Streams {
  stdin: NodeJS.ReadStream;
  stdout: Pick<NodeJS.WriteStream, 'write'>;
  stderr: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
}

/** Runs the program with the words after its name; returns the exit code. */
export async function run(words: readonly string[], streams: Streams = process): Promise<number> {
  const [name, ...rest] = words;
  const command = commands.find((entry) => entry.name === name);
  if (command === undefined) return unknownCommand(name, streams);
  try {
    const args = parse(command, rest);
    if (args.flag('help')) {
      streams.stdout.write(`${helpOf(command)}\n`);
      return 0;
    }
    const terminal = terminalOf(streams, args.flag('quiet') || args.flag('json'));
    try {
      if (command.computes) await startBackend(args);
      const answer = await command.run(args, terminal);
      show(answer, args.flag('json'), streams);
      return answer.exitCode ?? 0;
    } finally {
      terminal.close();
    }
  } catch (error) {
    return fail(error as Error, command, streams);
  }
}

function unknownCommand(name: string | undefined, { stdout, stderr }: Streams): number {
  if (name === undefined || name === '--help' || name === 'help') {
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

/** People get a sentence; only what is not ours to explain comes with its stack. */
function fail(error: Error, command: Command, { stderr }: Streams): number {
  if (error instanceof UsageError) {
    stderr.write(`${error.message}\nUsage: ${usageOf(command)}\n`);
    return 2;
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') {
    stderr.write(
      'The disk is full. What was written before is whole: make room, then train goes on with --resume.\n',
    );
  } else if (error instanceof FlowError || code !== undefined) stderr.write(`${error.message}\n`);
  else stderr.write(`${error.stack}\n`);
  return 1;
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
