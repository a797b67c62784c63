import type { Observable } from 'rxjs';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { Criterion } from '../../events/criterion';
import { nameOf } from '../../events/event-class';
import { InvalidArgumentError } from '../../events/invalid-argument-error';
import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { Append, AppendResult, BeforeCommit } from '../../store/append';
import type { EventQuery, Page, PageRequest } from '../../store/event-query';
import type { EventStream } from '../../store/event-stream';
import type { ProjectionStore } from '../../store/projection-store';
import type { SnapshotStore } from '../../store/snapshot-store';
import { StoreClosedError } from '../../store/store-errors';
import type { StoredType, StoredTypesScan } from '../../store/stored-type';
import type { TagSources } from '../../store/tag-sources';
import type { JoinedEventStore, TransactionalEventStore } from '../../store/transactional-event-store';
import { ambientManagerOf, type FindManager } from './ambient';
import { checkStoreOptions } from './check-store-options';
import { Connections } from './connections';
import { againAfterDeadlocks } from './deadlocks';
import type { Dialect, LockMode } from './dialect';
import { dialectOf } from './dialect-of';
import { EventReader } from './event-reader';
import { commitAlone, GatheredAppends } from './gathered-appends';
import { gatheredReads } from './gathered-reads';
import { type HookedAppend, HookedAppends, type HookedCommits } from './hooked-appends';
import { JoinedTypeOrmEventStore, runnerOf } from './joined-event-store';
import { currentMoment, endMoment } from './moment';
import { OpenAppend } from './open-append';
import { checkDistinct, nothing, resultOf } from './outcome';
import { checkPosition, comparePositions } from './positions';
import { Progress } from './projections/progress';
import { TypeOrmProjectionStore } from './projections/typeorm-projection-store';
import type { ReaderLag } from './reader-lag';
import { remoteWakeUps } from './remote-wake-ups';
import { Retagging } from './retagging';
import { type Outcome, type StagedGroup, type StagingOptions, stage } from './staged-append';
import { storedTypes } from './stored-types';
import { dialectNameOf, type TableNames, type TableOptions, tableNames } from './tables';
import { UnknownOutcomeError } from './typeorm-errors';
import { TypeOrmSnapshotStore } from './typeorm-snapshot-store';
import { TypeOrmTagSources } from './typeorm-tag-sources';
import { type Horizon, type Polling, toldOn, WakeUps } from './wake-ups';

/** What a store on a database takes. */
export interface TypeOrmEventStoreOptions extends TableOptions, StagingOptions {
  /** `false` commits each append by itself, instead of all together that arrive during a commit, each with its own outcome. */
  readonly gather?: boolean;
  /** `false` where statements cannot be prepared: behind a pooler that hands out another connection each time. */
  readonly preparedStatements?: boolean;
  /** How often to look for what other processes appended: by default 20 ms to 1 s, and to 5 s where the database tells of it. */
  readonly polling?: Polling;
  /**
   * Finds the manager of the transaction that the caller runs in, which appends then join: by default that of
   * `typeorm-transactional` or `@nestjs-cls/transactional`. `false` joins none.
   */
  readonly ambient?: FindManager | false;
}

/**
 * Keeps events in the tables of a database, through a TypeORM `DataSource`, which stays its owner's to close.
 *
 * Beside what every store throws, the first use throws a {@link MissingTablesError} where the tables are not there, and an
 * append an {@link UnknownOutcomeError} when the connection is lost before its answer, or a {@link ConnectionBusyError}
 * when a transaction stays open on the only connection there is.
 *
 * @example
 * ```ts
 * const dataSource = await new DataSource({
 *   type: 'postgres',
 *   url: process.env.DATABASE_URL,
 *   entities: [User, ...eventStoreEntities('postgres')],
 *   migrations: eventStoreMigrations('postgres'),
 * }).initialize();
 * const es = await EventSourcing.open({ store: new TypeOrmEventStore(dataSource), classes: [Account] });
 * ```
 */
