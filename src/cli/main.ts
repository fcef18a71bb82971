#!/usr/bin/env node
import { run } from './run';

// A terminal that is closed, or a reader that has read enough, takes no more lines: that must not end a training before it is saved.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
