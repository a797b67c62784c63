import type { QueryRunner } from 'typeorm';
import type { Position } from '../../events/recorded-event';
import type { Guard } from '../../store/append';
import { changedTags } from './changed-tags';
import { decide } from './decide';
import type { Answer, Appended, Dialect, LockMode, TagAddition } from './dialect';
import { codeOf } from './error-code';
import { MariaDbAppend } from './mariadb-append';
import { MySqlPackets } from './mysql-packets';
import { QueryLog } from './query-log';
import { question, type Selection, type Statement, selectEvents, selectNewest } from './select-events';
import { type Outcome, placed, type StagedAppend, type StagedGroup } from './staged-append';
import { type EventRow, longestKey, type TableNames } from './tables';
import { MissingTablesError, UnfitTransactionError } from './typeorm-errors';
import type { Horizon } from './wake-ups';

/** A connection of `mysql2`. */
interface MySqlConnection {
  query(sql: string, parameters: readonly unknown[], done: (error: unknown, rows: unknown) => void): void;
  /** Has the server prepare the statement. */
  execute(sql: string, parameters: readonly unknown[], done: (error: unknown, rows: unknown) => void): void;
}

interface Row {
  [column: string]: unknown;
}

/** One statement of several that can go together. */
interface Command {
  readonly sql: string;
  readonly parameters?: readonly unknown[];
  /** Whether it answers with rows. */
  readonly answers?: boolean;
  /** Whether it is sent by itself, as a server takes packets up to a size only. */
  readonly isLarge?: boolean;
}

/** So many rows go into one statement. */
const rowsPerInsert = 500;

/** MySQL and MariaDB: every append takes its positions under one lock, which ends with its transaction. */
export class MySqlDialect implements Dialect {
  readonly longestKey = longestKey;
  readonly appendsAtOnce = false;
  readonly sharesConnection = false;

  /** Those on which a transaction is open that may not stay idle. */
  private readonly limited = new WeakSet<QueryRunner>();
  private isMariaDb = false;
  private packets = new MySqlPackets(Number.POSITIVE_INFINITY);
  /** Whether the last append was: where many race for one boundary, most lose. */
  private wasRefused = false;

  constructor(
    private readonly names: TableNames,
    private readonly mayPrepare: boolean,
  ) {}

  async prepare(runner: QueryRunner): Promise<void> {
    const { locks, events } = this.names;
    try {
      const [server] = await this.query(runner, 'SELECT VERSION() AS version, @@max_allowed_packet AS packet');
      this.isMariaDb = /mariadb/i.test(String(server?.version));
      this.packets = new MySqlPackets(Number(server?.packet));
      // Looked for first, as making it waits for appends under way.
      const [found] = await this.query(runner, `SELECT ${locks.id} FROM ${locks.table} WHERE ${locks.id} = 1`);
      if (found === undefined) await this.query(runner, `INSERT IGNORE INTO ${locks.table} (${locks.id}) VALUES (1)`);
    } catch (error) {
      if (codeOf(error) !== 'ER_NO_SUCH_TABLE') throw error;
      throw new MissingTablesError(`There is no table ${events.table}`, { cause: error });
    }
  }

  /** In one round trip, or in two where something is to be refused, if the database takes several statements at once. */
  async commit(runner: QueryRunner, groups: readonly StagedGroup[]): Promise<Appended> {
    const isPromising = this.packets.holds(groups) && this.isMariaDb && !this.wasRefused;
    const stored = isPromising ? await this.commitAtOnce(runner, new MariaDbAppend(this.names, groups)) : undefined;
    const appended = stored ?? (await this.commitInSteps(runner, groups));
    this.wasRefused = appended.outcomes.some(({ kind }) => kind !== 'stored');
    return appended;
  }

