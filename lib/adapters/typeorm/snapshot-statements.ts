import type { Position } from '../../events/recorded-event';
import type { Snapshot } from '../../store/snapshot-store';
import type { DialectName, SnapshotRow, TableNames } from './tables';

type Column = keyof SnapshotRow;

const columns: readonly Column[] = [
  'key',
  'revision',
  'shape',
  'version',
  'folded',
  'event_id',
  'position',
  'previous',
  'state',
  'time',
];

/** Those that MySQL compares byte by byte. */
const inBytes: readonly Column[] = ['key', 'revision', 'shape', 'event_id'];

/** The SQL of snapshots, in the words of each database. */
export class SnapshotStatements {
  readonly select: string;
  readonly upsert: string;
  readonly remove: string;
  readonly clear: string;

  constructor(
    private readonly dialect: DialectName,
    private readonly names: TableNames['snapshots'],
  ) {
    const { table, key } = names;
    const quote = dialect === 'mysql' ? '`' : '"';
    const list = columns.map((column) => `${names[column]} AS ${quote}${column}${quote}`);
    const isKey = `${key} = ${this.placeholder(0)}`;
    this.select = `SELECT ${list.join(', ')} FROM ${table} WHERE ${isKey}`;
    this.upsert = dialect === 'mysql' ? this.upsertOfMySql() : this.upsertOnConflict();
    this.remove = `DELETE FROM ${table} WHERE ${isKey}`;
    this.clear = `DELETE FROM ${table}`;
  }

  /** The parameters of `upsert`. */
  parametersOf(snapshot: Snapshot): unknown[] {
    const { key, revision, shape, version, folded, eventId, position, previous = null, state, time } = snapshot;
    const row: Record<Column, unknown> = {
      key,
      revision,
      shape,
      version,
      folded,
      event_id: eventId,
      position,
      previous,
      state,
      time,
    };
    return columns.map((column) => (inBytes.includes(column) ? this.keyOf(row[column] as string) : row[column]));
  }

  keyOf(text: string): unknown {
    return this.dialect === 'mysql' ? Buffer.from(text) : text;
  }

  snapshotOf(row: Readonly<Record<Column, unknown>>): Snapshot {
    const { previous } = row;
    return {
      key: String(row.key),
      revision: String(row.revision),
      shape: String(row.shape),
      version: Number(row.version),
      folded: Number(row.folded),
      eventId: String(row.event_id),
      position: String(row.position) as Position,
      previous: previous === null ? undefined : (String(previous) as Position),
      state: String(row.state),
      time: String(row.time),
    };
  }

  /** Leaves a newer snapshot of the same revision and shape as it is. */
  private upsertOnConflict(): string {
    const { table, key, revision, shape, folded } = this.names;
    const set = columns.map((column) => `${this.names[column]} = excluded.${this.names[column]}`);
    return `INSERT INTO ${table} AS kept ${this.values()} ON CONFLICT (${key}) DO UPDATE SET ${set.join(', ')}
      WHERE kept.${revision} <> excluded.${revision} OR kept.${shape} <> excluded.${shape} OR kept.${folded} <= excluded.${folded}`;
  }

  private upsertOfMySql(): string {
    const { table, revision, shape, folded } = this.names;
    const isNewer = `${revision} <> VALUES(${revision}) OR ${shape} <> VALUES(${shape}) OR ${folded} <= VALUES(${folded})`;
    // An assignment sees what those before it have assigned. What is compared comes last; and where nothing is to be
    // changed, revision and shape are the same anyway.
    const others = columns.filter((column) => !['key', 'revision', 'shape', 'folded'].includes(column));
    const set = [...others.map((column) => this.names[column]), folded].map((column) => {
      return `${column} = IF(${isNewer}, VALUES(${column}), ${column})`;
    });
    for (const column of [revision, shape]) set.push(`${column} = VALUES(${column})`);
    return `INSERT INTO ${table} ${this.values()} ON DUPLICATE KEY UPDATE ${set.join(', ')}`;
  }

  private values(): string {
    const placeholders = columns.map((_column, index) => this.placeholder(index));
    return `(${columns.map((column) => this.names[column]).join(', ')}) VALUES (${placeholders.join(', ')})`;
  }

  private placeholder(index: number): string {
    return this.dialect === 'postgres' ? `$${index + 1}` : '?';
  }
}
