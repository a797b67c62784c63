import { setTimeout as delay } from 'node:timers/promises';
import type { Dialect } from './dialect';
import { codeOf } from './error-code';

const deadlocks = ['40P01', '40001', 'ER_LOCK_DEADLOCK'];

/** How often a transaction that the database gave up is made in all. */
const mostTransactions = 8;

/** How often work that met a deadlock, or waited too long for a lock, is done in all. */
const mostWorks = 5;

/** Does again what the database gave up, as it was in the way of others, who were in its way. Nothing of it was stored. */
export async function againAfterDeadlocks<T>(transact: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transact();
    } catch (error) {
      if (attempt >= mostTransactions || !isDeadlock(error)) throw error;
      await delay(Math.random() * 2 ** attempt);
    }
  }
}

/** Also where it was a handler's statement. */
function isDeadlock(error: unknown): boolean {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth += 1)
    if (deadlocks.includes(codeOf(each))) return true;
  return false;
}

/** Does work again that the database gave up. */
export async function retried<T>(dialect: Dialect, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === mostWorks || !dialect.isTransient(error)) throw error;
    }
  }
}