  /** @returns undefined when nothing was stored. */
  private async commitAtOnce(runner: QueryRunner, append: MariaDbAppend): Promise<Appended | undefined> {
    const { sql, parameters, isFrequent } = append;
    if (sql === undefined) return undefined;
    try {
      const results = await this.query(runner, sql, parameters, isFrequent && this.mayPrepare);
      return append.stored((results[0] as unknown as Row[])[0]);
    } catch (error) {
      if (codeOf(error) === 'ER_DUP_ENTRY') return undefined;
      throw error;
    }
  }

  private async commitInSteps(runner: QueryRunner, groups: readonly StagedGroup[]): Promise<Appended> {
    try {
      const { appended, writes } = await this.decide(runner, groups, [{ sql: 'START TRANSACTION' }]);
      await this.runAll(runner, [...writes, { sql: 'COMMIT' }]);
      return appended;
    } catch (error) {
      await this.end(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async append(runner: QueryRunner, groups: readonly StagedGroup[], _mode: LockMode): Promise<Appended> {
    const { appended, writes } = await this.decide(runner, groups, []);
    await this.runAll(runner, writes);
    return appended;
  }

  /** A deadlock rolls back the whole transaction, and what follows would be stored at once. MySQL cannot be asked. */
  async checkTransaction(runner: QueryRunner): Promise<void> {
    if (!this.isMariaDb) return;
    const [row] = await this.query(runner, 'SELECT @@in_transaction AS isOpen');
    if (Number(row?.isOpen) === 0) throw endedByDatabase();
  }

  async begin(runner: QueryRunner, longestIdleMs?: number): Promise<void> {
    await this.runAll(runner, this.beginning(runner, longestIdleMs));
  }

  async beginWith(runner: QueryRunner, change: Statement, longestIdleMs: number): Promise<boolean> {
    const count = { sql: 'SELECT ROW_COUNT() AS changed', answers: true };
    try {
      const [rows] = await this.runAll(runner, [...this.beginning(runner, longestIdleMs), change, count]);
      if (Number(rows?.[0]?.changed) > 0) return true;
    } catch (error) {
      await this.end(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
    await this.end(runner, 'ROLLBACK');
    return false;
  }

  async run(runner: QueryRunner, { sql, parameters }: Statement): Promise<Answer> {
    const result = (await this.query(runner, sql, parameters)) as Row[] | { readonly affectedRows: number };
    return Array.isArray(result) ? { rows: result, changed: 0 } : { rows: [], changed: result.affectedRows };
  }

  async end(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const isLimited = this.limited.delete(runner);
    await this.runAll(runner, [{ sql: how }, ...(isLimited ? [{ sql: 'SET SESSION idle_transaction_timeout = DEFAULT' }] : [])]);
  }

  /** The limit is one of the connection, which others use afterwards. MySQL knows none. */
  private beginning(runner: QueryRunner, longestIdleMs: number | undefined): Command[] {
    const begin = { sql: 'START TRANSACTION' };
    if (longestIdleMs === undefined || !this.isMariaDb) return [begin];
    this.limited.add(runner);
    return [{ sql: `SET SESSION idle_transaction_timeout = ${Math.ceil(longestIdleMs / 1_000)}` }, begin];
  }

  async select(runner: QueryRunner, selection: Selection): Promise<EventRow[]> {
    const { sql, parameters } = selectEvents(this.names, question, selection);
    const rows = await this.query(runner, sql, parameters.map(keyBytes));
    return rows.map(decoded);
  }

  async addTags(runner: QueryRunner, additions: readonly TagAddition[]): Promise<void> {
    const { events: e, tags: t, locks } = this.names;
    const positions = additions.map(({ position }) => Number(position));
    await this.begin(runner);
    try {
      // As appends do, or each would wait for what the other holds.
      await this.query(runner, `SELECT ${locks.id} FROM ${locks.table} WHERE ${locks.id} = 1 FOR UPDATE`);
      const rows = await this.query(
        runner,
        `SELECT ${e.position} AS position, ${e.tags} AS tags FROM ${e.table} WHERE ${e.position} IN (?) FOR UPDATE`,
        [positions],
      );
      const stored = new Map(rows.map((row) => [String(row.position), row.tags as string | null]));
      const changed = changedTags(additions, stored);
      const tags = changed.flatMap(({ position, type, added }) =>
        added.map((tag) => [bytes(tag), Number(position), bytes(type)]),
      );
      if (tags.length > 0)
        await this.query(runner, `INSERT IGNORE INTO ${t.table} (${t.tag}, ${t.position}, ${t.type}) VALUES ?`, [tags]);
      for (const { position, text: tagsText } of changed)
        await this.query(runner, `UPDATE ${e.table} SET ${e.tags} = ? WHERE ${e.position} = ?`, [tagsText, Number(position)]);
      await this.end(runner, 'COMMIT');
    } catch (error) {
      await this.end(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async horizon(runner: QueryRunner): Promise<Horizon> {
    const { table, position } = this.names.events;
    const [row] = await this.query(runner, `SELECT MAX(${position}) AS position FROM ${table}`);
    const newest = row?.position;
    return { position: newest == null ? undefined : (String(newest) as Position), isHeldBack: false };
  }

  isTransient(error: unknown): boolean {
    return ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD'].includes(codeOf(error));
  }

  isConnectionLoss(error: unknown): boolean {
    return ['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ER_SERVER_SHUTDOWN'].includes(codeOf(error));
  }

  /** Takes the lock, reads what has to be known, and says what came of each group and what is to be written. */
  private async decide(
    runner: QueryRunner,
    groups: readonly StagedGroup[],
    first: readonly Command[],
  ): Promise<{ appended: Appended; writes: Command[] }> {
    const { locks } = this.names;
    const guarded = groups.flat().filter(({ guard }) => 'condition' in guard);
    const lock = { sql: `SELECT ${locks.id} FROM ${locks.table} WHERE ${locks.id} = 1 FOR UPDATE`, answers: true };
    const reads = [...this.stateOf(groups), ...guarded.map((append) => this.newestIn(append))];
    const [, newestRows, versionRows, idRows, ...conflictRows] = await this.runAll(runner, [...first, lock, ...reads]);
    const newest = Number(newestRows?.[0]?.position ?? 0);
    const conflicts = new Map<StagedAppend, string>();
    for (const [index, append] of guarded.entries()) {
      const position = conflictRows[index]?.[0]?.position;
      if (position != null) conflicts.set(append, String(position));
    }
    const outcomes = decide(groups, {
      versions: new Map(versionRows?.map((row) => [text(row.stream), Number(row.version)])),
      ids: new Set(idRows?.map((row) => text(row.id))),
      conflicts,
      newest,
    });
    const appended = { outcomes, previous: newest === 0 ? undefined : String(newest) };
    return { appended, writes: this.writesOf(groups, outcomes) };
  }

  /** Read with locks, which see what is committed also where the transaction began earlier. */
  private stateOf(groups: readonly StagedGroup[]): Command[] {
    const { table, position, stream, version, id } = this.names.events;
    const streams = [...new Set(groups.flatMap((group) => group.map((append) => append.stream)))];
    const ids = groups.flatMap((group) => group.flatMap(({ events }) => events.map((event) => event.id)));
    return [
      {
        sql: `SELECT ${position} AS position FROM ${table} ORDER BY ${position} DESC LIMIT 1 LOCK IN SHARE MODE`,
        answers: true,
      },
      {
        sql: `SELECT ${stream} AS stream, MAX(${version}) AS version FROM ${table} WHERE ${stream} IN (?) GROUP BY ${stream} LOCK IN SHARE MODE`,
        parameters: [streams.map(bytes)],
        answers: true,
      },
      {
        sql: `SELECT ${id} AS id FROM ${table} WHERE ${id} IN (?) LOCK IN SHARE MODE`,
        parameters: [ids.map(bytes)],
        answers: true,
      },
    ];
  }

  private newestIn({ guard }: StagedAppend): Command {
    const { criteria, after } = (guard as Extract<Guard, { condition: unknown }>).condition;
    const { sql, parameters } = selectNewest(this.names, question, criteria, after, 'LOCK IN SHARE MODE');
    return { sql, parameters: parameters.map(keyBytes), answers: true };
  }

  private writesOf(groups: readonly StagedGroup[], outcomes: readonly Outcome[]): Command[] {
    const { events: e, tags: t } = this.names;
    const events: unknown[][] = [];
    const tags: unknown[][] = [];
    for (const [index, group] of groups.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind !== 'stored') continue;
      for (const { event, stream, version, position } of placed(group, outcome)) {
        const { id, type } = event;
        const tagsText = event.tags.length === 0 ? null : JSON.stringify(event.tags);
        const keys = [Number(position), bytes(stream), version, bytes(id), bytes(type)];
        events.push([...keys, event.schemaVersion, event.time, tagsText, event.metadataText, event.dataText]);
        for (const tag of event.tags) tags.push([bytes(tag), Number(position), bytes(type)]);
      }
    }
    const columns = [e.position, e.stream, e.version, e.id, e.type, e.schema_version, e.time, e.tags, e.metadata, e.data];
    const inserts = [
      ...this.insertsInto(e.table, columns, events),
      ...this.insertsInto(t.table, [t.tag, t.position, t.type], tags),
    ];
    const isLarge = inserts.length > 2 || !this.packets.holds(groups);
    return isLarge ? inserts.map((insert) => ({ ...insert, isLarge })) : inserts;
  }

  private insertsInto(table: string, columns: readonly string[], rows: readonly unknown[][]): Command[] {
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES ?`;
    const inserts: Command[] = [];
    for (let from = 0, count = 0; from < rows.length; from += count) {
      count = this.packets.count(rows, from, rowsPerInsert);
      inserts.push({ sql, parameters: [rows.slice(from, from + count)] });
    }
    return inserts;
  }

  /** @returns the rows of those commands that answer with some. */
  private async runAll(runner: QueryRunner, commands: readonly Command[]): Promise<Row[][]> {
    if (!this.isMariaDb || commands.length === 1 || commands.some(({ isLarge }) => isLarge)) {
      const answers: Row[][] = [];
      for (const { sql, parameters, answers: doesAnswer } of commands) {
        const rows = await this.query(runner, sql, parameters);
        if (doesAnswer) answers.push(rows);
      }
      return answers;
    }
    const block = `BEGIN NOT ATOMIC ${commands.map(({ sql }) => `${sql};`).join(' ')} END`;
    return (await this.query(
      runner,
      block,
      commands.flatMap(({ parameters = [] }) => parameters),
    )) as unknown as Row[][];
  }

  private async query(runner: QueryRunner, sql: string, parameters: readonly unknown[] = [], isPrepared = false): Promise<Row[]> {
    const connection = (await runner.connect()) as MySqlConnection;
    const query = () =>
      new Promise<Row[]>((resolve, reject) => {
        const done = (error: unknown, rows: unknown) => (error ? reject(error) : resolve(rows as Row[]));
        if (isPrepared) connection.execute(sql, parameters, done);
        else connection.query(sql, parameters, done);
      });
    return QueryLog.of(runner)?.run(sql, parameters, query) ?? query();
  }
}

function endedByDatabase(): UnfitTransactionError {
  return new UnfitTransactionError(
    'The database has rolled this transaction back, after a deadlock or the like: nothing of it is stored. Begin it again.',
  );
}

/** Keys are kept as bytes. */
function bytes(key: string): Buffer {
  return Buffer.from(key);
}

function keyBytes(parameter: unknown): unknown {
  return typeof parameter === 'string' ? bytes(parameter) : parameter;
}

function text(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString() : String(value);
}

function decoded(row: Row): EventRow {
  row.position = String(row.position);
  for (const key of ['stream', 'id', 'type']) row[key] = text(row[key]);
  return row as unknown as EventRow;
}
