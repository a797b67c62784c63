import type { Observable } from 'rxjs';
import type { EntityManager, QueryRunner } from 'typeorm';
import { nameOf } from '../../events/event-class';
import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { Append, AppendResult, BeforeCommit } from '../../store/append';
import type { Ending } from '../../store/ending';
import type { EventQuery, Page, PageRequest } from '../../store/event-query';
import type { EventStore } from '../../store/event-store';
import type { EventStream } from '../../store/event-stream';
import type { SnapshotStore } from '../../store/snapshot-store';
import type { JoinedEventStore } from '../../store/transactional-event-store';
import type { Connections } from './connections';
import type { Dialect } from './dialect';
import { EventReader } from './event-reader';
import { OpenAppend } from './open-append';
import { nothing, resultOf } from './outcome';
import type { Outcome, StagedGroup } from './staged-append';
import { isOpen } from './transactions';
import { UnfitTransactionError } from './typeorm-errors';
import type { TypeOrmSnapshotStore } from './typeorm-snapshot-store';

/** What a joined store shares with the store that it is a view of. */
export interface JoinedOptions {
  readonly store: EventStore;
  readonly dialect: Dialect;
  /** Whether commits may become visible in another order than that of their positions. */
  readonly isUnordered: boolean;
  readonly connections: Connections;
  readonly snapshots: TypeOrmSnapshotStore;
  readonly stage: (appends: readonly Append[]) => StagedGroup;
  readonly committed: (position: Position) => void;
}

/** The work on each connection, one piece after the other. */
class Queue {
  private last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const running = this.last.then(work);
    this.last = running.catch(() => undefined);
    return running;
  }
}

const statements = new WeakMap<QueryRunner, Queue>();

/** A store within a transaction of its user's. */
export class JoinedTypeOrmEventStore implements JoinedEventStore {
  readonly snapshots: SnapshotStore;
  private readonly reader: EventReader;
  private readonly appends = new Queue();
  private readonly statements: Queue;
  private readonly transaction: object | undefined;

  /** @internal */
  constructor(
    private readonly runner: QueryRunner,
    private readonly options: JoinedOptions,
  ) {
    const { dialect, isUnordered, connections, snapshots } = options;
    this.transaction = connections.transactions.outermost(runner);
    this.statements = statements.get(runner) ?? new Queue();
    statements.set(runner, this.statements);
    this.reader = new EventReader({
      isUnordered,
      isJoined: true,
      select: (selection) => this.statement(() => dialect.select(runner, selection)),
      horizon: (criteria) => this.statement(() => dialect.horizon(runner, criteria)),
    });
    this.snapshots = snapshots.within({
      runner,
      statement: (work) => this.statement(work),
      onEnd: (ending) => this.onEnd(ending),
    });
  }

  get savepoint(): object {
    this.checkOpen();
    return this.options.connections.transactions.innermost(this.runner) as object;
  }

  onEnd(ending: Ending): void {
    this.checkOpen();
    this.options.connections.transactions.onEnd(this.runner, ending);
  }

  append(appends: readonly Append[], beforeCommit?: BeforeCommit): Promise<AppendResult> {
    return this.appends.run(async () => {
      this.checkOpen();
      const group = this.options.stage(appends);
      if (group.length === 0) return nothing;
      const { connections, committed } = this.options;
      await connections.prepareFor(this.runner);
      await this.checkTransaction();
      await connections.hide(this.runner);
      const result = await (beforeCommit === undefined ? this.appendGroup(group) : this.appendOpen(group, beforeCommit));
      this.onEnd((how) => {
        if (how === 'committed') committed(result.position as Position);
      });
      return result;
    });
  }

  read(query: EventQuery): EventStream {
    return this.reader.read(query);
  }

  page(query: EventQuery, request: PageRequest): Promise<Page<RecordedEvent>> {
    return this.reader.page(query, request);
  }

