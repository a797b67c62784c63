import type { RecordedEvent } from '../../../events/recorded-event';
import type { BlockedInstance, Changes, Failure, GenerationId, QueuedEvent } from '../../../store/projection-store';
import { untried } from '../../../store/untried';
import { eventOf } from '../recorded-row';
import { eventColumns, type Statement } from '../select-events';
import type { EventRow, TableNames } from '../tables';
import { parts } from './entity-statements';
import { textOf } from './record-of';
import { type SqlWords, Values } from './sql-words';
import { idsOfText, storedKey, textOfIds } from './stored-key';

/** So many rows go into one statement. */
const rowsPerStatement = 200;

type Row = Readonly<Record<string, unknown>>;

/** The SQL on the queues of instances that stand still. */
export class QueueStatements {
  constructor(
    private readonly words: SqlWords,
    private readonly names: TableNames,
    private readonly longestKey: number,
  ) {}

  /** Adds events to queues, or gives those that are there another failure. */
  add({ projection, generation }: GenerationId, queued: readonly QueuedEvent[]): readonly Statement[] {
    const { parked: q } = this.names;
    const changed = [q.error, q.stack, q.attempts, q.first_failed_at, q.last_failed_at, q.retry_at];
    const columns = [q.projection, q.generation, q.key, q.position, q.ids, ...changed].join(', ');
    return parts(lastOfEach(queued), rowsPerStatement).map((some) => {
      const values = new Values(this.words);
      const rows = some.map((event) => this.row(projection, generation, event, values));
      const sql = `INSERT INTO ${q.table} (${columns}) VALUES ${rows.join(', ')} ${this.orUpdate(changed)}`;
      return { sql, parameters: values.list, isFrequent: some.length === 1 };
    });
  }

  /** Takes events out of queues, up to a position each. */
  release({ projection, generation }: GenerationId, released: Changes['released']): readonly Statement[] {
    const { parked: q } = this.names;
    return parts(released, rowsPerStatement).map((some) => {
      const values = new Values(this.words);
      const of = `${q.projection} = ${values.key(projection)} AND ${q.generation} = ${values.bind(generation)}`;
      const each = some.map(({ key, upTo }) => {
        return `${q.key} = ${values.key(this.stored(key))} AND ${q.position} <= ${values.bind(Number(upTo))}`;
      });
      const sql = `DELETE FROM ${q.table} WHERE ${of} AND (${each.map((one) => `(${one})`).join(' OR ')})`;
      return { sql, parameters: values.list, isFrequent: some.length === 1 };
    });
  }

  drop({ projection, generation }: GenerationId): Statement {
    const { parked: q } = this.names;
    const values = new Values(this.words);
    const sql = `DELETE FROM ${q.table} WHERE ${q.projection} = ${values.key(projection)} AND ${q.generation} = ${values.bind(generation)}`;
    return { sql, parameters: values.list, isFrequent: false };
  }

  /** Selects the first event of each queue, and how many there are behind it. */
  blocked({ projection, generation }: GenerationId): Statement {
    const { parked: q, events: e } = this.names;
    const values = new Values(this.words);
    const queues = `SELECT ${q.key} AS k, MIN(${q.position}) AS p, COUNT(*) - 1 AS waiting FROM ${q.table} WHERE ${q.projection} = ${values.key(projection)} AND ${q.generation} = ${values.bind(generation)} GROUP BY ${q.key}`;
    const own = `q.${q.projection} = ${values.key(projection)} AND q.${q.generation} = ${values.bind(generation)}`;
    const failure = [
      `q.${q.key} AS queue_key`,
      `q.${q.ids} AS queue_ids`,
      `q.${q.error} AS failure_message`,
      `q.${q.stack} AS failure_stack`,
      `q.${q.attempts} AS failure_attempts`,
      `q.${q.first_failed_at} AS failure_first`,
      `q.${q.last_failed_at} AS failure_last`,
      `q.${q.retry_at} AS failure_retry`,
    ];
    const sql = `SELECT ${failure.join(', ')}, f.waiting AS waiting, ${eventColumns(this.names)} FROM (${queues}) f
      JOIN ${q.table} q ON ${own} AND q.${q.key} = f.k AND q.${q.position} = f.p
      JOIN ${e.table} e ON e.${e.position} = q.${q.position} ORDER BY q.${q.position}, q.${q.key}`;
    return { sql, parameters: values.list, isFrequent: true };
  }

