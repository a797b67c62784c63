import type { DataSource, QueryRunner } from 'typeorm';
import type { Position } from '../../events/recorded-event';
import type { Appended, Dialect, Lacking, LockMode } from './dialect';
import { isAboutEverything, type Lock, locksOf } from './locks-of';
import { appendFunction, createAppendFunction } from './postgres-functions';
import { type Selection, type Statement, selectEvents } from './select-events';
import type { Outcome, StagedAppend, StagedGroup } from './staged-append';
import type { EventRow, TableNames } from './tables';
import { MissingTablesError, UnfitTransactionError } from './typeorm-errors';
import type { Horizon } from './wake-ups';

/** A connection of `pg`, or of what stands in for it. */
interface PostgresConnection {
  query(config: { text: string; values: readonly unknown[]; name?: string }): Promise<{ rows: object[] }>;
  query(text: string, values?: readonly unknown[]): Promise<{ rows: object[] }>;
}

/** With more locks than this the whole store is locked instead: the server keeps a limited number. */
const manyLocks = 500;

/** Of the process, as stores share connections. */
const statementNames = new Map<string, string>();

/** PostgreSQL, as a server or in process. */
export class PostgresDialect implements Dialect {
  /** An index of PostgreSQL holds at most 2704 bytes in a row. */
  readonly longestKey = 1300;
  readonly sharesConnection: boolean;
  private readonly isServer: boolean;
  private sequence = '';
  private needsIsolation = false;

  constructor(
    dataSource: DataSource,
    private readonly names: TableNames,
    private readonly mayPrepare: boolean,
  ) {
    const { driver } = dataSource.options as { driver?: unknown };
    this.isServer = driver === undefined;
    this.sharesConnection = !this.isServer;
  }

  async prepare(runner: QueryRunner): Promise<void> {
    const { events } = this.names;
    const [found] = await this.run<{ table: string | null; isolation: string; function: string | null }>(
      runner,
      `SELECT to_regclass($1)::text AS table, current_setting('default_transaction_isolation') AS isolation,
        (SELECT min(oid::regproc::text) FROM pg_proc WHERE oid = to_regproc($2)) AS function`,
      [events.table, appendFunction(this.names)],
    );
    if (found?.table == null) throw new MissingTablesError(`There is no table ${events.table}`);
    this.needsIsolation = found.isolation !== 'read committed';
    const [row] = await this.run<{ sequence: string | null }>(runner, 'SELECT pg_get_serial_sequence($1, $2) AS sequence', [
      events.table,
      events.position.slice(1, -1),
    ]);
    if (row?.sequence == null) throw new MissingTablesError(`The positions of ${events.table} come from no sequence`);
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
    return this.call(runner, groups, mode);
  }

  async begin(runner: QueryRunner): Promise<void> {
    await this.run(runner, 'BEGIN ISOLATION LEVEL READ COMMITTED');
  }

  async end(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    await this.run(runner, how);
  }

  async select(runner: QueryRunner, selection: Selection): Promise<EventRow[]> {
    const rows = await this.execute<EventRow>(
      runner,
      selectEvents(this.names, (index) => `$${index}`, selection),
    );
    return this.isServer ? rows : rows.map((row) => ({ ...row, position: String(row.position) }));
  }

  async addTags(runner: QueryRunner, lacking: readonly Lacking[]): Promise<void> {
    const { events: e, tags: t } = this.names;
    const added = lacking.flatMap(({ row, added: texts }) => texts.map((tag) => ({ tag, row })));
    await this.run(
      runner,
      `WITH added AS (
        INSERT INTO ${t.table} (${t.tag}, ${t.position}, ${t.type})
        SELECT u.tag, u.position, u.type FROM unnest($1::text[], $2::bigint[], $3::text[]) AS u(tag, position, type)
        ON CONFLICT DO NOTHING
      )
      UPDATE ${e.table} AS e SET ${e.tags} = u.tags FROM unnest($4::bigint[], $5::text[]) AS u(position, tags)
      WHERE e.${e.position} = u.position`,
      [
        added.map(({ tag }) => tag),
        added.map(({ row }) => row.position),
        added.map(({ row }) => row.type),
        lacking.map(({ row }) => row.position),
        lacking.map(({ tags }) => JSON.stringify(tags)),
      ],
    );
  }

