import { InlineAppend } from './inline-append';
import type { InlineProjection } from './inline-projection';

/**
 * The inline projections at work in a transaction of a user's. Each append folds on what the one before it staged, and
 * takes back what it staged when it fails or its savepoint is rolled back; all is settled when the transaction commits.
 */
export class InlineTransaction {
  private readonly appends: InlineAppend[] = [];

  /** Begins the work of one append, once the one before it is over. */
  begin(projections: readonly InlineProjection[]): InlineAppend {
    const append = new InlineAppend(projections, this.appends.at(-1));
    this.appends.push(append);
    return append;
  }

  /** Forgets what an append staged, and all that was staged on it. */
  drop(append: InlineAppend): void {
    while (this.appends.includes(append)) this.appends.pop()?.discard();
  }

  /** Shows readers what was staged, once the transaction has been committed. */
  settle(): void {
    this.appends.pop()?.settle();
    this.appends.length = 0;
  }
}
