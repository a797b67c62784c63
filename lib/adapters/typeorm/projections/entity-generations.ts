import type { QueryRunner } from 'typeorm';

/** What a swap has to know of columns, by their quoted names. */
export interface SwappedColumns {
  readonly keys: readonly string[];
  /** Those that only users write: they are taken over from what served. */
  readonly carried: readonly string[];
}

/**
 * The tables of an entity's generations: the one that serves is the entity's own, the others lie beside it. Every method may
 * be called again after it was broken off.
 */
export interface EntityGenerations {
  /**
   * Makes the table of a generation that is being built, empty, and like the one that serves.
   *
   * @throws {@link UnfitTableError} when something else in the database belongs to the table, and would not follow a swap.
   */
  create(runner: QueryRunner): Promise<void>;
  drop(runner: QueryRunner, role: 'building' | 'kept'): Promise<void>;
  /** Keeps everybody else from the tables that a swap will change, where that can be done before. */
  lock?(runner: QueryRunner): Promise<void>;
  /** Has what is being built serve, under all names of what served, which is kept. */
  promote(runner: QueryRunner): Promise<void>;
  /** Has what is kept be what is being built. */
  reopen(runner: QueryRunner): Promise<void>;
}
