import type { Criterion } from '../../events/criterion';
import type { EventRow, TableNames } from './tables';

/** Which rows to select. Bounds are exclusive but for `upTo`. */
export interface Selection {
  readonly stream?: string | undefined;
  readonly afterVersion?: number | undefined;
  readonly criteria?: readonly Criterion[] | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly upTo?: string | undefined;
  readonly afterTime?: string | undefined;
  readonly beforeTime?: string | undefined;
  /** Only events that carry no tag of this name. */
  readonly withoutTag?: string;
  /** Only events of other schema versions. */
  readonly exceptVersion?: number;
  readonly isBackward?: boolean;
  readonly limit: number;
}

/** SQL and what its placeholders stand for. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** Whether it comes often in this very form, so that it is worth preparing. */
  readonly isFrequent: boolean;
}

/** From so many types on, the database decides how to find the events of any of them. */
export const manyTypes = 8;

/** So many tags are joined, in the order that the database finds best; databases limit the number. */
const manyTags = 8;

/** The placeholder of databases that go by the order of parameters. */
export function question(): string {
  return '?';
}

/** What a row of the events table holds, in the order in which it is selected. */
const keys = ['position', 'stream', 'version', 'id', 'type', 'schema_version', 'time', 'tags', 'metadata', 'data'] as const;

/** @returns the columns of the events table, under the names that rows have. */
export function eventColumns({ events: e }: TableNames): string {
  return keys.map((key) => `e.${e[key]} AS ${key}`).join(', ');
}

/** @returns the row of what a driver gives as an array, which some do faster than as an object. */
export function eventRowOf(values: readonly unknown[]): EventRow {
  const [position, stream, version, id, type, schema_version, time, tags, metadata, data] = values as EventRow[keyof EventRow][];
  return { position: String(position), stream, version, id, type, schema_version, time, tags, metadata, data } as EventRow;
}

/** @returns the statement that selects events in order of position, or version by version in a stream. */
export function selectEvents(names: TableNames, placeholder: (index: number) => string, selection: Selection): Statement {
  return new SelectStatement(names, placeholder, selection).statement();
}

/** @returns the statement that selects the newest position which matches, as `position`. */
export function selectNewest(
  names: TableNames,
  placeholder: (index: number) => string,
  criteria: readonly Criterion[],
  after: string | undefined,
  /** What makes the select take locks, in the words of the database. */
  locking = '',
): Statement {
  return new SelectStatement(names, placeholder, { criteria, after, isBackward: true, limit: 1 }, locking).newest();
}

/** @returns the conditions on the position, in the order of their parameters. */
export function boundsOf(
  { after, before, upTo }: Pick<Selection, 'after' | 'before' | 'upTo'>,
  column: string,
  bind: (value: unknown) => string,
): string[] {
  return [
    ...(after === undefined ? [] : [`${column} > ${bind(Number(after))}`]),
    ...(before === undefined ? [] : [`${column} < ${bind(Number(before))}`]),
    ...(upTo === undefined ? [] : [`${column} <= ${bind(Number(upTo))}`]),
  ];
}

class SelectStatement {
  private readonly parameters: unknown[] = [];
  private readonly order: string;

  constructor(
    private readonly names: TableNames,
    private readonly placeholder: (index: number) => string,
    private readonly selection: Selection,
    private readonly locking = '',
  ) {
    this.order = selection.isBackward ? 'DESC' : 'ASC';
  }

  statement(): Statement {
    const { events: e } = this.names;
    const { stream, criteria, limit, withoutTag } = this.selection;
    const columns = eventColumns(this.names);
    const isFiltered = stream !== undefined || withoutTag !== undefined || this.hasTimes;
    if (isFiltered || criteria === undefined || criteria.some(isUniversal)) {
      const sql = `SELECT ${columns} FROM ${e.table} e ${this.where(this.filters())} ORDER BY e.${stream === undefined ? e.position : e.version} ${this.order} LIMIT ${this.bind(limit)}`;
      return { sql, parameters: this.parameters, isFrequent: criteria === undefined };
    }
    const sql = `SELECT ${columns} FROM (${this.branches(criteria)}) p JOIN ${e.table} e ON e.${e.position} = p.position ORDER BY e.${e.position} ${this.order} LIMIT ${this.bind(limit)}`;
    return { sql, parameters: this.parameters, isFrequent: false };
  }

  newest(): Statement {
    const { criteria = [] } = this.selection;
    return {
      sql: `SELECT MAX(p.position) AS position FROM (${this.branches(criteria)}) p`,
      parameters: this.parameters,
      isFrequent: false,
    };
  }

  private get hasTimes(): boolean {
    return this.selection.afterTime !== undefined || this.selection.beforeTime !== undefined;
  }

