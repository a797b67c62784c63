import { setTimeout as delay } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';
import type { Position } from '../../events/recorded-event';
import { changedTags } from './changed-tags';
import { decide } from './decide';
import type { Answer, Appended, Dialect, LockMode, TagAddition } from './dialect';
import { codeOf } from './error-code';
import { QueryLog } from './query-log';
import { SelectByTypes } from './select-by-types';
import { eventRowOf, question, type Selection, type Statement, selectEvents, selectNewest } from './select-events';
import { type Outcome, placed, type StagedAppend, type StagedGroup } from './staged-append';
import type { EventRow, TableNames } from './tables';
import { MissingTablesError } from './typeorm-errors';
import type { Horizon } from './wake-ups';

/** What `better-sqlite3`, and drivers like it, offer. */
interface Database {
  prepare(sql: string): PreparedStatement & {
    /** Has it answer with arrays in place of objects, in half the time. */
    raw(): PreparedStatement;
  };
}

interface PreparedStatement {
  /** Whether it answers with rows. */
  readonly reader: boolean;
  run(...parameters: unknown[]): unknown;
  get(...parameters: unknown[]): object | undefined;
  all(...parameters: unknown[]): object[];
}

/** What the rows of a statement are. */
type RowForm = 'objects' | 'arrays';

const manyStatements = 200;

/** Between two tries to lock a file that others hold locked. */
const longestPauseMs = 32;

/** SQLite, through a driver that answers at once: nothing comes between the statements of an append. */
export class SqliteDialect implements Dialect {
  readonly longestKey = 10_000;
  readonly appendsAtOnce = false;
  readonly sharesConnection = true;
  private readonly byTypes: SelectByTypes;
  private readonly prepared = new WeakMap<Database, Map<string, PreparedStatement>>();
  private readonly logs = new WeakMap<Database, QueryLog>();

  constructor(private readonly names: TableNames) {
    this.byTypes = new SelectByTypes(names, question, 'whole parts');
  }

  async prepare(runner: QueryRunner): Promise<void> {
    const database = await this.database(runner);
    try {
      // Not run: in a transaction of the user's it would be a read, and who has read first is refused as a writer.
      database.prepare(`SELECT 1 FROM ${this.names.events.table}`);
    } catch (error) {
      if (!String(error).includes('no such table')) throw error;
      throw new MissingTablesError(`There is no table ${this.names.events.table}`, { cause: error });
    }
  }

  async commit(runner: QueryRunner, groups: readonly StagedGroup[]): Promise<Appended> {
    const database = await this.database(runner);
    return this.inTransaction(database, () => this.insert(database, groups));
  }

  async append(runner: QueryRunner, groups: readonly StagedGroup[], _mode: LockMode): Promise<Appended> {
    return this.insert(await this.database(runner), groups);
  }

  /** Becomes the writer, if it is not yet: who has only read and then writes is not waited for. */
  async checkTransaction(runner: QueryRunner): Promise<void> {
    const { table, tag } = this.names.tags;
    this.execute(await this.database(runner), `UPDATE ${table} SET ${tag} = ${tag} WHERE 0`);
  }

  async begin(runner: QueryRunner): Promise<void> {
    await this.beginning(await this.database(runner), () => undefined);
  }

  async beginWith(runner: QueryRunner, change: Statement): Promise<boolean> {
    const database = await this.database(runner);
    return this.beginning(database, () => {
      try {
        if (this.answer(database, change).changed > 0) return true;
      } catch (error) {
        this.rollBack(database);
        throw error;
      }
      this.rollBack(database);
      return false;
    });
  }

  async run(runner: QueryRunner, statement: Statement): Promise<Answer> {
    return this.answer(await this.database(runner), statement);
  }

  async end(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const database = await this.database(runner);
    if (how === 'ROLLBACK') this.rollBack(database);
    else this.execute(database, how);
  }

  async select(runner: QueryRunner, selection: Selection): Promise<EventRow[]> {
    const database = await this.database(runner);
    const byTypes = this.byTypes.statement(selection);
    const { sql, parameters } = byTypes ?? selectEvents(this.names, question, this.rarestFirst(database, selection));
    const rows = this.statement(database, sql, 'arrays').all(...parameters) as unknown[][];
    return rows.map(eventRowOf);
  }

