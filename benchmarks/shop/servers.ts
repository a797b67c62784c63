import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Client } from 'pg';

/** A process of a shop, and what it said when it was ready. */
export interface Server {
  readonly process: ChildProcess;
  readonly said: string;
}

/** Starts a program of Node's, and waits for the first line that fits. Its errors are shown. */
export async function start(file: string, args: readonly string[], ready: RegExp): Promise<Server> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of lines) {
    const said = ready.exec(line)?.[0];
    if (said === undefined) continue;
    child.stdout?.resume();
    return { process: child, said };
  }
  throw new Error(`${file} ${args.join(' ')} ended before it was ready.`);
}

/** Asks each to end, and waits. */
export async function stop(servers: readonly Server[]): Promise<void> {
  const running = servers.filter(({ process: { exitCode, signalCode } }) => exitCode === null && signalCode === null);
  const ends = running.map(({ process: child }) => once(child, 'exit'));
  for (const { process: child } of running) child.kill('SIGTERM');
  await Promise.all(ends);
}

/** Runs `work` in a database of its own, which is dropped afterwards. */
export async function inDatabase(server: string, name: string, work: (url: string) => Promise<void>): Promise<void> {
  const admin = new Client({ connectionString: server });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${name}`);
    const url = new URL(server);
    url.pathname = `/${name}`;
    await work(url.href).finally(() => admin.query(`DROP DATABASE ${name} WITH (FORCE)`));
  } finally {
    await admin.end();
  }
}
