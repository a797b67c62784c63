import type { DialectName } from '../tables';

/** What SQL says in other words in each database. */
export interface SqlWords {
  readonly dialect: DialectName;
  /** Milliseconds since 1970 on the clock that all processes share. */
  readonly now: string;
  /** Locks the selected rows, and leaves out those that others hold. */
  readonly skippingLocked: string;
  readonly forUpdate: string;
  placeholder(index: number): string;
  /** Says whether a column holds a value, which may be NULL. */
  isSame(column: string, value: string): string;
  /** @returns the parameter for a column that is compared byte by byte. */
  key(text: string): unknown;
}

const all: Readonly<Record<DialectName, SqlWords>> = {
  postgres: {
    dialect: 'postgres',
    now: '(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
    skippingLocked: 'FOR NO KEY UPDATE SKIP LOCKED',
    forUpdate: 'FOR NO KEY UPDATE',
    placeholder: (index) => `$${index}`,
    isSame: (column, value) => `${column} IS NOT DISTINCT FROM ${value}`,
    key: (text) => text,
  },
  mysql: {
    dialect: 'mysql',
    now: 'CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)',
    skippingLocked: 'FOR UPDATE SKIP LOCKED',
    forUpdate: 'FOR UPDATE',
    placeholder: () => '?',
    isSame: (column, value) => `${column} <=> ${value}`,
    key: (text) => Buffer.from(text),
  },
  sqlite: {
    dialect: 'sqlite',
    now: `CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`,
    skippingLocked: '',
    forUpdate: '',
    placeholder: () => '?',
    isSame: (column, value) => `${column} IS ${value}`,
    key: (text) => text,
  },
};

export function sqlWords(dialect: DialectName): SqlWords {
  return all[dialect];
}

/** The values of one statement, in the order in which they stand in its text. */
export class Values {
  readonly list: unknown[] = [];

  constructor(private readonly words: SqlWords) {}

  /** @returns the placeholder of a value. */
  bind(value: unknown): string {
    this.list.push(value ?? null);
    return this.words.placeholder(this.list.length);
  }

  key(text: string): string {
    return this.bind(this.words.key(text));
  }

  /** A value and its type, where the database cannot tell by itself. */
  typed(value: unknown, type: 'bigint' | 'text' | 'double precision'): string {
    const placeholder = this.bind(value);
    return this.words.dialect === 'postgres' ? `${placeholder}::${type}` : placeholder;
  }
}
