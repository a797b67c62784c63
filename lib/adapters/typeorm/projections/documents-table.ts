import { isDeepStrictEqual } from 'node:util';
import type { QueryRunner } from 'typeorm';
import type { Changes, InstanceId, SavedInstance, StateDefinition } from '../../../store/projection-store';
import type { Dialect } from '../dialect';
import type { Statement } from '../select-events';
import type { TableNames } from '../tables';
import { parts } from './entity-statements';
import type { InstanceTable, Place } from './instance-table';
import { textOf } from './record-of';
import { type SqlWords, Values } from './sql-words';
import { idsOfText, storedKey, textOfIds } from './stored-key';

/** So many rows go into one statement of MySQL, and so many keys into a query. */
const rowsPerStatement = 500;

/** The instances of a projection as JSON texts: a row of one table for each. */
export class DocumentsTable implements InstanceTable {
  constructor(
    private readonly dialect: Dialect,
    private readonly words: SqlWords,
    private readonly names: TableNames,
    readonly definition: StateDefinition,
  ) {}

  async load(runner: QueryRunner, place: Place, ids: readonly InstanceId[]): Promise<Map<string, object>> {
    const byKey = new Map(ids.map((id) => [this.keyOf(id), id]));
    const found = new Map<string, object>();
    for (const keys of this.words.dialect === 'postgres' ? [[...byKey.keys()]] : parts([...byKey.keys()], rowsPerStatement)) {
      if (keys.length === 0) continue;
      const { rows } = await this.dialect.run(runner, this.selection(place, keys));
      for (const row of rows) {
        const id = byKey.get(textOf(row['key'])) as InstanceId;
        found.set(id.key, this.definition.decode(id, row['state'] as string));
      }
    }
    return found;
  }

  async page(runner: QueryRunner, place: Place, last: object | undefined, limit: number): Promise<object[]> {
    const { documents: d } = this.names;
    const values = new Values(this.words);
    const of = this.isOf(place, values);
    const after = last && ` AND ${d.key} > ${values.key(this.keyOf(this.definition.idOf(last)))}`;
    const sql = `SELECT ${this.columns} FROM ${d.table} WHERE ${of}${after ?? ''} ORDER BY ${d.key} LIMIT ${limit}`;
    const { rows } = await this.dialect.run(runner, { sql, parameters: values.list, isFrequent: true });
    return rows.map((row) => {
      const { key, values: ids = [] } = idsOfText(row['ids'] as string, textOf(row['key']));
      return this.definition.decode({ key, values: ids }, row['state'] as string);
    });
  }

  async save(runner: QueryRunner, place: Place, saved: readonly SavedInstance[]): Promise<void> {
    for (const statement of this.upserts(place, this.rowsOf(saved))) await this.dialect.run(runner, statement);
  }

  writes(place: Place, { saved, removed }: Pick<Changes, 'saved' | 'removed'>): readonly Statement[] {
    return [...this.deletions(place, removed), ...this.upserts(place, this.rowsOf(saved))];
  }

  isSame(one: object, other: object): boolean {
    return isDeepStrictEqual(one, other);
  }

  async remove(runner: QueryRunner, place: Place, ids: readonly InstanceId[]): Promise<void> {
    for (const statement of this.deletions(place, ids)) await this.dialect.run(runner, statement);
  }

  async create(runner: QueryRunner, place: Place): Promise<void> {
    await this.drop(runner, place);
  }

  async drop(runner: QueryRunner, place: Place): Promise<void> {
    const values = new Values(this.words);
    const sql = `DELETE FROM ${this.names.documents.table} WHERE ${this.isOf(place, values)}`;
    await this.dialect.run(runner, { sql, parameters: values.list, isFrequent: false });
  }

  /** It is a matter of the records only. */
  async promote(): Promise<void> {}

  async reopen(): Promise<void> {}

