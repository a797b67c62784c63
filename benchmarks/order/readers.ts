import type { Client } from 'pg';
import type { Row, Variant } from './variant';
import { pause } from './writers';

/** How long a reader waits when there is nothing to hand on, in milliseconds. */
const poll = 2;

/** What one reader was handed, in its order. */
export class Seen {
  readonly rows: Row[] = [];
  readonly at = new Map<number, number>();
  steps = 0;
}

/** Follows the log until `isOver`, and then until nothing has come for a while. */
export async function follow(client: Client, variant: Variant, seen: Seen, isOver: () => boolean): Promise<void> {
  const step = variant.follow(client);
  for (let quiet = 0; quiet < 100; ) {
    const { rows, again } = await step();
    seen.steps += 1;
    const now = performance.now();
    for (const row of rows) {
      seen.rows.push(row);
      if (!seen.at.has(row.position)) seen.at.set(row.position, now);
    }
    if (again) quiet = 0;
    else {
      if (isOver()) quiet += 1;
      await pause(poll);
    }
  }
}