  async head(): Promise<Position | undefined> {
    return (await this.statement(() => this.options.dialect.horizon(this.runner))).position;
  }

  compare(a: Position, b: Position): number {
    return this.options.store.compare(a, b);
  }

  position(text: string): Position {
    return this.options.store.position(text);
  }

  appended(): Observable<Position> {
    return this.options.store.appended();
  }

  retag(types: readonly string[], tagsOf: (event: RecordedEvent) => readonly string[]): Promise<number> {
    return this.options.store.retag(types, tagsOf);
  }

  /** Does nothing: the transaction and the store are others' to end. */
  async close(): Promise<void> {}

  private appendGroup(group: StagedGroup): Promise<AppendResult> {
    const { dialect } = this.options;
    const append = async () => {
      const { outcomes } = await this.statement(() => dialect.append(this.runner, [group], 'wait'));
      return resultOf(group, outcomes[0] as Outcome);
    };
    return dialect.appendsAtOnce ? append() : this.inSavepoint(append);
  }

  private async appendOpen(group: StagedGroup, beforeCommit: BeforeCommit): Promise<AppendResult> {
    const { dialect, stage } = this.options;
    const open = new OpenAppend({
      beforeCommit,
      stage,
      append: (groups) => dialect.append(this.runner, groups, 'alone'),
      runner: this.runner,
      statement: (work) => this.statement(work),
    });
    try {
      const result = await this.inSavepoint(() => open.run(group));
      this.onEnd((how) => open.tell(how));
      return result;
    } catch (error) {
      await open.tell('rolledBack');
      throw error;
    }
  }

  /** So that an append that fails takes back what it stored, and nothing else of the transaction. */
  private async inSavepoint(append: () => Promise<AppendResult>): Promise<AppendResult> {
    const query = (sql: string) => this.statement(() => this.runner.query(sql));
    await query('SAVEPOINT eventfold');
    try {
      const result = await append();
      await query('RELEASE SAVEPOINT eventfold');
      return result;
    } catch (error) {
      // Where the connection is lost, or the database has rolled back by itself, what failed first matters more.
      await query('ROLLBACK TO SAVEPOINT eventfold').catch(() => undefined);
      throw error;
    }
  }

  /** Before each append where the database may have ended the transaction in silence; before the commit everywhere. */
  private async checkTransaction(): Promise<void> {
    const { dialect, connections } = this.options;
    connections.transactions.beforeCommit(this.runner, () => dialect.checkTransaction(this.runner));
    if (!dialect.appendsAtOnce) await this.statement(() => dialect.checkTransaction(this.runner));
  }

  private statement<T>(work: () => Promise<T>): Promise<T> {
    return this.statements.run(() => {
      this.checkOpen();
      return work();
    });
  }

  private checkOpen(): void {
    const { transactions } = this.options.connections;
    if (!isOpen(this.runner) || transactions.outermost(this.runner) !== this.transaction)
      throw new UnfitTransactionError(
        'The transaction is over that this store was joined to. Await everything that belongs to a transaction before it ends.',
      );
  }
}

/**
 * @returns the connection on which a manager has its transaction.
 * @throws {@link UnfitTransactionError} when it has none, or is another DataSource's.
 */
export function runnerOf(manager: EntityManager, dataSource: object): QueryRunner {
  if (typeof manager?.getRepository !== 'function')
    throw new UnfitTransactionError(`${nameOf(manager)} is no EntityManager. ${remedy}`);
  // The old name of the property is the one that all releases know.
  if (manager.connection !== dataSource)
    throw new UnfitTransactionError(
      'The EntityManager belongs to another DataSource than the event store. Events and rows commit together only on one.',
    );
  const runner = manager.queryRunner;
  if (runner === undefined || !isOpen(runner))
    throw new UnfitTransactionError(`No transaction is open on this EntityManager. ${remedy}`);
  return runner;
}

const remedy = 'Give the one that dataSource.transaction(async (manager) => …) hands out, before it ends.';
