import type { DataSource, QueryRunner } from 'typeorm';
import type { Position, RecordedEvent } from '../../events/recorded-event';
import {
  type AddedTags,
  keyOf,
  type PositionRange,
  type TagCoverage,
  type TagSource,
  type TagSources,
} from '../../store/tag-sources';
import type { Connections } from './connections';
import { retried } from './deadlocks';
import type { Dialect } from './dialect';
import { eventOf } from './recorded-row';
import { addTags } from './retagging';
import { type DialectName, dialectNameOf, type TableNames } from './tables';

const pageSize = 500;

/** Keeps in a table which tags the events carry. */
export class TypeOrmTagSources implements TagSources {
  private readonly dialectName: DialectName;

  constructor(
    dataSource: DataSource,
    private readonly connections: Connections,
    private readonly dialect: Dialect,
    private readonly names: TableNames,
  ) {
    this.dialectName = dialectNameOf(dataSource.options.type);
  }

  async recorded(): Promise<readonly TagCoverage[]> {
    const { table, type, property, position } = this.names.tagSources;
    const rows = await this.connections.use((runner) =>
      this.run(runner, `SELECT ${type} AS type, ${property} AS property, ${position} AS position FROM ${table}`, []),
    );
    return rows.map((row) => ({
      type: textOf(row['type']),
      property: textOf(row['property']),
      upTo: Number(row['position']) === 0 ? undefined : (String(row['position']) as Position),
    }));
  }

  async record(coverages: readonly TagCoverage[]): Promise<void> {
    const sql = this.recordStatement();
    // In one order, or two that record at the same time would wait for each other.
    const ordered = [...coverages].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    await this.write(async (runner) => {
      for (const { type, property, upTo } of ordered) await this.run(runner, sql, [type, property, Number(upTo ?? 0)]);
    });
  }

  async forget(source: TagSource): Promise<void> {
    const { table, type, property } = this.names.tagSources;
    const sql = `DELETE FROM ${table} WHERE ${type} = ${this.placeholder(1)} AND ${property} = ${this.placeholder(2)}`;
    await this.write((runner) => this.run(runner, sql, [source.type, source.property]));
  }

  async *lacking(type: string, tagName: string, { after, ...range }: PositionRange): AsyncGenerator<RecordedEvent, void> {
    const selection = { criteria: [{ types: [type] }], withoutTag: tagName, ...range, limit: pageSize };
    for (let last: string | undefined = after; ; ) {
      const rows = await this.connections.use((runner) => this.dialect.select(runner, { ...selection, after: last }));
      yield* rows.map(eventOf);
      if (rows.length < pageSize) return;
      last = rows.at(-1)?.position;
    }
  }

  add(added: readonly AddedTags[]): Promise<void> {
    const additions = added.map(({ event: { position, type }, tags }) => ({ position, type, tags }));
    return addTags(this.connections, this.dialect, additions);
  }

  /** In a transaction of the dialect's, which waits for a busy file without stopping the process. */
  private async write(work: (runner: QueryRunner) => Promise<unknown>): Promise<void> {
    const { dialect, connections } = this;
    await retried(dialect, () =>
      connections.useAlone(async (runner) => {
        await dialect.begin(runner);
        try {
          await work(runner);
          await dialect.end(runner, 'COMMIT');
        } catch (error) {
          await dialect.end(runner, 'ROLLBACK').catch(() => undefined);
          throw error;
        }
      }),
    );
  }

  private recordStatement(): string {
    const { table, type, property, position } = this.names.tagSources;
    const values = [1, 2, 3].map((index) => this.placeholder(index)).join(', ');
    const insert = `INSERT INTO ${table} (${type}, ${property}, ${position}) VALUES (${values})`;
    const later = {
      postgres: `ON CONFLICT (${type}, ${property}) DO UPDATE SET ${position} = GREATEST(${table}.${position}, EXCLUDED.${position})`,
      sqlite: `ON CONFLICT (${type}, ${property}) DO UPDATE SET ${position} = MAX(${table}.${position}, excluded.${position})`,
      mysql: `ON DUPLICATE KEY UPDATE ${position} = GREATEST(${position}, VALUES(${position}))`,
    };
    return `${insert} ${later[this.dialectName]}`;
  }

  private placeholder(index: number): string {
    return this.dialectName === 'postgres' ? `$${index}` : '?';
  }

  private run(runner: QueryRunner, sql: string, parameters: readonly unknown[]): Promise<Record<string, unknown>[]> {
    const bound = parameters.map((value) => {
      return this.dialectName === 'mysql' && typeof value === 'string' ? Buffer.from(value) : value;
    });
    return runner.query(sql, bound) as Promise<Record<string, unknown>[]>;
  }
}

function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString() : String(value);
}
