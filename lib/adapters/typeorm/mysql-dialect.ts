import type { QueryRunner } from 'typeorm';
import type { Position } from '../../events/recorded-event';
import { changedTags } from './changed-tags';
import { decide } from './decide';
import type { Appended, Dialect, LockMode, TagAddition } from './dialect';
import { type Selection, type Statement, selectEvents, selectNewest } from './select-events';
import type { StagedAppend, StagedGroup } from './staged-append';
import { type EventRow, longestKey, type TableNames } from './tables';
import { MissingTablesError } from './typeorm-errors';
import type { Horizon } from './wake-ups';

/** A connection of `mysql2`. */
interface MySqlConnection {
  query(sql: string, parameters: readonly unknown[], done: (error: unknown, rows: unknown) => void): void;
}

type Row = Record<string, unknown>;

/** MySQL and MariaDB: every append takes its positions under one lock, which ends with its transaction. */
export class MySqlDialect implements Dialect {
  readonly longestKey = longestKey;
  readonly appendsAtOnce = false;
  readonly sharesConnection = false;

  constructor(private readonly names: TableNames) {}

  async prepare(runner: QueryRunner): Promise<void> {
    const { locks, events } = this.names;
    try {
      // Looked for first, as making it waits for appends under way.
      const [found] = await this.run(runner, `SELECT ${locks.id} FROM ${locks.table} WHERE ${locks.id} = 1`);
      if (found === undefined) await this.run(runner, `INSERT IGNORE INTO ${locks.table} (${locks.id}) VALUES (1)`);
    } catch (error) {
      if (codeOf(error) !== 'ER_NO_SUCH_TABLE') throw error;
      throw new MissingTablesError(`There is no table ${events.table}`, { cause: error });
    }
  }

