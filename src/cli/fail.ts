import { FlowError } from '../core/errors';
import { type Arguments, type Command, type Streams, sentence, UsageError } from './command';
import { usageOf } from './help';

/** Codes of the system in words, of a path. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'may not be read or written',
  EPERM: 'may not be read or written',
  EROFS: 'lies on a disk that is read-only',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'is a file where a folder is needed',
  EMFILE: 'cannot be opened beside so many other files',
  ENAMETOOLONG: 'is too long a name',
};
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Tells what went wrong and returns the exit code. People get a sentence; only what is not ours to explain comes with its stack. */
export function fail(
  error: Error,
  command: Command,
  args: Arguments | undefined,
  { stderr }: Pick<Streams, 'stderr'>,
): number {
  if (error instanceof UsageError) {
    stderr.write(`${error.message}\nUsage: ${usageOf(command)}\n`);
    return 2;
  }
  stderr.write(
    `${systemFailure(error, command, args) ?? (error instanceof FlowError ? error.message : error.stack)}\n`,
  );
  return 1;
}

/** A sentence for what the file system refused. */
function systemFailure(
  error: NodeJS.ErrnoException,
  command: Command,
  args: Arguments | undefined,
): string | undefined {
  const { code, path } = error;
  if (code === undefined || error instanceof FlowError) return undefined;
  if (FULL.has(code)) {
    const { afterFullDisk = 'Nothing is left in part: make room, and give the same command again.' } =
      command;
    return `The disk is full. ${afterFullDisk}`;
  }
  // What is on its way has a longer name, which nobody gave.
  const given = path?.replace(/(\.[0-9a-f]{8}-\d+-\d+-[0-9a-f]{12}\.tmp)+$/, '');
  if (given === undefined) return error.message;
  const about = args?.nameOf(given);
  if (code === 'ENOENT') {
    // A file to write lacks its folder.
    if (given !== path) return sentence(about, `there is no folder to write '${given}' to.`);
    return sentence(about, `there is nothing at '${given}'.`);
  }
  const reason = REASONS[code];
  return reason === undefined ? error.message : sentence(about, `'${given}' ${reason}.`);
}