  private filters(): string[] {
    const { events: e } = this.names;
    const { stream, afterVersion, criteria, afterTime, beforeTime, withoutTag, exceptVersion } = this.selection;
    return [
      ...(stream === undefined ? [] : [`e.${e.stream} = ${this.bind(stream)}`]),
      ...(stream === undefined ? [] : [`e.${e.version} > ${this.bind(afterVersion ?? 0)}`]),
      ...this.bounds(`e.${e.position}`),
      ...(afterTime === undefined ? [] : [`e.${e.time} > ${this.bind(afterTime)}`]),
      ...(beforeTime === undefined ? [] : [`e.${e.time} < ${this.bind(beforeTime)}`]),
      ...(criteria === undefined || criteria.some(isUniversal) ? [] : [this.anyOf(criteria)]),
      ...(exceptVersion === undefined ? [] : [`e.${e.schema_version} <> ${this.bind(exceptVersion)}`]),
      ...(withoutTag === undefined ? [] : [this.lacks(withoutTag)]),
    ];
  }

  /** Read off the row's JSON, for the index of tags has no order by event; in words that all databases know. */
  private lacks(tagName: string): string {
    const tags = `e.${this.names.events.tags}`;
    const start = JSON.stringify(`${tagName}:`).slice(0, -1);
    const isWithout = [`[${start}`, `",${start}`].map((text) => {
      return `LENGTH(REPLACE(${tags}, ${this.bind(text)}, '')) = LENGTH(${tags})`;
    });
    return `(${tags} IS NULL OR ${isWithout.join(' AND ')})`;
  }

  private anyOf(criteria: readonly Criterion[]): string {
    const { events: e } = this.names;
    const either = criteria.map(({ types, tags = [] }) => {
      const all = types === undefined ? [] : [this.isOneOf(`e.${e.type}`, types)];
      if (tags.length > 0) all.push(this.hasAll(tags, `e.${e.position}`));
      return `(${all.join(' AND ')})`;
    });
    return either.length === 0 ? '1 = 0' : `(${either.join(' OR ')})`;
  }

  private hasAll(tags: readonly string[], position: string): string {
    const { table, tag, position: place } = this.names.tags;
    const has = `x.${place} = ${position} AND ${this.isOneOf(`x.${tag}`, tags)}`;
    return tags.length === 1
      ? `EXISTS (SELECT 1 FROM ${table} x WHERE ${has} ${this.locking})`
      : `(SELECT COUNT(*) FROM ${table} x WHERE ${has} ${this.locking}) = ${tags.length}`;
  }

  /** Each criterion by its own index and up to the limit, so that none of them costs more than it gives. */
  private branches(criteria: readonly Criterion[]): string {
    const branches = criteria.flatMap((criterion) => this.branchesOf(criterion));
    if (branches.length === 0)
      return `SELECT ${this.names.events.position} AS position FROM ${this.names.events.table} WHERE 1 = 0`;
    if (branches.length === 1) return branches[0] as string;
    return branches.map((branch, index) => `SELECT b${index}.position FROM (${branch}) b${index}`).join(' UNION ');
  }

  private branchesOf({ types, tags = [] }: Criterion): string[] {
    const { events: e, tags: t } = this.names;
    if (tags.length > 0) {
      const joined = tags.slice(1, manyTags);
      const joins = joined.map((tag, index) => {
        const other = `t${index + 1}`;
        return `JOIN ${t.table} ${other} ON ${other}.${t.position} = t.${t.position} AND ${other}.${t.tag} = ${this.bind(tag)}`;
      });
      const where = [`t.${t.tag} = ${this.bind(tags[0])}`, ...this.bounds(`t.${t.position}`)];
      if (tags.length > manyTags) where.push(this.hasAll(tags.slice(manyTags), `t.${t.position}`));
      if (types !== undefined) where.push(this.isOneOf(`t.${t.type}`, types));
      return [
        `SELECT t.${t.position} AS position FROM ${t.table} t ${joins.join(' ')} ${this.where(where)} ${this.first(`t.${t.position}`)}`,
      ];
    }
    const groups = types === undefined ? [undefined] : types.length < manyTypes ? types.map((type) => [type]) : [types];
    return groups.map((group) => {
      const where = [...(group === undefined ? [] : [this.isOneOf(`e.${e.type}`, group)]), ...this.bounds(`e.${e.position}`)];
      return `SELECT e.${e.position} AS position FROM ${e.table} e ${this.where(where)} ${this.first(`e.${e.position}`)}`;
    });
  }

  private first(column: string): string {
    return `ORDER BY ${column} ${this.order} LIMIT ${this.bind(this.selection.limit)} ${this.locking}`;
  }

  private bounds(column: string): string[] {
    return boundsOf(this.selection, column, (value) => this.bind(value));
  }

  private isOneOf(column: string, values: readonly string[]): string {
    if (values.length === 0) return '1 = 0';
    return values.length === 1
      ? `${column} = ${this.bind(values[0])}`
      : `${column} IN (${values.map((value) => this.bind(value)).join(', ')})`;
  }

  private where(conditions: readonly string[]): string {
    return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  }

  private bind(value: unknown): string {
    this.parameters.push(value);
    return this.placeholder(this.parameters.length);
  }
}

function isUniversal({ types, tags = [] }: Criterion): boolean {
  return types === undefined && tags.length === 0;
}