  async commit(runner: QueryRunner, groups: readonly StagedGroup[], mode: LockMode): Promise<Appended> {
    await this.begin(runner);
    try {
      const appended = await this.append(runner, groups, mode);
      await this.end(runner, 'COMMIT');
      return appended;
    } catch (error) {
      await this.end(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async append(runner: QueryRunner, groups: readonly StagedGroup[], _mode: LockMode): Promise<Appended> {
    const { locks } = this.names;
    await this.run(runner, `SELECT ${locks.id} FROM ${locks.table} WHERE ${locks.id} = 1 FOR UPDATE`);
    const newest = await this.newest(runner);
    const [versions, ids] = await this.versionsAndIds(runner, groups);
    const outcomes = decide(groups, { versions, ids, conflicts: await this.conflictsOf(runner, groups), newest });
    const { events: e, tags: t } = this.names;
    const events: unknown[][] = [];
    const tags: unknown[][] = [];
    for (const [index, group] of groups.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind !== 'stored') continue;
      let event = 0;
      for (const [append, { stream, events: staged }] of group.entries()) {
        let version = outcome.bases[append] as number;
        for (const { id, type, schemaVersion, time, tags: texts, metadataText, dataText } of staged) {
          version += 1;
          const position = Number(outcome.positions[event]);
          event += 1;
          const tagsText = texts.length === 0 ? null : JSON.stringify(texts);
          events.push([
            position,
            bytes(stream),
            version,
            bytes(id),
            bytes(type),
            schemaVersion,
            time,
            tagsText,
            metadataText,
            dataText,
          ]);
          for (const tag of texts) tags.push([bytes(tag), position, bytes(type)]);
        }
      }
    }
    const eventColumns = [e.position, e.stream, e.version, e.id, e.type, e.schema_version, e.time, e.tags, e.metadata, e.data];
    await this.insert(runner, e.table, eventColumns, events);
    await this.insert(runner, t.table, [t.tag, t.position, t.type], tags);
    return { outcomes, previous: newest === 0 ? undefined : String(newest) };
  }

  async begin(runner: QueryRunner): Promise<void> {
    await this.run(runner, 'START TRANSACTION');
  }

  async end(runner: QueryRunner, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    await this.run(runner, how);
  }

  async select(runner: QueryRunner, selection: Selection): Promise<EventRow[]> {
    const { sql, parameters } = selectEvents(this.names, question, selection);
    const rows = await this.run(runner, sql, parameters.map(keyBytes));
    return rows.map(decoded);
  }

  async addTags(runner: QueryRunner, additions: readonly TagAddition[]): Promise<void> {
    const { events: e, tags: t, locks } = this.names;
    const positions = additions.map(({ position }) => Number(position));
    await this.begin(runner);
    try {
      // As appends do, or each would wait for what the other holds.
      await this.run(runner, `SELECT ${locks.id} FROM ${locks.table} WHERE ${locks.id} = 1 FOR UPDATE`);
      const rows = await this.run(
        runner,
        `SELECT ${e.position} AS position, ${e.tags} AS tags FROM ${e.table} WHERE ${e.position} IN (?) FOR UPDATE`,
        [positions],
      );
      const stored = new Map(rows.map((row) => [String(row['position']), row['tags'] as string | null]));
      const changed = changedTags(additions, stored);
      const tags = changed.flatMap(({ position, type, added }) =>
        added.map((tag) => [bytes(tag), Number(position), bytes(type)]),
      );
      if (tags.length > 0)
        await this.run(runner, `INSERT IGNORE INTO ${t.table} (${t.tag}, ${t.position}, ${t.type}) VALUES ?`, [tags]);
      for (const { position, text: tagsText } of changed)
        await this.run(runner, `UPDATE ${e.table} SET ${e.tags} = ? WHERE ${e.position} = ?`, [tagsText, Number(position)]);
      await this.end(runner, 'COMMIT');
    } catch (error) {
      await this.end(runner, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async horizon(runner: QueryRunner): Promise<Horizon> {
    const { table, position } = this.names.events;
    const [row] = await this.run(runner, `SELECT MAX(${position}) AS position FROM ${table}`);
    const newest = row?.position;
    return { position: newest == null ? undefined : (String(newest) as Position), isHeldBack: false };
  }

  isTransient(error: unknown): boolean {
    return ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD'].includes(codeOf(error));
  }

  isConnectionLoss(error: unknown): boolean {
    return ['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ER_SERVER_SHUTDOWN'].includes(codeOf(error));
  }

  /** Read with a lock, which sees what is committed also where the transaction began earlier. */
  private async newest(runner: QueryRunner): Promise<number> {
    const { table, position } = this.names.events;
    const [row] = await this.run(
      runner,
      `SELECT ${position} AS position FROM ${table} ORDER BY ${position} DESC LIMIT 1 LOCK IN SHARE MODE`,
    );
    return Number(row?.position ?? 0);
  }

  private async versionsAndIds(runner: QueryRunner, groups: readonly StagedGroup[]): Promise<[Map<string, number>, Set<string>]> {
    const { table, stream, version, id } = this.names.events;
    const streams = [...new Set(groups.flatMap((group) => group.map((append) => append.stream)))];
    const newIds = groups.flatMap((group) => group.flatMap(({ events }) => events.map((event) => event.id)));
    const versions = await this.run(
      runner,
      `SELECT ${stream} AS stream, MAX(${version}) AS version FROM ${table} WHERE ${stream} IN (?) GROUP BY ${stream} LOCK IN SHARE MODE`,
      [streams.map(bytes)],
    );
    const ids = await this.run(runner, `SELECT ${id} AS id FROM ${table} WHERE ${id} IN (?) LOCK IN SHARE MODE`, [
      newIds.map(bytes),
    ]);
    return [
      new Map(versions.map((row) => [text(row['stream']), Number(row['version'])])),
      new Set(ids.map((row) => text(row['id']))),
    ];
  }

  private async conflictsOf(runner: QueryRunner, groups: readonly StagedGroup[]): Promise<Map<StagedAppend, string>> {
    const conflicts = new Map<StagedAppend, string>();
    for (const append of groups.flat()) {
      if (!('condition' in append.guard)) continue;
      const { criteria, after } = append.guard.condition;
      const { sql, parameters }: Statement = selectNewest(this.names, question, criteria, after, 'LOCK IN SHARE MODE');
      const [row] = await this.run(runner, sql, parameters.map(keyBytes));
      if (row?.position != null) conflicts.set(append, String(row['position']));
    }
    return conflicts;
  }

  private async insert(runner: QueryRunner, table: string, columns: readonly string[], rows: unknown[][]): Promise<void> {
    if (rows.length > 0) await this.run(runner, `INSERT INTO ${table} (${columns.join(', ')}) VALUES ?`, [rows]);
  }

  private async run(runner: QueryRunner, sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const connection = (await runner.connect()) as MySqlConnection;
    const { logger, options } = runner.manager.connection;
    if (options.logging) logger.logQuery(sql, [...parameters], runner);
    return new Promise((resolve, reject) => {
      connection.query(sql, parameters, (error, rows) => (error ? reject(error) : resolve(rows as Row[])));
    });
  }
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

function question(): string {
  return '?';
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