  async horizon(runner: QueryRunner): Promise<Horizon> {
    const { table, position } = this.names.events;
    const [row] = await this.execute<{ newest: string | null; marker: string | null }>(runner, {
      sql: `SELECT (SELECT max(e.${position}) FROM ${table} e)::text AS newest, (${leastMarker})::text AS marker`,
      parameters: [table],
      isFrequent: true,
    });
    const { newest = null, marker = null } = row ?? {};
    const isHeldBack = marker !== null && newest !== null && Number(marker) < Number(newest);
    const last = isHeldBack ? marker : newest;
    return { position: last === null || last === '0' ? undefined : (last as Position), isHeldBack };
  }

  isTransient(error: unknown): boolean {
    return ['40001', '40P01', '55P03'].includes(codeOf(error));
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
      await this.run(runner, createAppendFunction(this.names, this.sequence));
    } catch (error) {
      // Another process made it at the same time.
      if (['23505', 'XX000'].includes(codeOf(error))) return;
      throw new MissingTablesError(`The function ${appendFunction(this.names)} is not there and cannot be made`, {
        cause: error,
      });
    }
  }

  /** A transaction that sees only what was there when it began cannot tell whether a boundary has changed since. */
  private async checkIsolation(runner: QueryRunner): Promise<void> {
    const [row] = await this.run<{ level: string }>(runner, `SELECT current_setting('transaction_isolation') AS level`);
    if (row !== undefined && !row.level.startsWith('read')) {
      throw new UnfitTransactionError(
        `An append that is guarded by a boundary was made in a transaction at ${row.level.toUpperCase()}, which cannot see whether the boundary has changed. Use READ COMMITTED.`,
      );
    }
  }

  private async call(runner: QueryRunner, groups: readonly StagedGroup[], mode: LockMode): Promise<Appended> {
    const call = new AppendCall(groups, mode);
    const placeholders = call.parameters.map((_, index) => `$${index + 1}`).join(', ');
    const sql = `SELECT * FROM ${appendFunction(this.names)}(${placeholders})`;
    const rows = await this.execute<AppendedRow>(runner, { sql, parameters: call.parameters, isFrequent: true });
    return call.appended(rows[0] as AppendedRow);
  }

  private execute<Row extends object>(runner: QueryRunner, { sql, parameters, isFrequent }: Statement): Promise<Row[]> {
    return this.run(runner, sql, parameters, isFrequent && this.mayPrepare ? nameOf(sql) : undefined);
  }

  private async run<Row extends object>(
    runner: QueryRunner,
    text: string,
    values: readonly unknown[] = [],
    name?: string,
  ): Promise<Row[]> {
    const connection = (await runner.connect()) as PostgresConnection;
    const { logger } = runner.manager.connection;
    if (runner.manager.connection.options.logging) logger.logQuery(text, [...values], runner);
    const result = await (this.isServer && name !== undefined
      ? connection.query({ text, values, name })
      : connection.query(text, values));
    return result.rows as Row[];
  }
}

/** Advisory locks are shown with the high and the low half of their key. Locks of this session keep nothing back from it. */
const leastMarker = `SELECT min(((l.classid::bigint & 65535) << 32) | l.objid::bigint) FROM pg_locks l
  WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.pid IS DISTINCT FROM pg_backend_pid()
    AND l.classid::bigint >> 16 = $1::text::regclass::oid::bigint & 32767
    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())`;

interface AppendedRow {
  readonly bases: readonly number[];
  readonly positions: readonly string[] | null;
  readonly refusals: readonly string[];
  readonly previous: string | null;
}

/** The parameters of the function that appends, and what its answer means. */
class AppendCall {
  readonly parameters: readonly unknown[];
  private readonly appends: readonly { readonly group: number; readonly append: StagedAppend }[];

  constructor(
    private readonly groups: readonly StagedGroup[],
    mode: LockMode,
  ) {
    this.appends = groups.flatMap((group, index) => group.map((append) => ({ group: index + 1, append })));
    const locks = groups.flatMap((group, index) => locksOf(group).map((lock) => ({ group: index + 1, ...lock })));
    const isAlone = mode === 'alone' || locks.length > manyLocks || groups.some(isAboutEverything);
    this.parameters = [
      isAlone ? 'alone' : mode,
      ...lockParameters(isAlone ? [] : locks),
      ...this.appendParameters(),
      ...this.conditionParameters(),
      ...this.eventParameters(),
    ];
  }

