import type { Position } from '../../../events/recorded-event';
import type { Changes, GenerationId, GenerationRecord, Role, StateKind } from '../../../store/projection-store';
import type { Statement } from '../select-events';
import type { TableNames } from '../tables';
import { type SqlWords, Values } from './sql-words';

/** Which records are meant. */
export interface RecordFilter {
  readonly projection?: string | undefined;
  readonly generation?: number;
  readonly token?: number;
  readonly owner?: string;
  /** Whose lease nobody but this one has. */
  readonly freeFor?: string;
  readonly checkpoint?: Position | undefined;
}

/** What a record gets. What is not given stays. */
export interface RecordChange {
  readonly role?: string;
  readonly checkpoint?: Position | undefined;
  readonly owner?: string | undefined;
  /** From now on; undefined ends the lease. */
  readonly leaseMs?: number | undefined;
  readonly isPaused?: boolean;
  readonly failure?: string | undefined;
  readonly eventsPerSecond?: number;
  /** Whether it gets another token. */
  readonly hasNewToken?: boolean;
}

/** The SQL on the records of generations. */
export class RecordStatements {
  constructor(
    private readonly words: SqlWords,
    private readonly names: TableNames['projections'],
  ) {}

  select(filter: RecordFilter, locking = ''): Statement {
    const { table, projection, generation } = this.names;
    const values = new Values(this.words);
    const where = this.where(filter, values);
    const sql = `SELECT ${this.columns} FROM ${table} ${where} ORDER BY ${projection}, ${generation} ${locking}`;
    return { sql, parameters: values.list, isFrequent: true };
  }

  insert({ projection, generation, role }: GenerationId & { readonly role: Role }, version: number, kind: StateKind): Statement {
    const n = this.names;
    const values = new Values(this.words);
    const row = [values.key(projection), values.bind(generation), values.bind(version), values.bind(kind), values.bind(role)];
    const columns = [n.projection, n.generation, n.version, n.kind, n.role, n.token, n.is_paused, n.events_per_second];
    const sql = `INSERT INTO ${n.table} (${columns.join(', ')}) VALUES (${row.join(', ')}, 1, 0, 0)`;
    return { sql, parameters: values.list, isFrequent: false };
  }

  update(filter: RecordFilter, change: RecordChange): Statement {
    const values = new Values(this.words);
    const set = this.assignments(change, values);
    const sql = `UPDATE ${this.names.table} SET ${set.join(', ')} ${this.where(filter, values)}`;
    return { sql, parameters: values.list, isFrequent: true };
  }

  /** Moves on a generation as far as its fence still holds. */
  fence({ projection, generation, token }: GenerationRecord, changes: Changes): Statement {
    const filter = { projection, generation, token, checkpoint: changes.from };
    return this.update(filter, {
      checkpoint: changes.to,
      ...('leaseMs' in changes && changes.leaseMs !== undefined && { leaseMs: changes.leaseMs }),
      ...(changes.eventsPerSecond !== undefined && { eventsPerSecond: changes.eventsPerSecond }),
      hasNewToken: changes.isForeign === true,
    });
  }

  /** Moves on all those of some generations that are at `previous`. */
  advance(generations: readonly GenerationRecord[], previous: Position | undefined, to: Position): Statement {
    const n = this.names;
    const values = new Values(this.words);
    const set = `${n.checkpoint} = ${values.bind(Number(to))}`;
    const rows = generations.map(({ projection, generation, token }) => {
      return `${n.projection} = ${values.key(projection)} AND ${n.generation} = ${values.bind(generation)} AND ${n.token} = ${values.bind(token)}`;
    });
    const at = this.words.isSame(n.checkpoint, values.typed(numeric(previous), 'bigint'));
    const sql = `UPDATE ${n.table} SET ${set} WHERE ${anyOf(rows)} AND ${at}`;
    return { sql, parameters: values.list, isFrequent: generations.length < 20 };
  }

