import type { DataSource, QueryRunner } from 'typeorm';
import type { Criterion } from '../../events/criterion';
import { InvalidArgumentError } from '../../events/invalid-argument-error';
import type { Position } from '../../events/recorded-event';
import { changedTags } from './changed-tags';
import type { Answer, Appended, Dialect, LockMode, StreamSelection, TagAddition } from './dialect';
import { codeOf } from './error-code';
import { writersKeys } from './locks-of';
import { type AppendCall, appendCall } from './postgres-append-call';
import { appendFunctions, createAppendFunctions } from './postgres-functions';
import { type PostgresConnection, PostgresMessages, type Result } from './postgres-messages';
import { withLiterals } from './postgres-texts';
import { QueryLog } from './query-log';
import { type ReaderLag, readerLagOf } from './reader-lag';
import { SelectByTypes } from './select-by-types';
import { eventColumns, type Selection, type Statement, selectEvents } from './select-events';
import type { StagedGroup } from './staged-append';
import type { EventRow, TableNames } from './tables';
import { MissingTablesError, UnfitTransactionError } from './typeorm-errors';
import type { Horizon } from './wake-ups';

/** Of the process, as stores share connections. */
const statementNames = new Map<string, string>();

/** PostgreSQL, as a server or in process. */
export class PostgresDialect implements Dialect {
  /** An index of PostgreSQL holds at most 2704 bytes in a row. */
  readonly longestKey = 1300;
  readonly appendsAtOnce = true;
  readonly sharesConnection: boolean;
  readonly beginAppend: Dialect['beginAppend'];
  readonly hold: Dialect['hold'];
  private readonly messages: PostgresMessages;
  private readonly isServer: boolean;
  private readonly byTypes: SelectByTypes;
  private readonly appendSql: { readonly one: string; readonly many: string };
  private sequence = '';
  private needsIsolation = false;

  constructor(
    dataSource: DataSource,
    private readonly names: TableNames,
    private readonly mayPrepare: boolean,
  ) {
    this.isServer = isServer(dataSource);
    this.sharesConnection = !this.isServer;
    this.messages = new PostgresMessages(mayPrepare);
    if (this.isServer) {
      this.hold = (runner, statements) => this.messages.hold(runner, statements);
      this.beginAppend = (runner, groups, mode) => this.beginWithAppend(runner, groups, mode);
    }
    this.byTypes = new SelectByTypes(names, dollar, 'limited parts');
    const { one, many } = appendFunctions(names);
    this.appendSql = {
      one: `SELECT ${one}(${placeholders(16)}) AS answer`,
      many: `SELECT * FROM ${many}(${placeholders(27)})`,
    };
  }

  async prepare(runner: QueryRunner): Promise<void> {
    const { events } = this.names;
    const [found] = await this.query<{ table: string | null; isolation: string; function: string | null }>(
      runner,
      `SELECT to_regclass($1)::text AS table, current_setting('default_transaction_isolation') AS isolation,
        (SELECT min(oid::regproc::text) FROM pg_proc WHERE oid = to_regproc($2)) AS function`,
      [events.table, appendFunctions(this.names).many],
    );
    if (found?.table == null) throw new MissingTablesError(`There is no table ${events.table}`);
    this.needsIsolation = found.isolation !== 'read committed';
    const [row] = await this.query<{ sequence: string | null; cache: number; standby: boolean }>(
      runner,
      `SELECT s.sequence, pg_is_in_recovery() AS standby, (SELECT seqcache::int FROM pg_sequence WHERE seqrelid = s.sequence::regclass) AS cache
        FROM pg_get_serial_sequence($1, $2) AS s(sequence)`,
      [events.table, events.position.slice(1, -1)],
    );
    if (row?.sequence == null) throw new MissingTablesError(`The positions of ${events.table} come from no sequence`);
    if (row.standby)
      throw new InvalidArgumentError(
        'This server is a hot standby, which does not tell of the transactions under way on its primary: what is read from it may have gaps. Connect to the primary.',
      );
    if (row.cache !== 1)
      throw new InvalidArgumentError(
        `The sequence ${row.sequence} hands out ${row.cache} positions at a time, which breaks their order. ALTER SEQUENCE ${row.sequence} CACHE 1.`,
      );
    this.sequence = row.sequence;
    if (found.function === null) await this.createFunction(runner);
  }