  private deletions(place: Place, ids: readonly InstanceId[]): Statement[] {
    return parts(ids, rowsPerStatement).map((some) => {
      const values = new Values(this.words);
      const keys = some.map((id) => this.keyOf(id));
      const sql = `DELETE FROM ${this.names.documents.table} WHERE ${this.isOf(place, values)} AND ${this.isAmong(keys, values)}`;
      return { sql, parameters: values.list, isFrequent: false };
    });
  }

  private rowsOf(saved: readonly SavedInstance[]): (readonly [key: string, ids: string, state: string])[] {
    return saved.map(({ id, state }) => {
      const key = this.keyOf(id);
      return [key, textOfIds(id.key, id.values, key), this.definition.encode(state)] as const;
    });
  }

  private keyOf({ key }: InstanceId): string {
    return storedKey(key, this.dialect.longestKey);
  }

  private get columns(): string {
    const { documents: d } = this.names;
    const quote = this.words.dialect === 'mysql' ? '`' : '"';
    return (['key', 'ids', 'state'] as const).map((name) => `${d[name]} AS ${quote}${name}${quote}`).join(', ');
  }

  private selection(place: Place, keys: readonly string[]): Statement {
    const values = new Values(this.words);
    const of = this.isOf(place, values);
    const sql = `SELECT ${this.columns} FROM ${this.names.documents.table} WHERE ${of} AND ${this.isAmong(keys, values)}`;
    return { sql, parameters: values.list, isFrequent: this.words.dialect === 'postgres' || keys.length === 1 };
  }

  private isOf({ projection, role, generation }: Place, values: Values): string {
    const { documents: d, projections: p } = this.names;
    const isProjection = `${d.projection} = ${values.key(projection)}`;
    if (generation !== undefined) return `${isProjection} AND ${d.generation} = ${values.bind(generation)}`;
    const record = `SELECT p.${p.generation} FROM ${p.table} p WHERE p.${p.projection} = ${values.key(projection)} AND p.${p.role} = ${values.bind(role)}`;
    return `${isProjection} AND ${d.generation} = (${record})`;
  }

  private isAmong(keys: readonly string[], values: Values): string {
    const { key } = this.names.documents;
    if (this.words.dialect === 'postgres') return `${key} = ANY (${values.bind([...keys])}::text[])`;
    return `${key} IN (${keys.map((each) => values.key(each)).join(', ')})`;
  }

  private upserts(place: Place, rows: readonly (readonly [key: string, ids: string, state: string])[]): readonly Statement[] {
    if (rows.length === 0) return [];
    const { documents: d } = this.names;
    const into = `INSERT INTO ${d.table} (${[d.projection, d.generation, d.key, d.ids, d.state].join(', ')})`;
    const { projection, generation } = place;
    if (this.words.dialect === 'postgres') {
      const sql = `${into} SELECT $1, $2, u.* FROM unnest($3::text[], $4::text[], $5::text[]) AS u ON CONFLICT (${d.projection}, ${d.generation}, ${d.key}) DO UPDATE SET ${d.state} = EXCLUDED.${d.state}`;
      const columns = [0, 1, 2].map((index) => rows.map((row) => row[index]));
      return [{ sql, parameters: [projection, generation, ...columns], isFrequent: true }];
    }
    if (this.words.dialect === 'sqlite') {
      const sql = `${into} VALUES (?, ?, ?, ?, ?) ON CONFLICT (${d.projection}, ${d.generation}, ${d.key}) DO UPDATE SET ${d.state} = excluded.${d.state}`;
      return rows.map((row) => ({ sql, parameters: [projection, generation, ...row], isFrequent: true }));
    }
    const sql = `${into} VALUES ? ON DUPLICATE KEY UPDATE ${d.state} = VALUES(${d.state})`;
    return parts(rows, rowsPerStatement).map((some) => {
      const listed = some.map(([key, ids, state]) => [this.words.key(projection), generation, this.words.key(key), ids, state]);
      return { sql, parameters: [listed], isFrequent: false };
    });
  }
}