  /** Selects what serves in place of some generations, where that is not at a position. */
  elsewhere(generations: readonly GenerationRecord[], position: Position): Statement {
    const n = this.names;
    const values = new Values(this.words);
    const names = generations.map(({ projection }) => values.key(projection));
    const serves = ['serving', 'falling'].map((role) => values.bind(role));
    const of = `${n.projection} IN (${names.join(', ')}) AND ${n.role} IN (${serves.join(', ')})`;
    const isThere = this.words.isSame(n.checkpoint, values.typed(numeric(position), 'bigint'));
    const sql = `SELECT ${this.columns} FROM ${n.table} WHERE ${of} AND NOT (${isThere}) ${this.words.forUpdate}`;
    return { sql, parameters: values.list, isFrequent: false };
  }

  delete({ projection, generation }: GenerationId): Statement {
    const values = new Values(this.words);
    const sql = `DELETE FROM ${this.names.table} ${this.where({ projection, generation }, values)}`;
    return { sql, parameters: values.list, isFrequent: false };
  }

  private get columns(): string {
    const n = this.names;
    const quote = this.words.dialect === 'mysql' ? '`' : '"';
    const as = (sql: string, name: string) => `${sql} AS ${quote}${name}${quote}`;
    return [
      as(n.projection, 'projection'),
      as(n.generation, 'generation'),
      as(n.version, 'version'),
      as(n.kind, 'kind'),
      as(n.role, 'role'),
      as(n.checkpoint, 'checkpoint'),
      as(n.token, 'token'),
      as(`CASE WHEN ${n.lease_until} > ${this.words.now} THEN ${n.owner} END`, 'owner'),
      as(n.owner, 'holder'),
      as(n.is_paused, 'isPaused'),
      as(n.failure, 'failure'),
      as(n.events_per_second, 'eventsPerSecond'),
    ].join(', ');
  }

  private where(filter: RecordFilter, values: Values): string {
    const n = this.names;
    const { projection, generation, token, owner, freeFor } = filter;
    const all: string[] = [];
    if (projection !== undefined) all.push(`${n.projection} = ${values.key(projection)}`);
    if (generation !== undefined) all.push(`${n.generation} = ${values.bind(generation)}`);
    if (token !== undefined) all.push(`${n.token} = ${values.bind(token)}`);
    if (owner !== undefined) all.push(`${n.owner} = ${values.key(owner)}`);
    if (freeFor !== undefined)
      all.push(`(${n.owner} IS NULL OR ${n.owner} = ${values.key(freeFor)} OR ${n.lease_until} <= ${this.words.now})`);
    if ('checkpoint' in filter) all.push(this.words.isSame(n.checkpoint, values.typed(numeric(filter.checkpoint), 'bigint')));
    return all.length === 0 ? '' : `WHERE ${all.join(' AND ')}`;
  }

  private assignments(change: RecordChange, values: Values): string[] {
    const n = this.names;
    const set: string[] = [];
    if (change.role !== undefined) set.push(`${n.role} = ${values.bind(change.role)}`);
    if ('checkpoint' in change) set.push(`${n.checkpoint} = ${values.typed(numeric(change.checkpoint), 'bigint')}`);
    if ('owner' in change) set.push(`${n.owner} = ${change.owner === undefined ? 'NULL' : values.key(change.owner)}`);
    if ('leaseMs' in change)
      set.push(
        `${n.lease_until} = ${change.leaseMs === undefined ? 'NULL' : `${this.words.now} + ${values.bind(Math.round(change.leaseMs))}`}`,
      );
    if (change.isPaused !== undefined) set.push(`${n.is_paused} = ${values.bind(change.isPaused ? 1 : 0)}`);
    if ('failure' in change) set.push(`${n.failure} = ${values.bind(change.failure)}`);
    if (change.eventsPerSecond !== undefined) set.push(`${n.events_per_second} = ${values.bind(change.eventsPerSecond)}`);
    if (change.hasNewToken) set.push(`${n.token} = ${n.token} + 1`);
    return set;
  }
}

export function numeric(position: Position | undefined): number | null {
  return position === undefined ? null : Number(position);
}

function anyOf(conditions: readonly string[]): string {
  return `(${conditions.map((condition) => `(${condition})`).join(' OR ')})`;
}
