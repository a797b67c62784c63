#!/usr/bin/env node
import { run } from './run';

void run(process.argv.slice(2), { cwd: process.cwd(), stdout: process.stdout, stderr: process.stderr }).then((code) => {
  // What an application's modules hold open, such as a database, is not waited for.
  process.stdout.write('', () => process.exit(code));
});
