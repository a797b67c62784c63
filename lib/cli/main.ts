#!/usr/bin/env node
import { run } from './run';

let isDone = false;

// A module of the application that ends the process, or never is loaded to its end, must not look like a build that passes.
process.on('exit', () => {
  if (isDone) return;
  process.stderr.write(
    'eventfold: the process was ended before the command was done, by a module that it loaded. Name one that only lists classes.\n',
  );
  process.exitCode = 2;
});

void run(process.argv.slice(2), { cwd: process.cwd(), stdout: process.stdout, stderr: process.stderr }).then((code) => {
  isDone = true;
  // What an application's modules hold open, such as a database, is not waited for.
  process.stdout.write('', () => process.exit(code));
});
