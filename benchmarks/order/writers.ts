import type { Client } from 'pg';
import { ask } from './server';

/** What the writers did, gathered while they run. */
export class Written {
  /** Position to the moment at which its commit was acknowledged. */
  readonly at = new Map<number, number>();
  rolledBack = 0;
  conflicts = 0;
}

const append = 'select append($1, $2, $3, $4) as position';
const payload = JSON.stringify({ accountId: 'b6a7a8f0-6b1c-4f0e-9d0e-0f5a1f6f7a11', amount: 42, note: 'x'.repeat(60) });

/** Appends one event after another, each in a transaction of its own; one of ten is rolled back. */
export async function autocommit(client: Client, own: string, written: Written, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const stream = Math.random() < 0.2 ? `shared-${Math.floor(Math.random() * 8)}` : own;
    await attempt(written, async () => {
      const [row] = await ask<{ position: string }>(client, append, [stream, 'deposited', payload, Math.random() < 0.1]);
      return [Number(row?.position)];
    });
  }
}

/** A user's transactions: rows of their own before or not, one or two appends, then 5 to 50 ms until the end. */
export async function unhurried(client: Client, own: string, written: Written, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const positions: number[] = [];
    await client.query('begin');
    try {
      if (Math.random() < 0.5) await client.query(`insert into notes (body) values ('mine')`);
      if (Math.random() < 0.3) await pause(5);
      const count = Math.random() < 0.3 ? 2 : 1;
      for (let index = 0; index < count; index += 1) {
        const stream = Math.random() < 0.2 ? `shared-${Math.floor(Math.random() * 8)}` : own;
        const savepoint = Math.random() < 0.2;
        if (savepoint) await client.query('savepoint s');
        const [row] = await ask<{ position: string }>(client, append, [stream, 'deposited', payload, false]);
        if (savepoint && Math.random() < 0.5) await client.query('rollback to savepoint s');
        else positions.push(Number(row?.position));
      }
    } catch (error) {
      await client.query('rollback');
      note(written, error);
      continue;
    }
    await pause(5 + Math.random() * 45);
    const fails = Math.random() < 0.1;
    await attempt(written, async () => {
      await client.query(fails ? 'rollback' : 'commit');
      if (fails) written.rolledBack += 1;
      return fails ? [] : positions;
    });
  }
}

async function attempt(written: Written, work: () => Promise<number[]>): Promise<void> {
  try {
    const positions = await work();
    const now = performance.now();
    for (const position of positions) written.at.set(position, now);
  } catch (error) {
    note(written, error);
  }
}

function note(written: Written, error: unknown): void {
  const code = (error as { code?: string }).code;
  if (code === 'EVF01') written.rolledBack += 1;
  else if (code === '23505' || code === '40P01') written.conflicts += 1;
  else throw error;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
