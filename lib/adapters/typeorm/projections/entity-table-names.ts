import { createHash } from 'node:crypto';
import type { DataSource, EntityMetadata } from 'typeorm';
import type { Role } from '../../../store/projection-store';
import { type DialectName } from '../tables';

/** What the name of a table, an index or a key may have at most: bytes in PostgreSQL, letters in MySQL. */
const longestName = 63;

/** Names in the database, quoted, that belong to the table of an entity. */
export class EntityTableNames {
  /** The name alone, unquoted. */
  readonly table: string;
  readonly schema: string | undefined;

  constructor(
    dataSource: DataSource,
    private readonly dialectName: DialectName,
    { tableName, schema, database }: Pick<EntityMetadata, 'tableName' | 'schema' | 'database'>,
  ) {
    this.table = tableName;
    const place = dialectName === 'postgres' ? (schema ?? schemaOf(dataSource)) : database;
    this.schema = dialectName === 'sqlite' ? undefined : place;
  }

  /** The unquoted name of the table of a role. */
  nameOf(role: Role): string {
    return role === 'serving' ? this.table : this.beside(this.table, role);
  }

  of(role: Role): string {
    return this.qualified(this.nameOf(role));
  }

  qualified(name: string): string {
    return this.schema === undefined ? this.quoted(name) : `${this.quoted(this.schema)}.${this.quoted(name)}`;
  }

  quoted(name: string): string {
    const quote = this.dialectName === 'mysql' ? '`' : '"';
    return `${quote}${name.replaceAll(quote, quote + quote)}${quote}`;
  }

  /** A name for what another generation has in place of `name`. */
  beside(name: string, role: Exclude<Role, 'serving'>): string {
    const suffix = `_${role}`;
    if (Buffer.byteLength(name) + suffix.length <= longestName) return name + suffix;
    const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
    let short = name;
    while (Buffer.byteLength(short) + suffix.length + hash.length + 1 > longestName) short = short.slice(0, -1);
    return `${short}_${hash}${suffix}`;
  }
}

function schemaOf({ options }: DataSource): string | undefined {
  return 'schema' in options ? (options.schema as string | undefined) : undefined;
}
