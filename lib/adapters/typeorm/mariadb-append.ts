import type { Appended } from './dialect';
import { selectNewest } from './select-events';
import type { Outcome, StagedAppend, StagedGroup } from './staged-append';
import type { TableNames } from './tables';

/** In larger batches round trips do not matter. */
const manyEvents = 200;

/** The version of a stream before an append: a number, on top of what a variable holds. */
interface Base {
  readonly variable: string | undefined;
  readonly version: number;
}

/**
 * An append in one round trip, for MariaDB, which runs a block of statements as if it were one: it takes the lock, and
 * stores everything if nothing is to be refused. Otherwise it stores nothing, and does not say why.
 */
export class MariaDbAppend {
  readonly parameters: unknown[] = [];
  /** Undefined when the batch is too large, or must be refused in part. */
  readonly sql: string | undefined;
  /** Whether it comes often in this very form, so that it is worth preparing. */
  readonly isFrequent: boolean;
  private readonly bases: Base[] = [];
  private readonly variables: string[] = [];
  private readonly conditions: string[] = [];

  constructor(
    private readonly names: TableNames,
    private readonly groups: readonly StagedGroup[],
  ) {
    const appends = groups.flat();
    const events = appends.flatMap((append) => append.events);
    this.isFrequent = events.length === 1 && events.every(({ tags }) => tags.length < 4);
    this.isFrequent &&= appends.every(({ guard }) => 'version' in guard);
    if (events.length <= manyEvents && this.placesAreKnown(appends)) this.sql = this.block(appends);
  }

  /** @returns what was stored, or undefined when nothing was. */
  stored(row: Record<string, unknown> | undefined): Appended | undefined {
    if (row?.newest == null) return undefined;
    const newest = Number(row.newest);
    let position = newest;
    let append = 0;
    const outcomes = this.groups.map((group): Outcome => {
      const bases: number[] = [];
      const positions: string[] = [];
      for (const { events } of group) {
        const { variable, version } = this.bases[append] as Base;
        bases.push(version + (variable === undefined ? 0 : Number(row[variable])));
        for (const _ of events) {
          position += 1;
          positions.push(String(position));
        }
        append += 1;
      }
      return { kind: 'stored', bases, positions };
    });
    return { outcomes, previous: newest === 0 ? undefined : String(newest) };
  }

  /** Says on what version each append builds; false when two of them exclude each other. */
  private placesAreKnown(appends: readonly StagedAppend[]): boolean {
    const now = new Map<string, Base>();
    for (const { stream, guard, events } of appends) {
      const expected = 'version' in guard ? guard.version : 'any';
      const before = now.get(stream);
      const isKnown = expected === 'any' || expected === 'exists';
      if (before !== undefined && !isKnown && (before.variable !== undefined || before.version !== numberOf(expected)))
        return false;
      const base = before ?? (isKnown ? this.variable() : { variable: undefined, version: numberOf(expected) });
      this.bases.push(base);
      now.set(stream, { ...base, version: base.version + events.length });
    }
    return true;
  }

  private variable(): Base {
    const variable = `base_${this.variables.length}`;
    this.variables.push(variable);
    return { variable, version: 0 };
  }

  /** The order of its parts is that of their parameters. */
  private block(appends: readonly StagedAppend[]): string {
    const { locks, events: e } = this.names;
    return `BEGIN NOT ATOMIC
  DECLARE newest BIGINT;${this.variables.map((variable) => ` DECLARE ${variable} INT;`).join('')}
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  START TRANSACTION;
  SELECT ${locks.id} INTO newest FROM ${locks.table} WHERE ${locks.id} = 1 FOR UPDATE;
  SET newest = COALESCE((SELECT MAX(${e.position}) FROM ${e.table}), 0);
  ${this.readVersions(appends)}
  IF ${this.allHold(appends)} THEN
    ${this.insertEvents(appends)}
    ${this.insertTags(appends)}
    COMMIT;
    SELECT ${['newest', ...this.variables].join(', ')};
  ELSE
    ROLLBACK;
    SELECT NULL AS newest;
  END IF;
END`;
  }