export class TypeOrmEventStore implements TransactionalEventStore {
  readonly snapshots: SnapshotStore;
  readonly tagSources: TagSources;
  readonly projections: ProjectionStore;
  private readonly projectionStore: TypeOrmProjectionStore;
  private readonly snapshotStore: TypeOrmSnapshotStore;
  private readonly dialect: Dialect;
  private readonly ambientManager: FindManager | undefined;
  private readonly joined = new WeakMap<object, JoinedEventStore>();
  private readonly connections: Connections;
  private readonly names: TableNames;
  private readonly reader: EventReader;
  private readonly isUnordered: boolean;
  private readonly wakeUps: WakeUps;
  private readonly gathered: GatheredAppends | undefined;
  private readonly hooked: HookedAppends;
  private isClosed = false;

  /**
   * @param dataSource An initialised one, of PostgreSQL, MySQL, MariaDB or SQLite.
   * @throws {@link UnsupportedDatabaseError} for a DataSource of another type.
   * @throws {@link InvalidArgumentError} when it is none or is not initialised, when an option is unknown, when a schema
   * is given to a database without, or when the polling has no time between 1 ms and an hour.
   */
  constructor(
    private readonly dataSource: DataSource,
    private readonly options: TypeOrmEventStoreOptions = {},
  ) {
    checkDataSource(dataSource);
    checkStoreOptions(options);
    const names = tableNames(dataSource, options);
    this.names = names;
    this.dialect = dialectOf(dataSource, names, options.preparedStatements !== false);
    this.connections = new Connections(dataSource, this.dialect, names.events.table);
    this.ambientManager = options.ambient === false ? undefined : (options.ambient ?? ambientManagerOf(dataSource));
    this.isUnordered = dataSource.options.type === 'postgres';
    this.tagSources = new TypeOrmTagSources(dataSource, this.connections, this.dialect, names);
    const dialectName = dialectNameOf(dataSource.options.type);
    this.snapshotStore = new TypeOrmSnapshotStore({ connections: this.connections, dialect: this.dialect, dialectName, names });
    this.snapshots = this.snapshotStore;
    this.reader = new EventReader({
      isUnordered: this.isUnordered,
      isJoined: false,
      select: gatheredReads(this.dialect, this.connections),
      horizon: (criteria) => this.horizon(criteria),
    });
    const remote = remoteWakeUps(dataSource, names);
    const polling = pollingOf(dataSource, options, remote !== undefined);
    this.wakeUps = new WakeUps(() => this.horizon(), toldOn(dataSource, names.events.table), remote?.appends, polling);
    const told = toldOn<string>(dataSource, names.projections.table);
    this.projectionStore = new TypeOrmProjectionStore({
      dataSource,
      connections: this.connections,
      dialect: this.dialect,
      dialectName,
      names,
      progress: (look) => new Progress(look, told, remote?.progress, polling),
    });
    this.projections = this.projectionStore;
    const isTransient = (error: unknown) => this.dialect.isTransient(error);
    const commits: HookedCommits = {
      alone: (append) => this.appendHooked(append),
      together: (appends) => this.appendTogether(appends),
    };
    this.hooked = options.gather === false ? new HookedAppends(commits, 1) : new HookedAppends(commits);
    if (options.gather !== false) this.gathered = new GatheredAppends((groups, mode) => this.commit(groups, mode), isTransient);
  }

  async append(appends: readonly Append[], beforeCommit?: BeforeCommit): Promise<AppendResult> {
    this.checkOpen();
    endMoment();
    const joined = this.ambient();
    if (joined !== undefined) return joined.append(appends, beforeCommit);
    const group = this.stage(appends);
    if (group.length === 0) return nothing;
    const result = await (beforeCommit === undefined
      ? this.appendGroup(group)
      : this.hooked.append({ group, hook: beforeCommit }));
    if (result.position !== undefined) this.tell(result.position);
    return result;
  }

  get moment(): object {
    return currentMoment();
  }

  read(query: EventQuery): EventStream {
    return this.reader.read(query);
  }

  page(query: EventQuery, request: PageRequest): Promise<Page<RecordedEvent>> {
    return this.reader.page(query, request);
  }

  async head(): Promise<Position | undefined> {
    return (await this.horizon()).position;
  }

  compare(a: Position, b: Position): number {
    return comparePositions(a, b);
  }

  position(text: string): Position {
    checkPosition(text);
    return text;
  }

