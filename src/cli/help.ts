import { largest } from '../core/lists';
import { type Command, optionsOf } from './command';

export function usageOf(command: Command): string {
  const words = command.positionals.map(({ name, optional }) => (optional ? `[${name}]` : `<${name}>`));
  return ['tfjs-flows', command.name, ...words, '[options]'].join(' ');
}

export function helpOf(command: Command): string {
  const positionals = command.positionals.map(({ name, description }): [string, string] => [
    `<${name}>`,
    description,
  ]);
  const options = Object.entries(optionsOf(command)).map(
    ([name, { value, short, description }]): [string, string] => [
      `--${name}${value === undefined ? '' : ` ${value}`}${short === undefined ? '' : `, -${short}`}`,
      description,
    ],
  );
  return [
    `${command.summary}\n`,
    `Usage: ${usageOf(command)}\n`,
    ...columns(positionals),
    '',
    ...columns(options),
  ].join('\n');
}

export function helpOfAll(commands: readonly Command[]): string {
  return [
    'Normalizing flows on TensorFlow.js: train, sample, and work with latents.\n',
    'Usage: tfjs-flows <command> [options]\n',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    'tfjs-flows <command> --help tells more; tfjs-flows --version tells the version.',
    'Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted (training was saved).',
  ].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = largest(
    rows.map(([left]) => left.length),
    0,
  );
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