  async commit(runner: QueryRunner, groups: readonly StagedGroup[], mode: LockMode): Promise<Appended> {
    if (!this.needsIsolation) return this.call(runner, groups, mode);
    await this.begin(runner);
    try {
      const appended = await this.call(runner, groups, mode);
      await this.end(runner, 'COMMIT');
      return appended;
    } catch (error) {
      await this.end(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async append(runner: QueryRunner, groups: readonly StagedGroup[], mode: LockMode): Promise<Appended> {
    if (groups.some((group) => group.some(({ guard }) => 'condition' in guard))) await this.checkIsolation(runner);
    try {
      return await this.call(runner, groups, mode);
    } catch (error) {
      if (codeOf(error) !== '53200') throw error;
      throw new UnfitTransactionError(
        'This transaction holds more locks than the server has room for. Store its events in fewer appends, as es.transaction does, or raise max_locks_per_transaction.',
        { cause: error },
      );
    }
  }

  /** After an error, PostgreSQL takes COMMIT for ROLLBACK and says nothing. */
  async checkTransaction(runner: QueryRunner): Promise<void> {
    try {
      await this.query(runner, 'SELECT 1');
    } catch (error) {
      if (codeOf(error) !== '25P02') throw error;
      throw new UnfitTransactionError(
        'An earlier error has ended this transaction: PostgreSQL stores nothing of it. Do not catch errors of queries in a transaction, or run such a query in a savepoint: manager.transaction(…).',
        { cause: error },
      );
    }
  }

  async begin(runner: QueryRunner, longestIdleMs?: number): Promise<void> {
    await this.query(runner, beginning(longestIdleMs));
  }

  /** In one round trip, where the values can be part of the text. */
  async beginWith(runner: QueryRunner, change: Statement, longestIdleMs: number): Promise<boolean> {
    const sql = `${beginning(longestIdleMs)}; ${withLiterals(change)}`;
    try {
      const results = [await this.execute(runner, { sql, parameters: [], isFrequent: false })].flat();
      if (changedBy(results.at(-1) as Result) > 0) return true;
    } catch (error) {
      await this.end(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
    await this.end(runner, 'ROLLBACK');
    return false;
  }

  async run(runner: QueryRunner, statement: Statement): Promise<Answer> {
    const result = await this.execute(runner, statement);
    return { rows: result.rows as Answer['rows'], changed: changedBy(result) };
  }

  async end(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    if (how === 'ROLLBACK') this.messages.held(runner);
    await this.execute(runner, plain(how));
  }

  async selectStreams(runner: QueryRunner, selections: readonly StreamSelection[]): Promise<EventRow[][]> {
    const { events: e } = this.names;
    const rows = await this.rows<EventRow & { n: number }>(runner, {
      sql: `SELECT q.n::int AS n, ${eventColumns(this.names)}
        FROM unnest($1::text[], $2::int[], $3::int[]) WITH ORDINALITY AS q(stream, after, size, n)
        CROSS JOIN LATERAL (
          SELECT * FROM ${e.table} x WHERE x.${e.stream} = q.stream AND x.${e.version} > q.after ORDER BY x.${e.version} LIMIT q.size
        ) e ORDER BY q.n, e.${e.version}`,
      parameters: [
        selections.map(({ stream }) => stream),
        selections.map(({ afterVersion = 0 }) => afterVersion),
        selections.map(({ limit }) => limit),
      ],
      isFrequent: true,
    });
    const streams = selections.map((): EventRow[] => []);
    for (const row of rows) streams[row.n - 1]?.push(textual(row));
    return streams;
  }

  async select(runner: QueryRunner, selection: Selection): Promise<EventRow[]> {
    const statement = this.byTypes.statement(selection) ?? selectEvents(this.names, dollar, selection);
    const rows = await this.rows<EventRow>(runner, statement);
    for (const row of rows) textual(row);
    return rows;
  }

  async addTags(runner: QueryRunner, additions: readonly TagAddition[]): Promise<void> {
    const { events: e, tags: t } = this.names;
    await this.begin(runner);
    try {
      const rows = await this.query<{ position: string; tags: string | null }>(
        runner,
        `SELECT e.${e.position}::text AS position, e.${e.tags} AS tags FROM ${e.table} AS e
        WHERE e.${e.position} = ANY ($1::bigint[]) ORDER BY e.${e.position} FOR NO KEY UPDATE`,
        [additions.map(({ position }) => position)],
      );
      const changed = changedTags(additions, new Map(rows.map(({ position, tags }) => [position, tags])));
      const tags = changed.flatMap(({ position, type, added }) => added.map((tag) => ({ tag, position, type })));
      await this.query(
        runner,
        `INSERT INTO ${t.table} (${t.tag}, ${t.position}, ${t.type})
        SELECT u.tag, u.position, u.type FROM unnest($1::text[], $2::bigint[], $3::text[]) AS u(tag, position, type)
        ON CONFLICT DO NOTHING`,
        [tags.map(({ tag }) => tag), tags.map(({ position }) => position), tags.map(({ type }) => type)],
      );
      await this.query(
        runner,
        `UPDATE ${e.table} AS e SET ${e.tags} = u.tags FROM unnest($1::bigint[], $2::text[]) AS u(position, tags)
        WHERE e.${e.position} = u.position`,
        [changed.map(({ position }) => position), changed.map(({ text }) => text)],
      );
      await this.end(runner, 'COMMIT');
    } catch (error) {
      await this.end(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async horizon(runner: QueryRunner, criteria?: readonly Criterion[]): Promise<Horizon> {
    const { table, position } = this.names.events;
    const keys = writersKeys(criteria);
    const marker = keys === undefined ? leastMarker : leastMarkerOf;
    const [row] = await this.rows<{ newest: string | null; marker: string | null }>(runner, {
      sql: `SELECT (SELECT max(e.${position}) FROM ${table} e)::text AS newest, (${marker})::text AS marker`,
      parameters: keys === undefined ? [table] : [table, keys],
      isFrequent: true,
    });
    const { newest = null, marker: least = null } = row ?? {};
    const isHeldBack = least !== null && newest !== null && Number(least) < Number(newest);
    const last = isHeldBack ? least : newest;
    return { position: last === null || last === '0' ? undefined : (last as Position), isHeldBack };
  }

  async lag(runner: QueryRunner): Promise<ReaderLag[]> {
    const { table, position } = this.names.events;
    const rows = await this.query<Parameters<typeof readerLagOf>[0]>(
      runner,
      `SELECT m.marker::text AS marker, m.pid, coalesce(a.application_name, p.gid) AS application,
        coalesce(a.state, CASE WHEN p.gid IS NOT NULL THEN 'prepared' END) AS state, coalesce(a.xact_start, p.prepared, now()) AS since,
        coalesce(round(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared)) * 1000), 0)::float8 AS for_ms, a.query
      FROM (SELECT l.virtualtransaction, l.pid, min(${markerOf}) AS marker FROM ${markers} GROUP BY 1, 2) m
      LEFT JOIN pg_stat_activity a ON a.pid = m.pid
      LEFT JOIN pg_locks x ON m.pid IS NULL AND x.virtualtransaction = m.virtualtransaction AND x.locktype = 'transactionid'
      LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
      WHERE m.marker < (SELECT max(e.${position}) FROM ${table} e) ORDER BY m.marker`,
      [table],
    );
    return rows.map(readerLagOf);
  }

  isTransient(error: unknown): boolean {
    // A unique violation is tried again under the locks, where it turns out what is stored already.
    return ['40001', '40P01', '55P03', '23505'].includes(codeOf(error));
  }

  isConnectionLoss(error: unknown): boolean {
    const code = codeOf(error);
    return (
      code.startsWith('08') ||
      ['57P01', '57P02', '57P03', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(code) ||
      (code === '' &&
        error instanceof Error &&
        /connection (terminated|ended|error)|not queryable|client was closed/i.test(error.message))
    );
  }

  private async createFunction(runner: QueryRunner): Promise<void> {
    try {
      for (const sql of createAppendFunctions(this.names, this.sequence)) await this.query(runner, sql);
    } catch (error) {
      // Another process made it at the same time.
      if (['23505', 'XX000'].includes(codeOf(error))) return;
      throw new MissingTablesError(`The function ${appendFunctions(this.names).many} is not there and cannot be made`, {
        cause: error,
      });
    }
  }

  /** A transaction that sees only what was there when it began cannot tell whether a boundary has changed since. */
  private async checkIsolation(runner: QueryRunner): Promise<void> {
    const [row] = await this.query<{ level: string }>(runner, `SELECT current_setting('transaction_isolation') AS level`);
    if (row !== undefined && !row.level.startsWith('read')) {
      throw new UnfitTransactionError(
        `An append that is guarded by a boundary was made in a transaction at ${row.level.toUpperCase()}, which cannot see whether the boundary has changed. Use READ COMMITTED.`,
      );
    }
  }

  private async call(runner: QueryRunner, groups: readonly StagedGroup[], mode: LockMode): Promise<Appended> {
    const call: AppendCall<object> = appendCall(groups, mode);
    const rows = await this.rows(runner, { sql: this.appendSql[call.kind], parameters: call.parameters, isFrequent: true });
    return call.appended(rows[0] as object);
  }

  private async beginWithAppend(runner: QueryRunner, groups: readonly StagedGroup[], mode: LockMode): Promise<Appended> {
    const call: AppendCall<object> = appendCall(groups, mode);
    const append = { sql: this.appendSql[call.kind], parameters: call.parameters, isFrequent: true };
    this.messages.hold(runner, [plain(beginning())]);
    const { rows } = await this.execute(runner, append);
    return call.appended(rows[0] as object);
  }

  private async rows<Row extends object>(runner: QueryRunner, statement: Statement): Promise<Row[]> {
    return (await this.execute(runner, statement)).rows as Row[];
  }

  /** With what is held: in one message, and the last one's result. */
  private execute(runner: QueryRunner, statement: Statement): Promise<Result> {
    const { sql, parameters, isFrequent } = statement;
    const held = this.messages.held(runner);
    if (held.length > 0) return this.sendTogether(runner, [...held, statement]);
    return this.send(runner, sql, parameters, isFrequent && this.mayPrepare ? nameOf(sql) : undefined);
  }

  private async query<Row extends object>(runner: QueryRunner, text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.send(runner, text, values)).rows as Row[];
  }

  private async sendTogether(runner: QueryRunner, statements: readonly Statement[]): Promise<Result> {
    const connection = (await runner.connect()) as PostgresConnection;
    const sql = statements.map((statement) => statement.sql).join('; ');
    const parameters = statements.flatMap((statement) => statement.parameters);
    const query = () => this.messages.send(connection, statements);
    return QueryLog.of(runner)?.run(sql, parameters, query) ?? query();
  }

  private async send(runner: QueryRunner, text: string, values: readonly unknown[], name?: string): Promise<Result> {
    const connection = (await runner.connect()) as PostgresConnection;
    const query = () =>
      this.isServer && name !== undefined ? connection.query({ text, values, name }) : connection.query(text, values);
    return QueryLog.of(runner)?.run(text, values, query) ?? query();
  }
}

/** Advisory locks are shown with the high and the low half of their key. Locks of this session keep nothing back from it. */
const markerOf = '((l.classid::bigint & 65535) << 32) | l.objid::bigint';
const heldInNamespace = `pg_locks l
  WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.pid IS DISTINCT FROM pg_backend_pid()
    AND l.classid::bigint >> 16 = $1::text::regclass::oid::bigint & 32767
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())`;
/** The namespace of a key is too small to be ours alone, so its holder must have the lock that every append has. */
const markers = `${heldInNamespace} AND EXISTS (
    SELECT FROM pg_locks k WHERE k.locktype = 'advisory' AND k.objsubid = 2 AND k.database = l.database
      AND k.classid = $1::text::regclass::oid AND k.objid = 0 AND k.virtualtransaction = l.virtualtransaction)`;
const leastMarker = `SELECT min(${markerOf}) FROM ${markers}`;

/**
 * Only of transactions that hold a lock without which nobody stores what matches, or the one of everything. A lock is
 * taken before the marker and let go of with it, so it does not matter that the list is read twice.
 */
const leastMarkerOf = `SELECT min(${markerOf}) FROM ${heldInNamespace} AND EXISTS (
    SELECT FROM pg_locks k WHERE k.locktype = 'advisory' AND k.objsubid = 2 AND k.granted AND k.database = l.database
      AND k.classid = $1::text::regclass::oid AND k.virtualtransaction = l.virtualtransaction
      AND (k.objid = 0 AND k.mode = 'ExclusiveLock'
        OR k.objid::bigint IN (SELECT hashtext(u)::bigint & 4294967295 FROM unnest($2::text[]) AS u)))`;

/** Positions are texts, whatever the parser of the connection makes of a bigint. */
function textual(row: EventRow): EventRow {
  if (typeof row.position !== 'string') row.position = String(row.position);
  return row;
}

/** Says whether a DataSource of PostgreSQL talks to a server: a driver that has no clients runs it in this process. */
export function isServer(dataSource: DataSource): boolean {
  const { driver } = dataSource.options as { driver?: { readonly Client?: unknown } };
  return driver === undefined || typeof driver.Client === 'function';
}

function beginning(longestIdleMs?: number): string {
  const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED';
  if (longestIdleMs === undefined) return begin;
  return `${begin}; SET LOCAL idle_in_transaction_session_timeout = ${Math.ceil(longestIdleMs)}`;
}

function plain(sql: string): Statement {
  return { sql, parameters: [], isFrequent: false };
}

function changedBy({ rowCount, affectedRows }: Result): number {
  return rowCount ?? affectedRows ?? 0;
}

function placeholders(count: number): string {
  return Array.from({ length: count }, (_, index) => `$${index + 1}`).join(', ');
}

function dollar(index: number): string {
  return `$${index}`;
}

function nameOf(sql: string): string {
  let name = statementNames.get(sql);
  if (name === undefined) {
    name = `eventfold_${statementNames.size + 1}`;
    statementNames.set(sql, name);
  }
  return name;
}