  async addTags(runner: QueryRunner, additions: readonly TagAddition[]): Promise<void> {
    const { events: e, tags: t } = this.names;
    const database = await this.database(runner);
    const select = `SELECT ${e.tags} AS tags FROM ${e.table} WHERE ${e.position} = ?`;
    const insert = `INSERT OR IGNORE INTO ${t.table} (${t.tag}, ${t.position}, ${t.type}) VALUES (?, ?, ?)`;
    const update = `UPDATE ${e.table} SET ${e.tags} = ? WHERE ${e.position} = ?`;
    await this.inTransaction(database, () => {
      const stored = new Map<string, string | null>();
      for (const { position } of additions) {
        const row = this.statement(database, select).get(Number(position)) as { tags: string | null } | undefined;
        if (row !== undefined) stored.set(position, row.tags);
      }
      for (const { position, type, added, text } of changedTags(additions, stored)) {
        for (const tag of added) this.statement(database, insert).run(tag, Number(position), type);
        this.statement(database, update).run(text, Number(position));
      }
    });
  }

  async horizon(runner: QueryRunner): Promise<Horizon> {
    const newest = this.newest(await this.database(runner));
    return { position: newest === 0 ? undefined : (String(newest) as Position), isHeldBack: false };
  }

  /** A file that is busy has been waited for. */
  isTransient(): boolean {
    return false;
  }

  isConnectionLoss(): boolean {
    return false;
  }

  private insert(database: Database, groups: readonly StagedGroup[]): Appended {
    const newest = this.newest(database);
    const outcomes = decide(groups, {
      versions: this.versionsOf(database, groups),
      ids: this.storedIds(database, groups),
      conflicts: this.conflictsOf(database, groups),
      newest,
    });
    for (const [index, group] of groups.entries()) this.insertGroup(database, group, outcomes[index] as Outcome);
    return { outcomes, previous: newest === 0 ? undefined : String(newest) };
  }

