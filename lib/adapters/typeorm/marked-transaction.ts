import type { QueryRunner } from 'typeorm';

interface Marks {
  isTransactionActive: boolean;
  transactionDepth: number;
}

/**
 * Has TypeORM know of a transaction that was begun without it: what users begin within is then a savepoint, and not a
 * transaction whose end would be that of the one around it.
 */
export function markOpen(runner: QueryRunner): void {
  const marks = runner as unknown as Marks;
  if (marks.transactionDepth > 0) return;
  marks.isTransactionActive = true;
  marks.transactionDepth = 1;
}

/** @returns whether it had been marked as open. */
export function markEnded(runner: QueryRunner): boolean {
  const marks = runner as unknown as Marks;
  if (marks.transactionDepth === 0) return false;
  marks.isTransactionActive = false;
  marks.transactionDepth = 0;
  return true;
}
