import type { Observable } from 'rxjs';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { Append, AppendResult, BeforeCommit } from '../../store/append';
import type { EventQuery, Page, PageRequest } from '../../store/event-query';
import type { EventStore } from '../../store/event-store';
import type { EventStream } from '../../store/event-stream';
import type { Connections } from './connections';
import type { Dialect } from './dialect';
import { EventReader } from './event-reader';
import { OpenAppend } from './open-append';
import { nothing, resultOf } from './outcome';
import type { Outcome, StagedGroup } from './staged-append';
import { UnfitTransactionError } from './typeorm-errors';

/** What a joined store shares with the store that it is a view of. */
export interface JoinedOptions {
  readonly store: EventStore;
  readonly dialect: Dialect;
  /** Whether commits may become visible in another order than that of their positions. */
  readonly isUnordered: boolean;
  readonly connections: Connections;
  readonly stage: (appends: readonly Append[]) => StagedGroup;
  readonly committed: (position: Position) => void;
}

/** The work on each connection, one piece after the other. */
const lastWork = new WeakMap<QueryRunner, Promise<unknown>>();

/** A store within a transaction of its user's. */
export class JoinedEventStore implements EventStore {
  private readonly runner: QueryRunner;
  private readonly reader: EventReader;

  constructor(
    manager: EntityManager,
    private readonly options: JoinedOptions,
  ) {
    const runner = manager?.queryRunner;
    if (!runner?.isTransactionActive)
      throw new UnfitTransactionError(
        'No transaction is open on this EntityManager. Give the one that dataSource.transaction(async (manager) => …) hands out.',
      );
    this.runner = runner;
    const { dialect } = options;
    this.reader = new EventReader({
      isUnordered: options.isUnordered,
      isJoined: true,
      select: (selection) => this.inTurn(() => dialect.select(runner, selection)),
      horizon: (criteria) => this.inTurn(() => dialect.horizon(runner, criteria)),
    });
  }

  append(appends: readonly Append[], beforeCommit?: BeforeCommit): Promise<AppendResult> {
    return this.inTurn(async () => {
      const group = this.options.stage(appends);
      if (group.length === 0) return nothing;
      await this.options.connections.prepareFor(this.runner);
      await this.options.connections.hide(this.runner);
      const result = await (beforeCommit === undefined ? this.appendGroup(group) : this.appendOpen(group, beforeCommit));
      this.options.connections.transactions.join(this.runner, {
        committed: () => this.options.committed(result.position as Position),
        rolledBack: () => undefined,
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
    return (await this.inTurn(() => this.options.dialect.horizon(this.runner))).position;
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

  private async appendGroup(group: StagedGroup): Promise<AppendResult> {
    const { outcomes } = await this.options.dialect.append(this.runner, [group], 'wait');
    return resultOf(group, outcomes[0] as Outcome);
  }

  /** Within a savepoint, so that a hook that throws takes back its append and nothing else. */
  private async appendOpen(group: StagedGroup, beforeCommit: BeforeCommit): Promise<AppendResult> {
    const { runner, options } = this;
    await runner.query('SAVEPOINT eventfold');
    try {
      const open = new OpenAppend({
        beforeCommit,
        stage: options.stage,
        append: (staged) => options.dialect.append(runner, [staged], 'alone'),
      });
      const result = await open.run(group);
      await runner.query('RELEASE SAVEPOINT eventfold');
      return result;
    } catch (error) {
      await runner.query('ROLLBACK TO SAVEPOINT eventfold');
      throw error;
    }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const running = (lastWork.get(this.runner) ?? Promise.resolve()).then(work);
    lastWork.set(
      this.runner,
      running.catch(() => undefined),
    );
    return running;
  }
}