  private insertGroup(database: Database, group: StagedGroup, outcome: Outcome): void {
    if (outcome.kind !== 'stored') return;
    const { events: e, tags: t } = this.names;
    const insertEvent = this.statement(
      database,
      `INSERT INTO ${e.table} (${e.position}, ${e.stream}, ${e.version}, ${e.id}, ${e.type}, ${e.schema_version}, ${e.time}, ${e.tags}, ${e.metadata}, ${e.data}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const insertTag = `INSERT INTO ${t.table} (${t.tag}, ${t.position}, ${t.type}) VALUES (?, ?, ?)`;
    for (const { event, stream, version, position } of placed(group, outcome)) {
      const { id, type, schemaVersion, time, tags, metadataText, dataText } = event;
      const tagsText = tags.length === 0 ? null : JSON.stringify(tags);
      insertEvent.run(Number(position), stream, version, id, type, schemaVersion, time, tagsText, metadataText, dataText);
      for (const tag of tags) this.statement(database, insertTag).run(tag, Number(position), type);
    }
  }

  private newest(database: Database): number {
    const { table, position } = this.names.events;
    const row = this.statement(database, `SELECT MAX(${position}) AS position FROM ${table}`).get() as {
      position: number | null;
    };
    return row.position ?? 0;
  }

  private versionsOf(database: Database, groups: readonly StagedGroup[]): Map<string, number> {
    const { table, stream, version } = this.names.events;
    const statement = this.statement(database, `SELECT MAX(${version}) AS version FROM ${table} WHERE ${stream} = ?`);
    const versions = new Map<string, number>();
    for (const append of groups.flat()) {
      if (versions.has(append.stream)) continue;
      versions.set(append.stream, (statement.get(append.stream) as { version: number | null }).version ?? 0);
    }
    return versions;
  }

  private storedIds(database: Database, groups: readonly StagedGroup[]): Set<string> {
    const { table, id } = this.names.events;
    const statement = this.statement(database, `SELECT 1 AS found FROM ${table} WHERE ${id} = ?`);
    const ids = groups.flatMap((group) => group.flatMap(({ events }) => events.map((event) => event.id)));
    return new Set(ids.filter((text) => statement.get(text) !== undefined));
  }

  private conflictsOf(database: Database, groups: readonly StagedGroup[]): Map<StagedAppend, string> {
    const conflicts = new Map<StagedAppend, string>();
    for (const append of groups.flat()) {
      if (!('condition' in append.guard)) continue;
      const { after } = append.guard.condition;
      const { criteria = [] } = this.rarestFirst(database, { ...append.guard.condition, limit: 1 });
      const [row] = this.all(database, selectNewest(this.names, question, criteria, after)) as { position: number | null }[];
      if (row?.position != null) conflicts.set(append, String(row.position));
    }
    return conflicts;
  }

  /** SQLite keeps no figures of how rare a value is, and takes the tags in the order they are given. */
  private rarestFirst(database: Database, selection: Selection): Selection {
    if (selection.criteria === undefined || selection.criteria.every(({ tags = [] }) => tags.length < 2)) return selection;
    const { table, tag, position } = this.names.tags;
    const count = this.statement(
      database,
      `SELECT COUNT(*) AS count FROM (SELECT 1 FROM ${table} WHERE ${tag} = ? AND ${position} > ? LIMIT 64) AS some`,
    );
    const countOf = (text: string) => (count.get(text, Number(selection.after ?? 0)) as { count: number }).count;
    const criteria = selection.criteria.map((criterion) => {
      const counted = criterion.tags?.map((text) => ({ text, count: countOf(text) })).sort((a, b) => a.count - b.count);
      return counted === undefined ? criterion : { ...criterion, tags: counted.map(({ text }) => text) };
    });
    return { ...selection, criteria };
  }

  private all(database: Database, { sql, parameters }: Statement): object[] {
    return this.statement(database, sql).all(...parameters);
  }

  private answer(database: Database, { sql, parameters }: Statement): Answer {
    const statement = this.statement(database, sql);
    if (statement.reader) return { rows: statement.all(...parameters) as Answer['rows'], changed: 0 };
    const { changes } = statement.run(...parameters) as { readonly changes: number };
    return { rows: [], changed: changes };
  }

  private execute(database: Database, sql: string): void {
    this.statement(database, sql).run();
  }

  /** Runs `work` in a transaction, at one go: nobody else's statement comes between. */
  private inTransaction<T>(database: Database, work: () => T): Promise<T> {
    return this.beginning(database, () => {
      try {
        const result = work();
        this.execute(database, 'COMMIT');
        return result;
      } catch (error) {
        this.rollBack(database);
        throw error;
      }
    });
  }

  /**
   * Runs `work` as soon as a transaction is open. While others hold the file locked it waits for as long as the
   * connection is set to, but not as the driver does, which would stop the whole process for that time.
   */
  private async beginning<T>(database: Database, work: () => T): Promise<T> {
    const { timeout } = this.statement(database, 'PRAGMA busy_timeout').get() as { readonly timeout: number };
    const deadline = Date.now() + timeout;
    for (let pauseMs = 1; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      try {
        this.beginAtOnce(database, timeout);
        break;
      } catch (error) {
        if (!codeOf(error).startsWith('SQLITE_BUSY') || Date.now() >= deadline) throw error;
      }
      await delay(pauseMs);
    }
    return work();
  }

  private beginAtOnce(database: Database, timeout: number): void {
    this.statement(database, 'PRAGMA busy_timeout = 0').get();
    try {
      this.execute(database, 'BEGIN IMMEDIATE');
    } finally {
      this.statement(database, `PRAGMA busy_timeout = ${timeout}`).get();
    }
  }

  private rollBack(database: Database): void {
    try {
      this.execute(database, 'ROLLBACK');
    } catch {
      // SQLite has ended the transaction by itself: the disk is full, or cannot be read.
    }
  }

  /** @param form The same for each SQL whenever it is asked for. */
  private statement(database: Database, sql: string, form: RowForm = 'objects'): PreparedStatement {
    let statements = this.prepared.get(database);
    if (statements === undefined) {
      statements = new Map();
      this.prepared.set(database, statements);
    }
    let statement = statements.get(sql);
    if (statement === undefined) {
      if (statements.size > manyStatements) statements.clear();
      statement = this.prepareLogged(database, sql, form);
      statements.set(sql, statement);
    }
    return statement;
  }

  private prepareLogged(database: Database, sql: string, form: RowForm): PreparedStatement {
    const prepared = database.prepare(sql);
    const statement = form === 'arrays' ? prepared.raw() : prepared;
    const log = this.logs.get(database);
    if (log === undefined) return statement;
    return {
      reader: statement.reader,
      run: (...parameters) => log.runAtOnce(sql, parameters, () => statement.run(...parameters)),
      get: (...parameters) => log.runAtOnce(sql, parameters, () => statement.get(...parameters)),
      all: (...parameters) => log.runAtOnce(sql, parameters, () => statement.all(...parameters)),
    };
  }

  private async database(runner: QueryRunner): Promise<Database> {
    const database = (await runner.connect()) as Database;
    const log = QueryLog.of(runner);
    if (log !== undefined) this.logs.set(database, log);
    return database;
  }
}