  private readVersions(appends: readonly StagedAppend[]): string {
    const { table, stream, version } = this.names.events;
    const read = new Set<string>();
    const statements: string[] = [];
    for (const [index, append] of appends.entries()) {
      const { variable } = this.bases[index] as Base;
      if (variable === undefined || read.has(variable)) continue;
      read.add(variable);
      const select = `SELECT MAX(${version}) FROM ${table} WHERE ${stream} = ${this.bind(Buffer.from(append.stream))}`;
      statements.push(`SET ${variable} = COALESCE((${select}), 0);`);
      if ('version' in append.guard && append.guard.version === 'exists') this.conditions.push(`${variable} > 0`);
    }
    return statements.join('\n  ');
  }

  /** That a stream is not longer than expected, nor an id stored already, is left to the unique indexes. */
  private allHold(appends: readonly StagedAppend[]): string {
    const { table, stream, version } = this.names.events;
    const seen = new Set<string>();
    const last: string[] = [];
    for (const [index, append] of appends.entries()) {
      const base = this.bases[index] as Base;
      if (base.variable !== undefined || base.version === 0 || seen.has(append.stream)) continue;
      seen.add(append.stream);
      last.push(`(${stream} = ${this.bind(Buffer.from(append.stream))} AND ${version} = ${this.bind(base.version)})`);
    }
    if (last.length > 0) this.conditions.push(`(SELECT COUNT(*) FROM ${table} WHERE ${last.join(' OR ')}) = ${last.length}`);
    for (const { guard } of appends) {
      if (!('condition' in guard)) continue;
      const { sql, parameters } = selectNewest(this.names, () => '?', guard.condition.criteria, guard.condition.after);
      this.parameters.push(...parameters.map((value) => (typeof value === 'string' ? Buffer.from(value) : value)));
      this.conditions.push(`(${sql}) IS NULL`);
    }
    return this.conditions.length === 0 ? 'TRUE' : this.conditions.join(' AND ');
  }

  private insertEvents(appends: readonly StagedAppend[]): string {
    const { events: e } = this.names;
    const columns = [e.position, e.stream, e.version, e.id, e.type, e.schema_version, e.time, e.tags, e.metadata, e.data];
    const rows: string[] = [];
    for (const [index, { stream, events }] of appends.entries()) {
      let { variable = '0', version } = this.bases[index] as Base;
      for (const { id, type, schemaVersion, time, tags, metadataText, dataText } of events) {
        version += 1;
        const values = [
          this.bind(Buffer.from(stream)),
          `${variable} + ${this.bind(version)}`,
          this.bind(Buffer.from(id)),
          this.bind(Buffer.from(type)),
          this.bind(schemaVersion),
          this.bind(time),
          this.bind(tags.length === 0 ? null : JSON.stringify(tags)),
          this.bind(metadataText),
          this.bind(dataText),
        ];
        rows.push(`(newest + ${rows.length + 1}, ${values.join(', ')})`);
      }
    }
    return `INSERT INTO ${e.table} (${columns.join(', ')}) VALUES ${rows.join(', ')};`;
  }

  private insertTags(appends: readonly StagedAppend[]): string {
    const { table, tag, position, type } = this.names.tags;
    const rows = appends
      .flatMap(({ events }) => events)
      .flatMap((event, index) =>
        event.tags.map((text) => {
          return `(${this.bind(Buffer.from(text))}, newest + ${index + 1}, ${this.bind(Buffer.from(event.type))})`;
        }),
      );
    return rows.length === 0 ? '' : `INSERT INTO ${table} (${tag}, ${position}, ${type}) VALUES ${rows.join(', ')};`;
  }

  private bind(value: unknown): string {
    this.parameters.push(value);
    return '?';
  }
}

function numberOf(version: 'none' | number): number {
  return version === 'none' ? 0 : version;
}