  /** Selects the first events of a queue. */
  queue({ projection, generation }: GenerationId, key: string, limit: number): Statement {
    const { parked: q, events: e } = this.names;
    const values = new Values(this.words);
    const where = this.isQueue(projection, generation, key, values).map((condition) => `q.${condition}`);
    const sql = `SELECT ${eventColumns(this.names)} FROM ${q.table} q JOIN ${e.table} e ON e.${e.position} = q.${q.position}
      WHERE ${where.join(' AND ')} ORDER BY q.${q.position} LIMIT ${Math.trunc(limit)}`;
    return { sql, parameters: values.list, isFrequent: false };
  }

  private row(projection: string, generation: number, { key, values: ids, event, failure }: QueuedEvent, values: Values) {
    const stored = this.stored(key);
    const row = [
      values.key(projection),
      values.bind(generation),
      values.key(stored),
      values.bind(Number(event.position)),
      values.bind(textOfIds(key, ids, stored)),
      values.bind(failure && storable(failure.message)),
      values.bind(failure?.stack && storable(failure.stack)),
      values.bind(failure?.attempts),
      values.bind(failure?.firstFailedAt),
      values.bind(failure?.lastFailedAt),
      values.bind(failure?.retryAt),
    ];
    return `(${row.join(', ')})`;
  }

  private stored(key: string): string {
    return storedKey(key, this.longestKey);
  }

  private isQueue(projection: string, generation: number, key: string, values: Values): string[] {
    const { parked: q } = this.names;
    return [
      `${q.projection} = ${values.key(projection)}`,
      `${q.generation} = ${values.bind(generation)}`,
      `${q.key} = ${values.key(this.stored(key))}`,
    ];
  }

  private orUpdate(columns: readonly string[]): string {
    const { parked: q } = this.names;
    if (this.words.dialect === 'mysql')
      return `ON DUPLICATE KEY UPDATE ${columns.map((column) => `${column} = VALUES(${column})`).join(', ')}`;
    const keys = [q.projection, q.generation, q.key, q.position];
    return `ON CONFLICT (${keys.join(', ')}) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`;
  }
}

/** @returns the instance in a row of {@link QueueStatements.blocked}. */
export function blockedOf(row: Row): BlockedInstance {
  const { key, values } = idsOfText(textOf(row['queue_ids']), textOf(row['queue_key']));
  const event = queuedEventOf(row);
  const failure = row['failure_attempts'] == null ? untried(event) : failureOf(row);
  return { key, values, event, failure, waiting: Number(row['waiting']) };
}

/** @returns the event in a row of a queue. */
export function queuedEventOf(row: Row): RecordedEvent {
  const texts = {
    position: textOf(row['position']),
    stream: textOf(row['stream']),
    id: textOf(row['id']),
    type: textOf(row['type']),
  };
  return eventOf({ ...(row as unknown as EventRow), ...texts });
}

function failureOf(row: Row): Failure {
  return {
    message: optional(row['failure_message']) ?? '',
    stack: optional(row['failure_stack']),
    attempts: Number(row['failure_attempts']),
    firstFailedAt: optional(row['failure_first']) ?? '',
    lastFailedAt: optional(row['failure_last']) ?? '',
    retryAt: optional(row['failure_retry']),
  };
}

function optional(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : textOf(value);
}

/** One statement cannot change a row twice. */
function lastOfEach(queued: readonly QueuedEvent[]): readonly QueuedEvent[] {
  if (queued.length < 2) return queued;
  return [...new Map(queued.map((one) => [`${one.event.position} ${one.key}`, one])).values()];
}

/** No database keeps NUL, and a text of a user's error may hold it. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
