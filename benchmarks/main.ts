import { cpus } from 'node:os';
import { append } from './append';
import { command } from './command';
import { load } from './load';
import { routing } from './routing';
import { boundary } from './stores/boundary';
import { mariadb, postgres, sqlite } from './stores/run';

const all = { append, command, load, routing, postgres, boundary, mariadb, sqlite };

async function main(): Promise<void> {
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; medians of 7 rounds or more, in turn`,
  );
  const chosen = process.argv.slice(2);
  for (const [name, benchmark] of Object.entries(all)) if (chosen.length === 0 || chosen.includes(name)) await benchmark();
}

void main();
