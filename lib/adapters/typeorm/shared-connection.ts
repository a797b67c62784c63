import { AsyncLocalStorage } from 'node:async_hooks';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { Turns } from './turns';
import { UnfitTransactionError } from './typeorm-errors';

/** Somebody has the connection for itself. */
interface Turn {
  isOver: boolean;
  /** Begun by a store, not by the user. */
  readonly isOwn: boolean;
}

type Transaction = (...args: never[]) => Promise<unknown>;

/**
 * The one connection that all query runners of a DataSource share, as with SQLite and PGlite. On it every statement is
 * part of the transaction that is open, whoever began that; so transactions of the user and those of stores take turns.
 */
export class SharedConnection {
  private readonly turns = new Turns();
  /** Whose turn the caller's code is part of. Used only where code of users runs: it makes every promise slower. */
  private readonly around = new AsyncLocalStorage<Turn>();
  /** How to end the turns of transactions that users began. */
  private readonly held = new Map<QueryRunner, () => void>();
  /** The append with a hook that is under way, and its end. */
  private hooked: { readonly turn: Turn; readonly over: Promise<void> } | undefined;

  constructor(private readonly dataSource: DataSource) {
    this.guardQueries(dataSource);
    if (dataSource.options.type === 'better-sqlite3') this.queueTransactions(dataSource.manager);
  }

  /** Whether a transaction of a user is open. */
  get isOpen(): boolean {
    return this.only?.isTransactionActive ?? this.held.size > 0;
  }

  /** Says whether `runner` is the only one that the DataSource hands out. */
  isOnly(runner: QueryRunner): boolean {
    return runner === this.only;
  }

  /** Made when it is first needed, and made again when the DataSource is initialised again. */
  private get only(): QueryRunner | undefined {
    return (this.dataSource.driver as { queryRunner?: QueryRunner }).queryRunner;
  }

  /**
   * Runs `work` while no transaction of others is open; theirs begin after it.
   *
   * @param hook Whether code of users runs in it, which may query.
   * @throws {@link ConnectionBusyError} when a transaction stays open for too long.
   */
  async exclusively<T>(work: () => Promise<T>, hook: 'hook' | 'no hook'): Promise<T> {
    const end = await this.turns.take();
    try {
      return hook === 'hook' ? await this.runHooked(work) : await work();
    } finally {
      end();
    }
  }

  /** Waits for an append with a hook that is under way, unless the caller's code is part of it. */
  async otherHooks(): Promise<void> {
    const turn = this.hooked?.turn;
    if (turn !== undefined && this.around.getStore() !== turn) await this.afterHooked();
  }

  /** Takes the turn for a transaction that begins, unless it was taken for it already. */
  async begin(runner: QueryRunner): Promise<void> {
    const turn = this.around.getStore();
    if (turn !== undefined && !turn.isOver) {
      if (turn.isOwn) throw new UnfitTransactionError(withinHook);
      if (this.isOnly(runner)) return;
    }
    const end = await this.taken(runner);
    // The transaction before it has ended on the same runner.
    setActive(runner, true);
    this.held.set(runner, end);
  }

  end(runner: QueryRunner): void {
    this.held.get(runner)?.();
    this.held.delete(runner);
  }

  private async taken(runner: QueryRunner): Promise<() => void> {
    try {
      return await this.turns.take();
    } catch (error) {
      // TypeORM takes a transaction that cannot begin for the end of the one that is open on the same runner.
      if (isWithin(runner)) setImmediate(() => setActive(runner, isWithin(runner)));
      throw error;
    }
  }

  private async runHooked<T>(work: () => Promise<T>): Promise<T> {
    const turn: Turn = { isOver: false, isOwn: true };
    const running = this.around.run(turn, work);
    const over = running.then(
      () => undefined,
      () => undefined,
    );
    this.hooked = { turn, over };
    try {
      return await running;
    } finally {
      turn.isOver = true;
      this.hooked = undefined;
    }
  }

  /** Queries of others wait while an append is open, or they would be rolled back with it. */
  private guardQueries(dataSource: DataSource): void {
    const guarded = new WeakSet<QueryRunner>();
    const create = dataSource.createQueryRunner.bind(dataSource);
    dataSource.createQueryRunner = (mode) => {
      const runner = create(mode);
      if (guarded.has(runner)) return runner;
      guarded.add(runner);
      const query = runner.query as (...args: unknown[]) => Promise<unknown>;
      (runner as { query: unknown }).query = (...args: unknown[]) => {
        const { hooked } = this;
        if (hooked === undefined || this.around.getStore() === hooked.turn) return query.apply(runner, args);
        return this.afterHooked().then(() => query.apply(runner, args));
      };
      return runner;
    };
  }

  private async afterHooked(): Promise<void> {
    while (this.hooked !== undefined) await this.hooked.over;
  }

  /**
   * All transactions of SQLite are on one query runner, which takes the second for a savepoint of the first: so one
   * begins when the other is over.
   */
  private queueTransactions(manager: EntityManager): void {
    const transaction = manager.transaction as Transaction;
    const queued = async (...args: never[]): Promise<unknown> => {
      const around = this.around.getStore();
      // Within another it is a savepoint; within a hook it is refused.
      if (around !== undefined && !around.isOver) return transaction.apply(manager, args);
      const end = await this.turns.take();
      const turn: Turn = { isOver: false, isOwn: false };
      try {
        return await this.around.run(turn, () => transaction.apply(manager, args));
      } finally {
        turn.isOver = true;
        end();
      }
    };
    (manager as { transaction: unknown }).transaction = queued;
  }
}

function setActive(runner: QueryRunner, isActive: boolean): void {
  (runner as { isTransactionActive: boolean }).isTransactionActive = isActive;
}

function isWithin(runner: QueryRunner): boolean {
  return (runner as unknown as { transactionDepth: number }).transactionDepth > 0;
}

const withinHook =
  'An inline handler began a transaction on the one connection that its append is stored on. Write outside of the handler, or without a transaction.';
