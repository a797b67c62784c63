/** Told how something ended that was done in a transaction: kept for good, or taken back. */
export type Ending = (how: 'committed' | 'rolledBack') => PromiseLike<void> | void;