  appended(): Observable<Position> {
    return this.wakeUps.appended();
  }

  async retag(types: readonly string[], tagsOf: (event: RecordedEvent) => readonly string[]): Promise<number> {
    const added = await new Retagging(this.connections, this.dialect).retag(types, tagsOf);
    // A boundary that lacked an event may have got into a snapshot.
    if (added > 0) await this.snapshots.clear();
    return added;
  }

  storedTypes(scan: StoredTypesScan): Promise<readonly StoredType[]> {
    return storedTypes(this.connections, this.names, dialectNameOf(this.dataSource.options.type), scan);
  }

  /**
   * A view of this store whose appends belong to the transaction that is open on `manager`: they are stored, and told
   * of, when it commits, and it reads what the transaction has written.
   *
   * @throws {@link UnfitTransactionError} when no transaction is open on `manager`, or it is another DataSource's.
   *
   * @example
   * ```ts
   * await dataSource.transaction(async (manager) => {
   *   await manager.save(user);
   *   await store.within(manager).append([{ stream: 'users', guard: { version: 'any' }, events: [event] }]);
   * });
   * ```
   */
  within(manager: EntityManager): JoinedEventStore {
    this.checkOpen();
    const runner = runnerOf(manager, this.dataSource);
    const transaction = this.connections.transactions.outermost(runner) as object;
    let joined = this.joined.get(transaction);
    if (joined === undefined) {
      joined = new JoinedTypeOrmEventStore(runner, {
        store: this,
        dialect: this.dialect,
        isUnordered: this.isUnordered,
        connections: this.connections,
        snapshots: this.snapshotStore,
        stage: (appends) => {
          this.checkOpen();
          return this.stage(appends);
        },
        committed: (position) => this.tell(position),
      });
      this.joined.set(transaction, joined);
    }
    return joined;
  }

  /**
   * The view within the transaction of `typeorm-transactional` or `@nestjs-cls/transactional` that the caller's code
   * runs in, or of what the option `ambient` finds. Appends join it by themselves.
   */
  ambient(): JoinedEventStore | undefined {
    const manager = this.ambientManager?.();
    return manager && this.within(manager);
  }

  /**
   * Tells which transactions hold readers back, the one that does so most first: on PostgreSQL nobody reads past an
   * append that is not committed, and an application that forgets to end a transaction stops every projection.
   *
   * @returns an empty list when readers get all that is stored; always on other databases.
   */
  async lag(): Promise<readonly ReaderLag[]> {
    return this.connections.use(async (runner) => (await this.dialect.lag?.(runner)) ?? []);
  }

  /** Ends its observables and its listening connection. The DataSource stays open. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.wakeUps.close();
    this.projectionStore.close();
  }

  private tell(position: Position): void {
    endMoment();
    this.wakeUps.tell(position);
  }

  private stage(appends: readonly Append[]): StagedGroup {
    const group = stage(appends, this.options, this.dialect.longestKey);
    checkDistinct(group);
    return group;
  }

  private async appendGroup(group: StagedGroup): Promise<AppendResult> {
    const { gathered, dialect } = this;
    const outcome = await (gathered === undefined
      ? commitAlone(
          (groups, mode) => this.commit(groups, mode),
          (error) => dialect.isTransient(error),
          group,
        )
      : gathered.append(group));
    return resultOf(group, outcome);
  }

  private async commit(groups: readonly StagedGroup[], mode: LockMode): Promise<readonly Outcome[]> {
    return this.connections.useAlone(async (runner) => {
      // Where no connection is to be had, nothing was stored.
      await runner.connect();
      const { outcomes } = await this.known(() => this.dialect.commit(runner, groups, mode));
      return outcomes;
    });
  }

  private appendHooked({ group, hook }: HookedAppend): Promise<AppendResult> {
    return againAfterDeadlocks(() => this.appendOpen(hook, 'each by itself', (open) => open.run(group)));
  }

  private appendTogether(appends: readonly HookedAppend[]): Promise<readonly PromiseSettledResult<AppendResult>[]> {
    return this.appendOpen((appends[0] as HookedAppend).hook, 'held', (open) => open.runTogether(appends));
  }

  /** Runs an append with a hook in a transaction of its own. */
  private async appendOpen<T>(
    beforeCommit: BeforeCommit,
    statements: 'each by itself' | 'held',
    append: (open: OpenAppend) => Promise<T>,
  ): Promise<T> {
    this.checkOpen();
    let open: OpenAppend | undefined;
    try {
      const result = await this.connections.useAlone((runner) => {
        open = this.openAppend(runner, beforeCommit, statements);
        return this.inTransaction(runner, open, append);
      }, 'hook');
      await open?.tell('committed');
      return result;
    } catch (error) {
      await open?.tell('rolledBack');
      throw error;
    }
  }