  appended({ bases, positions, refusals, previous }: AppendedRow): Appended {
    const refused = new Map<number, Outcome>();
    for (const refusal of refusals) {
      const { group, outcome } = this.refusalIn(refusal);
      const before = refused.get(group);
      if (before === undefined || isNewer(outcome, before)) refused.set(group, outcome);
    }
    let append = 0;
    let event = 0;
    const outcomes = this.groups.map((group, index): Outcome => {
      const [firstAppend, firstEvent] = [append, event];
      append += group.length;
      for (const { events } of group) event += events.length;
      return (
        refused.get(index + 1) ?? {
          kind: 'stored',
          bases: bases.slice(firstAppend, append),
          positions: positions?.slice(firstEvent, event) ?? [],
        }
      );
    });
    return { outcomes, previous: previous ?? undefined };
  }

  private refusalIn(refusal: string): { group: number; outcome: Outcome } {
    const [group, append, kind, ...rest] = refusal.split(':');
    const value = rest.join(':');
    const refused = this.appends[Number(append) - 1]?.append as StagedAppend;
    const outcomes: Record<string, Outcome> = {
      busy: { kind: 'busy' },
      duplicate: { kind: 'duplicate', id: value },
      version: { kind: 'conflict', append: refused, actual: Number(value) },
      conflict: { kind: 'conflict', append: refused, actual: value },
    };
    return { group: Number(group), outcome: outcomes[kind as string] as Outcome };
  }

  private appendParameters(): unknown[] {
    const { appends } = this;
    const first = new Map<string, number>();
    for (const [index, { append }] of appends.entries()) if (!first.has(append.stream)) first.set(append.stream, index + 1);
    return [
      appends.map(({ group }) => group),
      appends.map(({ append }) => append.stream),
      appends.map(({ append }) => first.get(append.stream)),
      appends.map(({ append }) => expectedBy(append)),
      appends.map(({ append }) => append.events.length),
    ];
  }

  private conditionParameters(): unknown[] {
    const branches = this.appends.flatMap(({ append: { guard } }, index) => {
      if (!('condition' in guard)) return [];
      const { criteria, after = '0' } = guard.condition;
      return criteria.map((criterion) => ({ append: index + 1, after, ...criterion }));
    });
    if (branches.length === 0) return [null, null, null, null];
    return [
      branches.map(({ append }) => append),
      branches.map(({ after }) => after),
      branches.map(({ types }) => types && arrayText(types)),
      branches.map(({ tags = [] }) => arrayText(tags)),
    ];
  }

  private eventParameters(): unknown[] {
    const events = this.appends.flatMap(({ append }, index) =>
      append.events.map((event, number) => ({ append: index + 1, number: number + 1, stream: append.stream, event })),
    );
    const tags = events.flatMap(({ event }, index) => event.tags.map((tag) => ({ event: index + 1, tag, type: event.type })));
    return [
      events.map(({ append }) => append),
      events.map(({ number }) => number),
      events.map(({ stream }) => stream),
      events.map(({ event }) => event.id),
      events.map(({ event }) => event.type),
      events.map(({ event }) => event.schemaVersion),
      events.map(({ event }) => event.time),
      events.map(({ event }) => (event.tags.length === 0 ? null : JSON.stringify(event.tags))),
      events.map(({ event }) => event.metadataText),
      events.map(({ event }) => event.dataText),
      ...(tags.length === 0
        ? [null, null, null]
        : [tags.map(({ event }) => event), tags.map(({ tag }) => tag), tags.map(({ type }) => type)]),
    ];
  }
}

function lockParameters(locks: readonly (Lock & { readonly group: number })[]): unknown[] {
  return [locks.map(({ group }) => group), locks.map(({ key }) => key), locks.map(({ isExclusive }) => isExclusive)];
}

/** A text that PostgreSQL reads as an array of texts. */
function arrayText(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

function nameOf(sql: string): string {
  let name = statementNames.get(sql);
  if (name === undefined) {
    name = `eventfold_${statementNames.size + 1}`;
    statementNames.set(sql, name);
  }
  return name;
}

function expectedBy({ guard }: StagedAppend): number {
  if (!('version' in guard) || guard.version === 'any') return -1;
  if (guard.version === 'exists') return -2;
  return guard.version === 'none' ? 0 : guard.version;
}

function isNewer(outcome: Outcome, than: Outcome): boolean {
  if (outcome.kind !== 'conflict' || than.kind !== 'conflict' || outcome.append !== than.append) return false;
  return Number(outcome.actual) > Number(than.actual);
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
