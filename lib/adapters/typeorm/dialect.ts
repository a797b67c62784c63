import type { QueryRunner } from 'typeorm';
import type { Criterion } from '../../events/criterion';
import type { ReaderLag } from './reader-lag';
import type { Selection, Statement } from './select-events';
import type { Outcome, StagedGroup } from './staged-append';
import type { EventRow } from './tables';
import type { Horizon } from './wake-ups';

/** How the locks of an append are taken. */
export type LockMode =
  /** What is held by others makes a group `busy`. */
  | 'try'
  /** Waits for what is held by others. */
  | 'wait'
  /** Waits for all appends under way, and lets none begin. */
  | 'alone';

/** What came of the groups of one append. */
export interface Appended {
  /** One for each group. */
  readonly outcomes: readonly Outcome[];
  /** The newest position before it, when it was made alone. */
  readonly previous: string | undefined;
}

/** The versions of a stream after one of them. */
export type StreamSelection = Pick<Selection, 'afterVersion' | 'limit'> & { readonly stream: string };

/** Tags for an event that is stored. */
export interface TagAddition {
  readonly position: string;
  readonly type: string;
  readonly tags: readonly string[];
}

/** What a statement came to. */
export interface Answer {
  readonly rows: readonly Record<string, unknown>[];
  /** How many rows a statement has changed that answers with none. */
  readonly changed: number;
}

/** What is special about one kind of database. Each method works on the connection of the runner it is given. */
export interface Dialect {
  /** The most bytes that a stream, type, id or tag may have. */
  readonly longestKey: number;
  /** Whether all query runners of a DataSource share one connection, so that a transaction on it is everybody's. */
  readonly sharesConnection: boolean;
  /** Whether {@link append} is one statement, which stores all or nothing. */
  readonly appendsAtOnce: boolean;
  /** Sees to it, once, that everything is there that the tables alone do not give. */
  prepare(runner: QueryRunner): Promise<void>;
  /** Appends in a transaction of its own. */
  commit(runner: QueryRunner, groups: readonly StagedGroup[], mode: LockMode): Promise<Appended>;
  /** Appends in the transaction that is open. */
  append(runner: QueryRunner, groups: readonly StagedGroup[], mode: LockMode): Promise<Appended>;
  /**
   * Makes sure of a transaction that others have begun: that it can write, and that the database has not ended it by itself.
   *
   * @throws {@link UnfitTransactionError} when it has, or will not commit it.
   */
  checkTransaction(runner: QueryRunner): Promise<void>;
  /** @param longestIdleMs For so long at most it stays open without a statement, where the database sees to that. */
  begin(runner: QueryRunner, longestIdleMs?: number): Promise<void>;
  /**
   * Begins a transaction with a statement that changes one row. Where it changes none, no transaction is open afterwards.
   *
   * @returns whether it changed one.
   */
  beginWith(runner: QueryRunner, change: Statement, longestIdleMs: number): Promise<boolean>;
  /** Runs a statement as it is, with parameters as the driver takes them. */
  run(runner: QueryRunner, statement: Statement): Promise<Answer>;
  end(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void>;
  /** Begins a transaction and appends in it, in one round trip; left out where that saves nothing. */
  readonly beginAppend?: ((runner: QueryRunner, groups: readonly StagedGroup[], mode: LockMode) => Promise<Appended>) | undefined;
  /**
   * Has statements, whose answers nobody waits for, run right before the next one, at the latest with the commit: in the same
   * round trip. A rollback forgets them. Left out where that saves nothing.
   */
  readonly hold?: ((runner: QueryRunner, statements: readonly Statement[]) => void) | undefined;
  select(runner: QueryRunner, selection: Selection): Promise<EventRow[]>;
  /** Selects from several streams in one round trip, the rows of each apart; left out where that saves nothing. */
  selectStreams?(runner: QueryRunner, selections: readonly StreamSelection[]): Promise<EventRow[][]>;
  /** Adds tags to those that the events have, in a transaction of its own. */
  addTags(runner: QueryRunner, additions: readonly TagAddition[]): Promise<void>;
  /** Reads how far one can read: everything, or what matches. */
  horizon(runner: QueryRunner, criteria?: readonly Criterion[]): Promise<Horizon>;
  /** Tells who holds readers back, where that can be. */
  lag?(runner: QueryRunner): Promise<ReaderLag[]>;
  /** Says whether the database gave up work that may succeed when it is done again: a deadlock, or a busy file. */
  isTransient(error: unknown): boolean;
  /** Says whether the connection is gone, and with it the answer. */
  isConnectionLoss(error: unknown): boolean;
}
