import { cpus } from 'node:os';
import { append } from './append';
import { command } from './command';
import { load } from './load';
import { projections } from './projections/run';
import { routing } from './routing';
import { boundary } from './stores/boundary';
import { mariadb, postgres, sqlite } from './stores/run';
import { upcasting } from './upcasting';

const all = { append, command, load, routing, upcasting, postgres, boundary, mariadb, sqlite };

async function main(): Promise<void> {
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; medians of 7 rounds or more, in turn`,
  );
  const chosen = process.argv.slice(2);
  if (chosen[0] === 'projections') return projections(chosen.slice(1));
  for (const [name, benchmark] of Object.entries(all)) if (chosen.length === 0 || chosen.includes(name)) await benchmark();
  if (chosen.length === 0) await projections([]);
}

void main();