  /** Alone in the store. What is begun with the first append needs no round trip of its own. */
  private openAppend(runner: QueryRunner, beforeCommit: BeforeCommit, statements: 'each by itself' | 'held'): OpenAppend {
    const { dialect } = this;
    let isBegun = dialect.beginAppend === undefined;
    const { hold } = dialect;
    return new OpenAppend({
      beforeCommit,
      stage: (appends) => this.stage(appends),
      append: (groups) => {
        if (isBegun || dialect.beginAppend === undefined) return dialect.append(runner, groups, 'alone');
        isBegun = true;
        return dialect.beginAppend(runner, groups, 'alone');
      },
      ...(statements === 'held' && hold && { hold: (held) => hold(runner, held) }),
      runner,
    });
  }

  private async inTransaction<T>(runner: QueryRunner, open: OpenAppend, append: (open: OpenAppend) => Promise<T>): Promise<T> {
    const { dialect, connections } = this;
    if (dialect.beginAppend === undefined) await dialect.begin(runner);
    let show: (() => void) | undefined;
    try {
      if (dialect.sharesConnection) show = connections.visibility.limit((await dialect.horizon(runner)).position);
      const result = await append(open);
      await this.known(() => dialect.end(runner, 'COMMIT'));
      await connections.transactions.ended(runner, 'committed');
      return result;
    } catch (error) {
      await dialect.end(runner, 'ROLLBACK').catch(() => undefined);
      await connections.transactions.ended(runner, 'rolledBack');
      throw error;
    } finally {
      show?.();
    }
  }

  private async known<T>(commit: () => Promise<T>): Promise<T> {
    try {
      return await commit();
    } catch (error) {
      throw this.dialect.isConnectionLoss(error) ? new UnknownOutcomeError({ cause: error }) : error;
    }
  }

  private async horizon(criteria?: readonly Criterion[]): Promise<Horizon> {
    const horizon = await this.connections.use((runner) => this.dialect.horizon(runner, criteria));
    if (horizon.isHeldBack) this.wakeUps.lookSoon();
    return this.connections.visibleHorizon(horizon);
  }

  private checkOpen(): void {
    if (this.isClosed) throw new StoreClosedError();
  }
}

function checkDataSource(dataSource: DataSource): void {
  if (typeof dataSource?.createQueryRunner !== 'function')
    throw new InvalidArgumentError(`new TypeOrmEventStore takes a DataSource of TypeORM, not ${nameOf(dataSource)}.`);
  if (!dataSource.isInitialized)
    throw new InvalidArgumentError('new TypeOrmEventStore takes an initialised DataSource: await dataSource.initialize() first.');
}

function pollingOf({ options }: DataSource, { polling }: TypeOrmEventStoreOptions, isTold: boolean): Polling | undefined {
  if (polling !== undefined) checkPolling(polling);
  if (options.type === 'better-sqlite3' && options.database === ':memory:') return undefined;
  if (options.type === 'postgres' && !isTold) return undefined;
  return polling ?? { minMs: 20, maxMs: isTold ? 5_000 : 1_000 };
}

const longestPollingMs = 3_600_000;

function checkPolling({ minMs, maxMs }: Polling): void {
  // Comparisons with what is no number are false.
  if (minMs >= 1 && minMs <= maxMs && maxMs <= longestPollingMs) return;
  throw new InvalidArgumentError(
    `new TypeOrmEventStore cannot poll every { minMs: ${minMs}, maxMs: ${maxMs} }. Give 1 ms or more, up to an hour, the smaller first.`,
  );
}
